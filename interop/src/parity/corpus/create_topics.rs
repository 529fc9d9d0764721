//! CreateTopics.

use crate::parity::exchange::{Exchange, Step};
use crate::requests::{assign, create, create_plain, creation, metadata, set, topic};

pub(super) fn all() -> Vec<Exchange> {
    let mut all = counts();
    all.extend(whole_requests());
    all.extend(names());
    all.extend(settings());
    all.extend(refused_settings());
    all.extend(assignments());
    all
}

fn counts() -> Vec<Exchange> {
    let existing = "existing-comes-first";
    vec![
        Exchange::new(
            "plain",
            "A topic with three partitions is created and described.",
            vec![create(vec![topic("plain", 3, 1)]), metadata(&["plain"])],
        ),
        Exchange::new(
            existing,
            "A topic that exists is reported as such whatever else is wrong with the request, \
             so that 'create unless it exists' works.",
            vec![
                create_plain(&[existing]),
                create_plain(&[existing]),
                create(vec![topic(existing, 0, 1)]),
                create(vec![topic(existing, 1, 9)]),
                create(vec![set(
                    topic(existing, 1, 1),
                    &[("retention.ms", Some("soon"))],
                )]),
            ],
        ),
        Exchange::new(
            "defaults",
            "-1 partitions and a replication factor of -1 take the broker's defaults in every version.",
            vec![
                Step::new(2, &creation(vec![topic("defaults-2", -1, -1)])),
                Step::new(3, &creation(vec![topic("defaults-3", -1, -1)])),
                Step::new(4, &creation(vec![topic("defaults-4", -1, -1)])),
                metadata(&["defaults-2", "defaults-3", "defaults-4"]),
            ],
        ),
        Exchange::new(
            "bad-counts",
            "Counts that cannot be.",
            vec![
                create(vec![topic("bad-counts", 0, 1)]),
                create(vec![topic("bad-counts", -2, 1)]),
                create(vec![topic("bad-counts", 1, 0)]),
                create(vec![topic("bad-counts", 1, -2)]),
                create(vec![topic("bad-counts", 1, 2)]),
                create(vec![topic("bad-counts", 0, 2)]),
            ],
        ),
    ]
}

fn whole_requests() -> Vec<Exchange> {
    vec![
        Exchange::new(
            "validate-only",
            "validate_only answers as a creation would, and creates nothing.",
            vec![
                Step::new(
                    3,
                    &creation(vec![topic("validate-only", 1, 1)]).with_validate_only(true),
                ),
                Step::new(
                    3,
                    &creation(vec![topic("validate-only", 0, 1)]).with_validate_only(true),
                ),
                metadata(&["validate-only"]),
            ],
        ),
        Exchange::new(
            "none",
            "A request without topics has an answer without topics.",
            vec![create(vec![])],
        ),
        Exchange::new(
            "some-succeed",
            "A topic that is refused does not stop the one beside it.",
            vec![
                create(vec![topic("some-succeed", 1, 1), topic("not this", 1, 1)]),
                metadata(&["some-succeed"]),
            ],
        ),
    ]
}

fn names() -> Vec<Exchange> {
    let long = "l".repeat(250);
    vec![
        Exchange::new(
            "bad-names",
            "Names that no topic can have.",
            ["", ".", "..", "a b", "a/b", "ä", &long]
                .map(|bad| create_plain(&[bad]))
                .into(),
        ),
        Exchange::new(
            "longest-name",
            "249 characters are allowed.",
            vec![create_plain(&[&long[1..]])],
        ),
        Exchange::new(
            "bad-name-and-count",
            "The name is looked at before the count.",
            vec![create(vec![topic("a b", 0, 1)])],
        ),
        Exchange::new(
            "twice-in-a-request",
            "A name that is in the request twice is refused once, and not created.",
            vec![
                create_plain(&["twice", "twice", "once"]),
                metadata(&["twice", "once"]),
            ],
        ),
        Exchange::new(
            "colliding",
            "a.b and a_b have the same name in Kafka's metrics.",
            vec![create_plain(&["colli.ding"]), create_plain(&["colli_ding"])],
        ),
        Exchange::new(
            "reserved",
            "The name of Kafka's own log of metadata is taken.",
            vec![create_plain(&["__cluster_metadata"])],
        ),
    ]
}

