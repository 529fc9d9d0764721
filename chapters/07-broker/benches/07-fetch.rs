//! Fetching over loopback, beside sending the same bytes from memory.
//!
//! One consumer on one connection asks from a fixed offset and reads the answer:
//! one batch of 1 KiB, or 1 MiB of batches of 1 KiB or 64 KiB. All of it is in the
//! page cache, and nobody has to wait for records. Nothing is written or synced.
//!
//! The limit has the same client and the same bytes on the socket both ways, and a
//! thread behind it that has the answer in memory. So it has no file, no look-up
//! and no protocol. Not measured: what the consumer does with the records.
//!
//! `cargo bench -p broker --bench 07-fetch`

#[path = "support/limit.rs"]
mod limit;
mod support;

use ::broker::validate_produced;
use bytes::Bytes;
use criterion::{Criterion, Throughput};
use message_model::{PartitionIndex, Timestamp};
use networking::frame;
use wire_protocol::message::{FetchPartition, FetchRequest, FetchTopic};
use wire_protocol::{Records, decode_response, encode_request};

use support::Broker;

const VERSION: i16 = 11;
/// How much the topic holds, in bytes.
const LOG_SIZE: usize = 4 << 20;

fn main() {
    let mut criterion = bench_settings::criterion();
    let broker = Broker::start();
    for (name, batch_size, fetch_size) in [
        ("1 KiB", 1 << 10, 1 << 10),
        ("1 MiB of 1 KiB batches", 1 << 10, 1 << 20),
        ("1 MiB of 64 KiB batches", 64 << 10, 1 << 20),
    ] {
        fill(&broker, batch_size);
        let request = request(LOG_SIZE / batch_size / 2, fetch_size);
        fetch(&mut criterion, &broker, name, &request, fetch_size);
    }
    criterion.final_summary();
}

fn fetch(criterion: &mut Criterion, broker: &Broker, name: &str, request: &[u8], size: usize) {
    let mut client = broker.connect();
    let payload = client.call(request);
    let answer = frame(payload);
    let response =
        decode_response::<FetchRequest>(&payload.to_vec().into(), VERSION).expect("it is one");
    let found = &response.responses[0].partitions[0];
    assert_eq!(found.records.len(), size, "it was found");

    let mut group = criterion.benchmark_group("07-fetch");
    group.throughput(Throughput::Bytes(size as u64));
    let length = answer.len() - 4;
    group.bench_function(name, |bencher| {
        bencher.iter(|| assert_eq!(client.call(request).len(), length));
    });
    group.bench_function(format!("{name}, bare socket"), |bencher| {
        let mut client = limit::connect_to_limit(request.len(), answer.clone(), |_| ());
        bencher.iter(|| assert_eq!(client.call(request).len(), length));
    });
    group.finish();
}

/// Puts batches of that size into topic `t`, and nothing else.
fn fill(broker: &Broker, batch_size: usize) {
    let name = broker.empty_topic("t");
    let partition = broker.broker.topics.partition(&name, PartitionIndex(0));
    let partition = partition.expect("it has been made");
    let batch = Bytes::from(limit::batch(batch_size));
    broker.runtime.block_on(async {
        for _ in 0..LOG_SIZE / batch.len() {
            let records = Records::from_bytes(batch.clone());
            let produced = validate_produced(Timestamp(0), &partition.settings(), None, records);
            let produced = produced.expect("it is one batch");
            let appended = partition.append(Timestamp(0), produced).await;
            appended.expect("the disk has room");
        }
    });
}

/// Asks for at most `size` bytes of topic `t`, as a frame.
fn request(offset: usize, size: usize) -> Vec<u8> {
    let size = i32::try_from(size).expect("it is small");
    let request = FetchRequest {
        min_bytes: 1,
        max_bytes: size,
        topics: vec![FetchTopic {
            topic: "t".to_owned(),
            partitions: vec![FetchPartition {
                fetch_offset: i64::try_from(offset).expect("it is small"),
                partition_max_bytes: size,
                ..FetchPartition::default()
            }],
        }],
        ..FetchRequest::default()
    };
    frame(&encode_request(&request, VERSION, 1, "bench"))
}
