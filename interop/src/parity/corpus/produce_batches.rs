//! Produce, with batches that nobody can read.

use crate::parity::batch::Batch;
use crate::parity::exchange::Exchange;
use crate::requests::{create_plain, fetch, list, produce, produce_bytes};

pub(super) fn all() -> Vec<Exchange> {
    let mut all = records();
    all.extend(no_records());
    all.extend(headers());
    all.extend(sizes());
    all
}

fn three() -> Batch {
    Batch::of(&["a", "b", "c"])
}

fn records() -> Vec<Exchange> {
    vec![
        Exchange::new(
            "wrong-counts",
            "A count that is not that of the records; nothing is stored.",
            vec![
                create_plain(&["wrong-counts"]),
                produce("wrong-counts", &three().but(|batch| batch.count = 2)),
                produce("wrong-counts", &three().but(|batch| batch.count = 4)),
                produce("wrong-counts", &three().but(|batch| batch.count = 0)),
                produce("wrong-counts", &three().but(|batch| batch.count = -1)),
                produce("wrong-counts", &three().but(|batch| batch.count = i32::MAX)),
                list("wrong-counts", -1),
            ],
        ),
        Exchange::new(
            "wrong-deltas",
            "Offset deltas that do not count up from 0 to the last one.",
            vec![
                create_plain(&["wrong-deltas"]),
                produce("wrong-deltas", &Batch::with_deltas(&["a", "b"], &[0, 2])),
                produce("wrong-deltas", &Batch::with_deltas(&["a", "b"], &[1, 0])),
                produce("wrong-deltas", &Batch::with_deltas(&["a", "b"], &[0, 0])),
                produce("wrong-deltas", &Batch::with_deltas(&["a", "b"], &[1, 2])),
                list("wrong-deltas", -1),
            ],
        ),
        Exchange::new(
            "wrong-last-delta",
            "A header whose last_offset_delta is not its last record's.",
            vec![
                create_plain(&["wrong-last"]),
                produce(
                    "wrong-last",
                    &three().but(|batch| batch.last_offset_delta = 1),
                ),
                produce(
                    "wrong-last",
                    &three().but(|batch| batch.last_offset_delta = 5),
                ),
                produce(
                    "wrong-last",
                    &three().but(|batch| batch.last_offset_delta = -1),
                ),
                list("wrong-last", -1),
            ],
        ),
    ]
}

fn no_records() -> Vec<Exchange> {
    vec![
        Exchange::new(
            "garbage",
            "Records that are none, under a right checksum.",
            vec![
                create_plain(&["garbage"]),
                produce("garbage", &three().but(|batch| batch.records.fill(0xff))),
                produce("garbage", &three().but(|batch| batch.records.fill(0))),
                produce(
                    "garbage",
                    &three().but(|batch| {
                        batch.records.pop();
                    }),
                ),
                produce("garbage", &three().but(|batch| batch.records.push(0))),
                list("garbage", -1),
            ],
        ),
        Exchange::new(
            "empty",
            "A batch without records.",
            vec![
                create_plain(&["empty-batch"]),
                produce("empty-batch", &Batch::of(&[])),
                produce(
                    "empty-batch",
                    &Batch::of(&[]).but(|batch| {
                        batch.last_offset_delta = -1;
                    }),
                ),
                list("empty-batch", -1),
            ],
        ),
    ]
}

fn headers() -> Vec<Exchange> {
    vec![
        Exchange::new(
            "wrong-checksum",
            "A checksum that is not that of the batch.",
            vec![
                create_plain(&["wrong-checksum"]),
                produce("wrong-checksum", &three().but(|batch| batch.crc_error = 1)),
                list("wrong-checksum", -1),
            ],
        ),
        Exchange::new(
            "old-formats",
            "Versions of the format that are gone (0 and 1) or not there yet.",
            vec![
                create_plain(&["old-formats"]),
                produce("old-formats", &three().but(|batch| batch.magic = 0)),
                produce("old-formats", &three().but(|batch| batch.magic = 1)),
                produce("old-formats", &three().but(|batch| batch.magic = 3)),
                produce("old-formats", &three().but(|batch| batch.magic = -1)),
                list("old-formats", -1),
            ],
        ),
        Exchange::new(
            "unknown-codecs",
            "Codecs that no client has.",
            vec![
                create_plain(&["unknown-codecs"]),
                produce("unknown-codecs", &three().but(|batch| batch.attributes = 5)),
                produce("unknown-codecs", &three().but(|batch| batch.attributes = 7)),
                list("unknown-codecs", -1),
            ],
        ),
        Exchange::new(
            "base-offset",
            "Offsets are the broker's: a producer's base offset is 0.",
            vec![
                create_plain(&["base-offset"]),
                produce("base-offset", &three().but(|batch| batch.base_offset = 5)),
                produce("base-offset", &three().but(|batch| batch.base_offset = -1)),
                fetch("base-offset", 0),
            ],
        ),
    ]
}

fn sizes() -> Vec<Exchange> {
    let whole = three().bytes();
    let two = [whole.clone(), whole.clone()].concat();
    let behind = [whole.clone(), b"more".to_vec()].concat();
    vec![
        Exchange::new(
            "cut",
            "A batch that ends early.",
            vec![
                create_plain(&["cut"]),
                produce_bytes("cut", &whole[..whole.len() - 1]),
                produce_bytes("cut", &whole[..61]),
                produce_bytes("cut", &whole[..30]),
                produce_bytes("cut", &whole[..4]),
                list("cut", -1),
            ],
        ),
        Exchange::new(
            "wrong-length",
            "A length that is not that of the batch.",
            vec![
                create_plain(&["wrong-length"]),
                produce("wrong-length", &three().but(|batch| batch.length_error = 1)),
                produce(
                    "wrong-length",
                    &three().but(|batch| batch.length_error = -1),
                ),
                produce(
                    "wrong-length",
                    &three().but(|batch| batch.length_error = -1_000),
                ),
                list("wrong-length", -1),
            ],
        ),
        Exchange::new(
            "two-batches",
            "One batch for each partition of a request.",
            vec![
                create_plain(&["two-batches"]),
                produce_bytes("two-batches", &two),
                list("two-batches", -1),
            ],
        ),
        Exchange::new(
            "bytes-behind",
            "Bytes behind the batch that are no batch.",
            vec![
                create_plain(&["bytes-behind"]),
                produce_bytes("bytes-behind", &behind),
                list("bytes-behind", -1),
            ],
        ),
    ]
}
