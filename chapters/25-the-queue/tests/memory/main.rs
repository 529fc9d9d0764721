//! How much memory the broker holds for one request, from its first byte to the last one of
//! its answer: a small multiple of what arrived, and of what the byte budget counts, for the
//! worst that each API can be sent.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod admin;
mod counting;
mod groups;
mod operations;
mod served;
mod together;
mod transactions;

use message_model::Timestamp;
use record_batch::{BatchBuilder, RecordToSend};
use wire_protocol::Records;
use wire_protocol::message::{
    FetchPartition, FetchRequest, FetchTopic, ForgottenTopic, ListOffsetsPartition,
    ListOffsetsRequest, ListOffsetsTopic, ProducePartition, ProduceRequest, ProduceTopic,
};

use served::{Measured, Served};

/// How long the requests are, about, in bytes.
const SIZE: usize = 500_000;

/// The most that is held, by what the byte budget counts: the request as it arrived and
/// decoded, or else its answer. The worst are the smallest batches, each of which waits for the disk, and
/// the entries of a Fetch, 16 bytes on the wire and 32 decoded.
const BY_COUNTED: usize = 6;

/// The most that is held, by what arrived. The worst is a topic of one letter in
/// AlterConfigs, again and again: 5 bytes on the wire, and 144 in the answer that refuses it.
const BY_ARRIVED: usize = 38;

/// The most that is held for the answer to a short request about what exists, by the bytes
/// of the answer: while it is made, which waits for nothing, so that each thread makes one.
const BY_ANSWER: usize = 10;

/// What is sent, and what it took.
type Row = (&'static str, Measured);

/// One request after the other: what is held is counted over all threads.
#[test]
fn the_worst_requests_of_each_api() {
    let _counts_alone = counting::alone();
    let served = Served::start();
    groups::make_the_topic(&served);
    transactions::make_the_topic(&served);
    let rows = [
        groups::commit(&served),
        groups::fetch_offsets(&served),
        groups::delete_offsets(&served),
        groups::members(&served),
        groups::operators(&served),
        produce(&served),
        fetch(&served),
        list_offsets(&served),
        admin::metadata(&served),
        admin::create_topics(&served),
        admin::delete_topics(&served),
        admin::find_coordinator(&served),
        admin::offset_for_leader_epoch(&served),
        admin::elect_leaders(&served),
        transactions::producers(&served),
        transactions::operators(&served),
        operations::delete_records(&served),
        operations::create_partitions(&served),
        operations::alter_configs(&served),
        operations::incremental_alter_configs(&served),
        operations::named_log_dirs(&served),
    ];
    for (what, took) in rows.into_iter().flatten() {
        println!("{what}: {took:?}");
        let Measured {
            arrived,
            counted,
            peak,
        } = took;
        assert!(peak <= BY_COUNTED * counted, "{what}: {took:?}");
        assert!(peak <= BY_ARRIVED * arrived, "{what}: {took:?}");
        // The budget counts nothing that is not taken, and this test sees what is.
        assert!(peak >= counted - counted / 10, "{what}: {took:?}");
    }
    for (what, took) in operations::descriptions(&served) {
        println!("{what}: {took:?}");
        assert!(took.peak <= BY_ANSWER * took.counted, "{what}: {took:?}");
    }
}

/// As many as fit, each of `size` bytes on the wire.
fn many<T: Clone>(size: usize, element: T) -> Vec<T> {
    vec![element; SIZE / size]
}

/// The same, each made from its number.
fn different<T>(size: usize, element: impl Fn(i32) -> T) -> Vec<T> {
    let count = i32::try_from(SIZE / size).unwrap();
    (0..count).map(element).collect()
}

fn a() -> String {
    "a".to_owned()
}

/// A name of four letters for each number.
fn name(number: i32) -> String {
    let digit = |shift: i32| char::from_digit(((number >> shift) & 31).unsigned_abs(), 36).unwrap();
    [15, 10, 5, 0].map(digit).iter().collect()
}

/// Nearly as long as a string can be.
fn long_name() -> String {
    "x".repeat(30_000)
}

/// One record without key and value: 68 bytes.
fn smallest_batch() -> Vec<u8> {
    let mut builder = BatchBuilder::new();
    builder.push(&RecordToSend {
        timestamp: Timestamp(1),
        key: None,
        value: None,
        headers: vec![],
    });
    builder.build()
}

fn produce(served: &Served) -> Vec<Row> {
    let mut rows = Vec::new();
    let entry = |index| ProducePartition {
        index,
        records: Records::default(),
    };
    let topic = |name, partitions| ProduceTopic { name, partitions };
    for acks in [1, -1] {
        let ask = |topics| {
            let request = ProduceRequest {
                acks,
                timeout_ms: 30_000,
                topics,
                ..ProduceRequest::default()
            };
            served.measure(&request, 9)
        };
        let batch = ProducePartition {
            index: 0,
            records: Records::from_bytes(smallest_batch()),
        };
        rows.extend([
            (
                "produce: batches",
                ask(vec![topic("t".to_owned(), many(76, batch))]),
            ),
            ("produce: topics", ask(many(7, topic(a(), vec![])))),
            (
                "produce: partitions",
                ask(vec![topic(a(), different(8, entry))]),
            ),
            (
                "produce: partitions of a long name",
                ask(vec![topic(long_name(), different(8, entry))]),
            ),
            (
                "produce: topics of one partition",
                ask(many(15, topic(a(), vec![entry(0)]))),
            ),
        ]);
    }
    rows
}

fn fetch(served: &Served) -> Vec<Row> {
    let mut rows = Vec::new();
    let entry = |partition| FetchPartition {
        partition,
        ..FetchPartition::default()
    };
    let topic = |topic, partitions| FetchTopic { topic, partitions };
    for version in [4, 12] {
        let ask = |topics| {
            let request = FetchRequest {
                topics,
                ..FetchRequest::default()
            };
            served.measure(&request, version)
        };
        rows.extend([
            ("fetch: topics", ask(many(7, topic(a(), vec![])))),
            (
                "fetch: partitions",
                ask(vec![topic(a(), different(16, entry))]),
            ),
            (
                "fetch: partitions of a long name",
                ask(vec![topic(long_name(), different(16, entry))]),
            ),
            (
                "fetch: topics of one partition",
                ask(different(26, |number| topic(name(number), vec![entry(0)]))),
            ),
        ]);
    }
    let forgotten = ForgottenTopic {
        topic: a(),
        partitions: vec![],
    };
    let request = FetchRequest {
        forgotten_topics_data: many(7, forgotten),
        ..FetchRequest::default()
    };
    rows.push(("fetch: forgotten topics", served.measure(&request, 12)));
    rows
}

fn list_offsets(served: &Served) -> Vec<Row> {
    let entry = |partition_index| ListOffsetsPartition {
        partition_index,
        timestamp: -1,
        ..ListOffsetsPartition::default()
    };
    let topic = |name, partitions| ListOffsetsTopic { name, partitions };
    let ask = |topics| {
        let request = ListOffsetsRequest {
            topics,
            ..ListOffsetsRequest::default()
        };
        served.measure(&request, 9)
    };
    vec![
        ("list offsets: topics", ask(many(7, topic(a(), vec![])))),
        (
            "list offsets: partitions",
            ask(vec![topic(a(), different(12, entry))]),
        ),
        (
            "list offsets: partitions of a long name",
            ask(vec![topic(long_name(), different(12, entry))]),
        ),
        (
            "list offsets: topics of one partition",
            ask(different(22, |number| topic(name(number), vec![entry(0)]))),
        ),
    ]
}
