//! DescribeConfigs.

use crate::parity::exchange::{Exchange, Step};
use crate::requests::{create, describe, describing, set, topic};

const TOPIC: i8 = 2;
const BROKER: i8 = 4;

pub(super) fn all() -> Vec<Exchange> {
    let mut all = known();
    all.extend(unknown());
    all
}

fn creates(name: &str) -> Step {
    create(vec![set(
        topic(name, 1, 1),
        &[("max.message.bytes", Some("2000"))],
    )])
}

fn known() -> Vec<Exchange> {
    vec![
        Exchange::new(
            "by-name",
            "One setting, then two, with and without where they come from.",
            vec![
                creates("by-name"),
                describe(&[(TOPIC, "by-name", Some(&["max.message.bytes"]))]),
                describe(&[(
                    TOPIC,
                    "by-name",
                    Some(&["max.message.bytes", "retention.bytes"]),
                )]),
                Step::new(
                    1,
                    &describing(&[(TOPIC, "by-name", Some(&["max.message.bytes"]))])
                        .with_include_synonyms(true),
                ),
            ],
        ),
        Exchange::new(
            "all-of-a-topic",
            "Null asks for all settings, and so does an empty list.",
            vec![
                creates("all-of-a-topic"),
                describe(&[(TOPIC, "all-of-a-topic", None)]),
                describe(&[(TOPIC, "all-of-a-topic", Some(&[]))]),
            ],
        ),
        Exchange::new(
            "twice-in-a-request",
            "A topic that is named twice with different keys is answered twice.",
            vec![
                creates("described-twice"),
                describe(&[
                    (TOPIC, "described-twice", Some(&["max.message.bytes"])),
                    (TOPIC, "described-twice", Some(&["retention.bytes"])),
                ]),
            ],
        ),
    ]
}

fn unknown() -> Vec<Exchange> {
    vec![
        Exchange::new(
            "unknown-settings",
            "Settings that no broker has are left out.",
            vec![
                creates("unknown-settings"),
                describe(&[(TOPIC, "unknown-settings", Some(&["nonsense"]))]),
                describe(&[(
                    TOPIC,
                    "unknown-settings",
                    Some(&["nonsense", "max.message.bytes"]),
                )]),
            ],
        ),
        Exchange::new(
            "unknown-topics",
            "Topics that are not there, or cannot be.",
            vec![
                describe(&[(TOPIC, "described-unknown", Some(&["retention.ms"]))]),
                describe(&[(TOPIC, "a b", Some(&["retention.ms"]))]),
                describe(&[(TOPIC, "", Some(&["retention.ms"]))]),
            ],
        ),
        Exchange::new(
            "brokers",
            "This broker, the default of all brokers, one that is not there, and none.",
            vec![
                describe(&[(BROKER, "1", Some(&["num.partitions"]))]),
                describe(&[(BROKER, "", Some(&["num.partitions"]))]),
                describe(&[(BROKER, "9", Some(&["num.partitions"]))]),
                describe(&[(BROKER, "one", Some(&["num.partitions"]))]),
            ],
        ),
        Exchange::new(
            "other-resources",
            "Kinds of resources that do not exist.",
            vec![
                describe(&[(0, "x", None)]),
                describe(&[(99, "x", None)]),
                describe(&[]),
            ],
        ),
    ]
}
