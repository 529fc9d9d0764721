//! Producing over loopback, beside what a produce cannot do without.
//!
//! One producer on one connection sends a batch and waits for the answer.
//!
//! - `acks=1`: the answer comes when the batch is in the page cache; nothing is synced.
//! - `acks=all`: it comes after an `fdatasync`, which a lone producer shares with nobody.
//!
//! The limit has the same client and the same bytes on the socket both ways, and a
//! thread behind it that writes the batch to the end of a file (and syncs it) and
//! knows nothing of Kafka. After 16 MiB both go on with a new file, outside of what is
//! measured. Not measured: making the request, and several producers at a time.
//!
//! `cargo bench -p broker --bench 07-produce`

#[path = "support/limit.rs"]
mod limit;
mod support;

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::time::Duration;

use async_model::Clock;
use criterion::{Criterion, SamplingMode, Throughput};
use message_model::PartitionIndex;
use networking::frame;
use wire_protocol::message::{ProducePartition, ProduceRequest, ProduceTopic};
use wire_protocol::{ErrorCode, Records, decode_response, encode_request};

use support::{Broker, Client};

const VERSION: i16 = 7;
/// How large a file may become, in bytes.
const FILE_SIZE: usize = 16 << 20;

fn main() {
    let mut criterion = bench_settings::criterion();
    let broker = Broker::start();
    for (size, acks) in [(1 << 10, 1), (64 << 10, 1), (1 << 10, -1)] {
        produce(&mut criterion, &broker, size, acks);
    }
    criterion.final_summary();
}

fn produce(criterion: &mut Criterion, broker: &Broker, size: usize, acks: i16) {
    let acks_name = if acks == 1 { "1" } else { "all" };
    let name = format!("{} KiB, acks={acks_name}", size >> 10);
    let request = request(size, acks);
    let answer = answer(broker, &request);
    let mut group = criterion.benchmark_group("07-produce");
    group.throughput(Throughput::Bytes(size as u64));
    group.sampling_mode(SamplingMode::Flat);
    group.bench_function(&name, |bencher| {
        bencher.iter_custom(|count| {
            timed(count, size, &request, |requests| {
                let name = broker.empty_topic("t");
                let partition = broker.broker.topics.partition(&name, PartitionIndex(0));
                let partition = partition.expect("it has been made");
                let all = i64::try_from(requests).expect("it is small");
                let check = move || {
                    let ends = partition.ends().expect("it is online");
                    assert_eq!(ends.log_end.0, all, "every batch is there");
                };
                (broker.connect(), check)
            })
        });
    });
    group.bench_function(format!("{name}, bare socket and file"), |bencher| {
        bencher.iter_custom(|count| {
            timed(count, size, &request, |_| {
                (limit(&request, size, acks != 1, answer.clone()), || ())
            })
        });
    });
    group.finish();
}

fn limit(request: &[u8], size: usize, sync: bool, answer: Vec<u8>) -> Client {
    let dir = support::dir();
    let file = File::create(dir.path().join("file")).expect("a file can be created");
    file.sync_all().expect("the disk is well");
    let mut position = 0;
    limit::connect_to_limit(request.len(), answer, move |request| {
        let _kept_until_the_end = &dir;
        let batch = &request[request.len() - size..];
        file.write_all_at(batch, position)
            .expect("the disk has room");
        position += batch.len() as u64;
        if sync {
            file.sync_data().expect("the disk is well");
        }
    })
}

/// How long `count` calls take, one after the other; with what `fresh` makes for
/// every [`FILE_SIZE`] bytes: a client, and a look at the result.
fn timed<Check: FnOnce()>(
    count: u64,
    size: usize,
    request: &[u8],
    fresh: impl Fn(u64) -> (Client, Check),
) -> Duration {
    let clock = Clock::start();
    let mut took = Duration::ZERO;
    let mut left = count;
    while left > 0 {
        let calls = left.min((FILE_SIZE / size) as u64);
        let (mut client, check) = fresh(calls);
        let started = clock.now();
        for _ in 0..calls {
            client.call(request);
        }
        took += clock.now().since(started);
        check();
        left -= calls;
    }
    took
}

/// What the broker answers, as a frame.
fn answer(broker: &Broker, request: &[u8]) -> Vec<u8> {
    broker.empty_topic("t");
    let mut client = broker.connect();
    let payload = client.call(request);
    let response =
        decode_response::<ProduceRequest>(&payload.to_vec().into(), VERSION).expect("it is one");
    let code = response.topics[0].partitions[0].error_code;
    assert_eq!(code, ErrorCode::NONE, "it was appended");
    frame(payload)
}

/// A frame with one batch for topic `t`; the batch is at its end.
fn request(size: usize, acks: i16) -> Vec<u8> {
    let request = ProduceRequest {
        acks,
        timeout_ms: 30_000,
        topics: vec![ProduceTopic {
            name: "t".to_owned(),
            partitions: vec![ProducePartition {
                index: 0,
                records: Records::from_bytes(limit::batch(size)),
            }],
        }],
        ..ProduceRequest::default()
    };
    frame(&encode_request(&request, VERSION, 1, "bench"))
}
