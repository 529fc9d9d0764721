//! Much work on the disk for few bytes on the wire.

use std::thread;
use std::time::Duration;

use anyhow::{Result, anyhow};
use interop::Connection;
use interop::parity::Step;
use interop::parity::batch::{Batch, TIMESTAMP};
use interop::requests::{fetch_partition, fetching, listing, produce, production};

use crate::target::{Attack, PATIENCE, Target, one_record};
use interop::Latencies;

const TOPIC: &str = "heavy";
/// Of a record that is about a page.
const PAGE: usize = 4_000;
/// Producers beside readers.
const COMPANY: usize = 4;
const DIRTY_PARTITIONS: i32 = 50;

pub(crate) fn attacks() -> Vec<Attack> {
    let mut all = vec![
        Attack {
            name: "time-look-ups",
            about: "ListOffsets that names a partition 20 times, over 256 MiB whose headers claim \
                    a late max_timestamp.",
            sync_ms: 100,
            settings: &[("log.retention.ms", "-1")],
            prepare: |target| {
                target.create(TOPIC, 1, &[])?;
                target.fill(TOPIC, &late_claims(), 256)
            },
            run: time_look_ups,
        },
        Attack {
            name: "sealed-segments",
            about: "Fetches of 200 entries that alternate between two sealed segments.",
            sync_ms: 100,
            settings: &[],
            prepare: |target| {
                target.create(TOPIC, 1, &[("segment.bytes", "16777216")])?;
                target.fill(TOPIC, &one_record(900_000), 60)
            },
            run: sealed_segments,
        },
    ];
    all.extend(syncs());
    all
}

fn syncs() -> Vec<Attack> {
    vec![
        Attack {
            name: "retention",
            about: "Retention deletes 100 segments and more.",
            sync_ms: 50,
            settings: &[("log.retention.check.interval.ms", "4000")],
            prepare: |target| {
                let settings = [("segment.bytes", "8192"), ("retention.bytes", "1")];
                target.create(TOPIC, 1, &settings)
            },
            run: |target| {
                // Quick syncs, or it would not be 100 segments by the next check.
                target.slow_syncs(0)?;
                target.fill(TOPIC, &one_record(PAGE), 250)?;
                target.slow_syncs(50)?;
                company(target, Duration::from_secs(10))
            },
        },
        Attack {
            name: "rolls",
            about: "Every third produce (acks=1) rolls its segment.",
            sync_ms: 100,
            settings: &[],
            prepare: |target| target.create(TOPIC, 1, &[("segment.bytes", "12288")]),
            run: rolls,
        },
        Attack {
            name: "recovery-points",
            about: "Recovery points of 50 partitions that are written to, saved each 200 ms.",
            sync_ms: 200,
            settings: &[("log.flush.offset.checkpoint.interval.ms", "200")],
            prepare: |target| target.create(TOPIC, DIRTY_PARTITIONS, &[]),
            run: recovery_points,
        },
    ]
}

/// A producer on the partition, for at least so long.
fn company(target: &Target, at_least: Duration) -> Result<String> {
    let end = target.end().max(target.now().plus(at_least));
    let step = produce(TOPIC, &one_record(10));
    let mut connection = target.connect()?;
    let mut samples = Latencies::default();
    while target.now() < end {
        let started = target.now();
        connection.exchange(&step)?;
        samples.add(target.now().since(started));
        thread::sleep(Duration::from_millis(1));
    }
    Ok(format!("produces to the same partition: {samples}"))
}

/// About 1 MiB, 1,000 records, all before the time that the header claims.
fn late_claims() -> Batch {
    let value = "x".repeat(1_000);
    Batch::of(&vec![value.as_str(); 1_000])
        .but(|batch| batch.max_timestamp = TIMESTAMP + 10_000_000)
}

fn time_look_ups(target: &Target) -> Result<String> {
    let wanted = vec![(0, TIMESTAMP + 5_000_000); 20];
    repeat(target, &Step::new(2, &listing(TOPIC, &wanted)), COMPANY)
}

fn sealed_segments(target: &Target) -> Result<String> {
    // 18 records fill a segment: offsets 1 and 25 are in the first and the second.
    let entries = (0..200).map(|number| {
        let offset = if number % 2 == 0 { 1 } else { 25 };
        fetch_partition(0, offset).with_partition_max_bytes(1)
    });
    let request = fetching(TOPIC, entries.collect()).with_max_bytes(1);
    repeat(target, &Step::new(11, &request), COMPANY)
}

fn rolls(target: &Target) -> Result<String> {
    repeat(target, &produce(TOPIC, &one_record(PAGE)), 0)
}

/// Four connections ask for the same, each as fast as it is answered, and `company`
/// others produce to the partition meanwhile: more than two cores have workers.
fn repeat(target: &Target, step: &Step, company: usize) -> Result<String> {
    let (clock, address, end) = (target.clock(), target.address(), target.end());
    let mut samples = Latencies::default();
    thread::scope(|scope| -> Result<()> {
        let mut threads = Vec::new();
        for _ in 0..company {
            scope.spawn(move || -> Result<()> {
                let mut connection = Connection::open(address, PATIENCE)?;
                let step = produce(TOPIC, &one_record(10));
                while clock.now() < end {
                    connection.exchange(&step)?;
                    thread::sleep(Duration::from_millis(1));
                }
                Ok(())
            });
        }
        for _ in 0..4 {
            threads.push(scope.spawn(move || -> Result<Latencies> {
                let mut connection = Connection::open(address, PATIENCE)?;
                let mut samples = Latencies::default();
                while clock.now() < end {
                    let started = clock.now();
                    connection.exchange(step)?;
                    samples.add(clock.now().since(started));
                }
                Ok(samples)
            }));
        }
        for thread in threads {
            samples.extend(thread.join().map_err(|_| anyhow!("a client panicked"))??);
        }
        Ok(())
    })?;
    let size = step.frame.len();
    Ok(format!(
        "{} requests of {size} bytes on 4 connections, each {samples}",
        samples.count()
    ))
}

fn recovery_points(target: &Target) -> Result<String> {
    let bytes = one_record(100).bytes();
    let partitions: Vec<_> = (0..DIRTY_PARTITIONS)
        .map(|partition| (partition, Some(bytes.as_slice())))
        .collect();
    let step = Step::new(7, &production(TOPIC, -1, &partitions));
    let end = target.end();
    let mut connection = target.connect()?;
    let mut count = 0;
    while target.now() < end {
        connection.exchange(&step)?;
        count += 1;
        thread::sleep(Duration::from_millis(50));
    }
    Ok(format!("{count} produces (acks=all) to all 50"))
}