fn with(name: &str, settings: &[(&str, Option<&str>)]) -> Step {
    create(vec![set(topic(name, 1, 1), settings)])
}

fn settings() -> Vec<Exchange> {
    vec![
        Exchange::new(
            "what-is-done-anyway",
            "Settings that ask for what the broker does anyway are accepted.",
            vec![
                with("anyway-1", &[("min.insync.replicas", Some("1"))]),
                with("anyway-2", &[("preallocate", Some("false"))]),
                with(
                    "anyway-3",
                    &[("unclean.leader.election.enable", Some("false"))],
                ),
                with("anyway-4", &[("remote.storage.enable", Some("false"))]),
                with("anyway-5", &[("segment.jitter.ms", Some("0"))]),
                with("anyway-6", &[("cleanup.policy", Some("delete"))]),
                with(
                    "anyway-7",
                    &[("message.timestamp.type", Some("CreateTime"))],
                ),
                with("anyway-8", &[("compression.type", Some("producer"))]),
            ],
        ),
        Exchange::new(
            "settings-that-hold",
            "Settings that every broker has.",
            vec![
                with(
                    "hold",
                    &[
                        ("retention.ms", Some("3600000")),
                        ("retention.bytes", Some("-1")),
                        ("segment.bytes", Some("1048576")),
                        ("max.message.bytes", Some("2000")),
                    ],
                ),
                crate::requests::describe(&[(
                    2,
                    "hold",
                    Some(&["retention.ms", "segment.bytes", "max.message.bytes"]),
                )]),
            ],
        ),
    ]
}

fn refused_settings() -> Vec<Exchange> {
    vec![
        Exchange::new(
            "bad-settings",
            "Settings that no broker has, and values that a setting cannot have.",
            vec![
                with("bad-settings", &[("nonsense", Some("1"))]),
                with("bad-settings", &[("", Some("1"))]),
                with("bad-settings", &[("retention.ms", Some("soon"))]),
                with("bad-settings", &[("retention.ms", Some("-2"))]),
                with("bad-settings", &[("retention.ms", None)]),
                with("bad-settings", &[("max.message.bytes", Some("-1"))]),
                with("bad-settings", &[("cleanup.policy", Some("burn"))]),
            ],
        ),
        Exchange::new(
            "settings-without-their-effect",
            "Settings whose effect mqd does not have are refused, not taken silently.",
            vec![
                with("effect-1", &[("min.insync.replicas", Some("2"))]),
                with("effect-2", &[("preallocate", Some("true"))]),
                with(
                    "effect-3",
                    &[("unclean.leader.election.enable", Some("true"))],
                ),
            ],
        ),
        Exchange::new(
            "small-segments",
            "Segments below 1 MiB, which Kafka 4 does not want.",
            vec![with("small-segments", &[("segment.bytes", Some("65536"))])],
        ),
    ]
}

fn assignments() -> Vec<Exchange> {
    let assigned = |name, count, replication, assignments: &[(i32, &[i32])]| {
        create(vec![assign(topic(name, count, replication), assignments)])
    };
    vec![
        Exchange::new(
            "assigned-by-hand",
            "Assignments to this broker are what it would do itself.",
            vec![
                assigned("assigned", -1, -1, &[(0, &[1]), (1, &[1])]),
                metadata(&["assigned"]),
            ],
        ),
        Exchange::new(
            "assigned-beside-a-count",
            "Assignments exclude a count and a replication factor.",
            vec![
                assigned("beside", 1, -1, &[(0, &[1])]),
                assigned("beside", -1, 1, &[(0, &[1])]),
            ],
        ),
        Exchange::new(
            "assigned-badly",
            "Assignments that cannot be.",
            vec![
                assigned("badly", -1, -1, &[(0, &[9])]),
                assigned("badly", -1, -1, &[(0, &[1, 1])]),
                assigned("badly", -1, -1, &[(0, &[])]),
                assigned("badly", -1, -1, &[(1, &[1])]),
                assigned("badly", -1, -1, &[(0, &[1]), (0, &[1])]),
                assigned("badly", -1, -1, &[(0, &[1]), (2, &[1])]),
            ],
        ),
    ]
}
