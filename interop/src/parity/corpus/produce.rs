//! Produce, with batches that are as they should be.

use kafka_protocol::messages::TransactionalId;

use crate::parity::batch::{Batch, TIMESTAMP};
use crate::parity::exchange::{Exchange, Step};
use crate::requests::{create, create_plain, fetch, list, produce, production, set, text, topic};

/// 1 January 2100: more than an hour ahead.
const FAR_AHEAD: i64 = 4_102_444_800_000;

pub(super) fn all() -> Vec<Exchange> {
    let mut all = refused();
    all.extend(acknowledged());
    all.extend(several());
    all.extend(limits());
    all.extend(transactional());
    all
}

fn acknowledged() -> Vec<Exchange> {
    let one = Batch::of(&["one"]).bytes();
    vec![
        Exchange::new(
            "acks-1-and-all",
            "Offsets count up over requests.",
            vec![
                create_plain(&["acks"]),
                produce("acks", &Batch::of(&["a", "b", "c"])),
                Step::new(7, &production("acks", -1, &[(0, Some(&one))])),
                fetch("acks", 0),
            ],
        ),
        Exchange::new(
            "acks-0",
            "acks=0 has no answer, and what it sent is there when the next request is answered.",
            vec![
                create_plain(&["acks-0"]),
                Step::unacknowledged(7, &production("acks-0", 0, &[(0, Some(&one))])),
                list("acks-0", -1),
            ],
        ),
        Exchange::new(
            "acks-0-refused",
            "acks=0 has no field for an error, so the connection is closed.",
            vec![
                create_plain(&["acks-0-refused"]),
                Step::unacknowledged(7, &production("acks-0-refused", 0, &[(9, Some(&one))])),
                list("acks-0-refused", -1),
            ],
        ),
    ]
}

fn several() -> Vec<Exchange> {
    let one = Batch::of(&["one"]).bytes();
    vec![
        Exchange::new(
            "twice-in-a-request",
            "The same partition twice in a request.",
            vec![
                create_plain(&["produced-twice"]),
                Step::new(
                    7,
                    &production(
                        "produced-twice",
                        1,
                        &[(0, Some(&Batch::of(&["first"]).bytes())), (0, Some(&one))],
                    ),
                ),
                fetch("produced-twice", 0),
            ],
        ),
        Exchange::new(
            "several-partitions",
            "A partition that is refused does not stop the one beside it.",
            vec![
                create(vec![topic("several", 2, 1)]),
                Step::new(
                    7,
                    &production(
                        "several",
                        1,
                        &[(0, Some(&one)), (1, Some(&one)), (2, Some(&one))],
                    ),
                ),
            ],
        ),
    ]
}

fn refused() -> Vec<Exchange> {
    let one = Batch::of(&["one"]).bytes();
    vec![
        Exchange::new(
            "unknown",
            "A topic and a partition that are not there. Produce creates no topic.",
            vec![
                create_plain(&["produce-unknown-1"]),
                produce("produce-unknown-2", &Batch::of(&["a"])),
                Step::new(7, &production("produce-unknown-1", 1, &[(5, Some(&one))])),
                Step::new(7, &production("produce-unknown-1", 1, &[(-1, Some(&one))])),
                produce("a b", &Batch::of(&["a"])),
            ],
        ),
        Exchange::new(
            "other-acks",
            "acks is -1, 0 or 1.",
            vec![
                create_plain(&["other-acks"]),
                Step::new(7, &production("other-acks", 2, &[(0, Some(&one))])),
                Step::new(7, &production("other-acks", -2, &[(0, Some(&one))])),
                Step::new(7, &production("other-acks-unknown", 2, &[(0, Some(&one))])),
                list("other-acks", -1),
            ],
        ),
        Exchange::new(
            "null-records",
            "A partition with null instead of records.",
            vec![
                create_plain(&["null-records"]),
                Step::new(7, &production("null-records", 1, &[(0, None)])),
            ],
        ),
        Exchange::new(
            "nothing",
            "A partition with no bytes, and no partition at all.",
            vec![
                create_plain(&["nothing"]),
                Step::new(7, &production("nothing", 1, &[(0, Some(&[]))])),
                Step::new(7, &production("nothing", 1, &[])),
            ],
        ),
    ]
}

fn limits() -> Vec<Exchange> {
    let ahead = Batch::of(&["a"]).but(|batch| {
        batch.base_timestamp = FAR_AHEAD;
        batch.max_timestamp = FAR_AHEAD;
    });
    vec![
        Exchange::new(
            "too-large",
            "max.message.bytes counts the whole batch.",
            vec![
                create(vec![set(
                    topic("too-large", 1, 1),
                    &[("max.message.bytes", Some("300"))],
                )]),
                produce("too-large", &Batch::of(&[&"x".repeat(230)])),
                produce("too-large", &Batch::of(&[&"x".repeat(231)])),
                produce("too-large", &Batch::of(&[&"x".repeat(232)])),
                produce("too-large", &Batch::of(&[&"x".repeat(233)])),
                produce("too-large", &Batch::of(&[&"x".repeat(1_000)])),
            ],
        ),
        Exchange::new(
            "far-ahead",
            "A timestamp more than an hour ahead is refused, also when only a record says so.",
            vec![
                create_plain(&["far-ahead"]),
                produce("far-ahead", &ahead),
                produce(
                    "far-ahead",
                    &ahead.clone().but(|batch| batch.max_timestamp = TIMESTAMP),
                ),
                list("far-ahead", -1),
            ],
        ),
    ]
}

fn transactional() -> Vec<Exchange> {
    let batch = Batch::of(&["a"]).but(|batch| {
        batch.attributes = 1 << 4;
        batch.producer = (4_000, 0, 0);
    });
    let control = batch.clone().but(|batch| batch.attributes |= 1 << 5);
    let request = |id: Option<&str>| {
        production("transactional", 1, &[(0, Some(&batch.bytes()))])
            .with_transactional_id(id.map(|id| TransactionalId(text(id))))
    };
    vec![Exchange::new(
        "transactional",
        "A transactional batch outside a transaction: without a transactional id in the request, \
         and with one that nobody knows. A control batch comes from no client.",
        vec![
            create_plain(&["transactional"]),
            Step::new(7, &request(None).with_acks(-1)),
            produce("transactional", &control),
            produce(
                "transactional",
                &control.clone().but(|batch| batch.attributes = 1 << 5),
            ),
            list("transactional", -1),
        ],
    )]
}
