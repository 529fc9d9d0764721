//! Consuming over loopback, beside a loop that fetches and reads in turn.
//!
//! Both read the same partition from its first record to its last, 16 MiB of batches of
//! 16 KiB, in fetches of at most 1 MiB, from a broker in this process that has them in
//! memory; both check the CRC of each batch and look at each record. The loop asks, waits,
//! reads, and asks again. The consumer fetches ahead while it reads.
//!
//! `cargo bench -p consumer --bench 16-consume`

#[path = "../examples/fake/mod.rs"]
mod fake;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use client::{Client, FetchLimits};
use consumer::{Consumer, OffsetReset, SeekTo, Settings};
use criterion::Throughput;
use message_model::{Offset, PartitionIndex, TopicName, TopicPartition};

use fake::Fake;

/// How much is read each time, in bytes of records.
const SIZE: usize = 16 << 20;
const BATCH: usize = 16 << 10;

fn main() {
    let mut criterion = bench_settings::criterion();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    let mut group = criterion.benchmark_group("16-consume");
    for record_size in [100, 1024] {
        let count = SIZE / record_size;
        group.throughput(Throughput::Elements(count as u64));
        let fake = runtime.block_on(filled(record_size));
        let mut consumer = runtime.block_on(consumer(&fake));
        group.bench_function(format!("{record_size} B, consumer"), |bencher| {
            bencher.iter(|| runtime.block_on(consume(&mut consumer, count)));
        });
        let client = runtime.block_on(connected(&fake));
        group.bench_function(
            format!("{record_size} B, fetch and read in turn"),
            |bencher| {
                bencher.iter(|| runtime.block_on(fetch_and_read(&client, count)));
            },
        );
        drop(runtime.enter());
        runtime.block_on(async { drop(consumer) });
    }
    group.finish();
    criterion.final_summary();
}

fn partition() -> TopicPartition {
    TopicPartition {
        topic: TopicName::new("t").expect("a name"),
        partition: PartitionIndex(0),
    }
}

async fn filled(record_size: usize) -> Fake {
    let fake = Fake::start(&[("t", 1)]).await;
    let in_batch = BATCH / record_size;
    let mut left = SIZE / record_size;
    while left > 0 {
        let count = left.min(in_batch);
        fake.append("t", 0, &vec!["x".repeat(record_size); count]);
        left -= count;
    }
    fake
}

async fn connected(fake: &Fake) -> Arc<Client> {
    let client = Client::connect(&fake.address(), client::Settings::default()).await;
    Arc::new(client.expect("it listens"))
}

async fn consumer(fake: &Fake) -> Consumer {
    let settings = Settings {
        reset: OffsetReset::Earliest,
        // At the end of the partition a fetch waits for records. The next measurement's seek
        // waits for that fetch.
        fetch_max_wait: Duration::from_millis(1),
        ..Settings::default()
    };
    let mut consumer = Consumer::new(connected(fake).await, settings);
    let assigned = consumer.assign(BTreeSet::from([partition()])).await;
    assigned.expect("it is there");
    consumer
}

async fn consume(consumer: &mut Consumer, count: usize) -> usize {
    let sought = consumer.seek(&partition(), SeekTo::Offset(Offset(0))).await;
    sought.expect("it is assigned");
    let (mut seen, mut bytes) = (0, 0);
    while seen < count {
        let polled = consumer.poll(Duration::from_secs(10)).await;
        for record in polled
            .expect("it can be read")
            .into_iter()
            .flat_map(|polled| polled.records)
        {
            bytes += record
                .expect("it is whole")
                .value
                .map_or(0, |value| value.len());
            seen += 1;
        }
    }
    bytes
}

async fn fetch_and_read(client: &Client, count: usize) -> usize {
    let limits = FetchLimits {
        max_wait: Duration::from_millis(500),
        min_bytes: 1,
        max_bytes: 1 << 20,
    };
    let (mut seen, mut bytes, mut from) = (0, 0, Offset(0));
    while seen < count {
        let fetched = client.fetch(&partition(), from, limits).await;
        let mut records = client::records(fetched.expect("it can be read").batches, from);
        for record in &mut records {
            bytes += record
                .expect("it is whole")
                .value
                .map_or(0, |value| value.len());
            seen += 1;
        }
        from = records.next_offset();
    }
    bytes
}
