//! ListOffsets.

use crate::parity::batch::{Batch, TIMESTAMP};
use crate::parity::exchange::{Exchange, Step};
use crate::requests::{create_plain, list, listing, produce};

const LATEST: i64 = -1;
const EARLIEST: i64 = -2;

pub(super) fn all() -> Vec<Exchange> {
    let mut all = lying_headers();
    all.extend(times());
    all.extend(odd_questions());
    all
}

fn times() -> Vec<Exchange> {
    vec![
        Exchange::new(
            "ends-and-times",
            "Earliest, latest, times of records, between records, before the first and behind the last.",
            vec![
                create_plain(&["times"]),
                produce("times", &Batch::of(&["a", "b", "c"])),
                list("times", EARLIEST),
                list("times", LATEST),
                list("times", 0),
                list("times", TIMESTAMP),
                list("times", TIMESTAMP + 1),
                list("times", TIMESTAMP + 20),
                list("times", TIMESTAMP + 21),
            ],
        ),
        Exchange::new(
            "empty",
            "An empty partition has no times.",
            vec![
                create_plain(&["times-empty"]),
                list("times-empty", EARLIEST),
                list("times-empty", LATEST),
                list("times-empty", TIMESTAMP),
            ],
        ),
        Exchange::new(
            "unordered",
            "The first record at or after a time by offset, though timestamps go back.",
            vec![
                create_plain(&["unordered"]),
                produce(
                    "unordered",
                    &Batch::of(&["a"]).but(|batch| {
                        batch.base_timestamp += 1_000;
                        batch.max_timestamp += 1_000;
                    }),
                ),
                produce("unordered", &Batch::of(&["b"])),
                list("unordered", TIMESTAMP),
                list("unordered", TIMESTAMP + 1_000),
                list("unordered", TIMESTAMP + 1_001),
            ],
        ),
    ]
}

fn odd_questions() -> Vec<Exchange> {
    vec![
        Exchange::new(
            "unknown",
            "A topic and a partition that are not there.",
            vec![
                create_plain(&["list-unknown-1"]),
                list("list-unknown-2", LATEST),
                Step::new(2, &listing("list-unknown-1", &[(5, LATEST), (-1, LATEST)])),
                list("a b", LATEST),
            ],
        ),
        Exchange::new(
            "twice-in-a-request",
            "A partition that is in the request twice.",
            vec![
                create_plain(&["list-twice"]),
                Step::new(2, &listing("list-twice", &[(0, LATEST), (0, EARLIEST)])),
            ],
        ),
        Exchange::new(
            "other-questions",
            "Negative times that ask for nothing in these versions, and isolation levels.",
            vec![
                create_plain(&["other-questions"]),
                list("other-questions", -9),
                Step::new(
                    2,
                    &listing("other-questions", &[(0, LATEST)]).with_isolation_level(1),
                ),
                Step::new(
                    2,
                    &listing("other-questions", &[(0, LATEST)]).with_isolation_level(2),
                ),
            ],
        ),
    ]
}

fn lying_headers() -> Vec<Exchange> {
    vec![
        Exchange::new(
            "no-max-timestamp",
            "A batch whose header has no max_timestamp (-1), as old versions of sarama send it, \
             is found by its records' times.",
            vec![
                create_plain(&["no-max"]),
                produce(
                    "no-max",
                    &Batch::of(&["a", "b", "c"]).but(|batch| batch.max_timestamp = -1),
                ),
                list("no-max", TIMESTAMP),
                list("no-max", TIMESTAMP + 15),
                list("no-max", TIMESTAMP + 21),
            ],
        ),
        Exchange::new(
            "small-max-timestamp",
            "A header whose max_timestamp is below its records'.",
            vec![
                create_plain(&["small-max"]),
                produce(
                    "small-max",
                    &Batch::of(&["a", "b", "c"]).but(|batch| batch.max_timestamp = TIMESTAMP),
                ),
                list("small-max", TIMESTAMP + 15),
            ],
        ),
        Exchange::new(
            "large-max-timestamp",
            "A header whose max_timestamp is above its records' does not make a look-up \
             answer an older record.",
            vec![
                create_plain(&["large-max"]),
                produce(
                    "large-max",
                    &Batch::of(&["a"]).but(|batch| batch.max_timestamp = TIMESTAMP + 1_000),
                ),
                produce(
                    "large-max",
                    &Batch::of(&["b"]).but(|batch| {
                        batch.base_timestamp += 500;
                        batch.max_timestamp += 500;
                    }),
                ),
                list("large-max", TIMESTAMP + 100),
                list("large-max", TIMESTAMP + 600),
            ],
        ),
    ]
}
