//! Many who wait.

use std::thread;
use std::time::Duration;

use anyhow::Result;
use interop::Connection;
use interop::parity::Step;
use interop::requests::{fetch_partition, fetching, produce};

use crate::target::{Attack, Target, one_record};
use interop::Latencies;

const WATCHED: &str = "watched";
const OTHERS: &str = "others";
const OTHER_PARTITIONS: i32 = 1_000;

pub(crate) fn attacks() -> Vec<Attack> {
    vec![
        Attack {
            name: "wake-up-duplicates",
            about: "100 long polls, each naming one partition 20,000 times; then one produce to it.",
            sync_ms: 100,
            settings: &[],
            prepare: |target| target.create(WATCHED, 1, &[]),
            run: duplicates,
        },
        Attack {
            name: "wake-up-expiry",
            about: "10 long polls, each naming one partition 20,000 times, whose time runs out.",
            sync_ms: 100,
            settings: &[],
            prepare: |target| target.create(WATCHED, 1, &[]),
            run: expiry,
        },
        Attack {
            name: "wake-up-honest",
            about: "1,000 consumers of 100 partitions each; produces to one that ten of them watch.",
            sync_ms: 100,
            settings: &[],
            prepare: |target| {
                target.create(WATCHED, 1, &[])?;
                target.create(OTHERS, OTHER_PARTITIONS, &[])
            },
            run: honest,
        },
        Attack {
            name: "wake-up-crowd",
            about: "1,000 consumers of the same 100 partitions wait for 1 MiB; produces to one.",
            sync_ms: 100,
            settings: &[],
            prepare: |target| target.create(OTHERS, OTHER_PARTITIONS, &[]),
            run: crowd,
        },
    ]
}

fn long_poll(
    topic: &str,
    partitions: impl Iterator<Item = i32>,
    offset: i64,
    wait_ms: i32,
) -> Step {
    let partitions = partitions.map(|partition| fetch_partition(partition, offset));
    let request = fetching(topic, partitions.collect()).with_max_wait_ms(wait_ms);
    Step::new(11, &request)
}

fn open_polls(target: &Target, count: usize, poll: &Step) -> Result<Vec<Connection>> {
    let mut open = Vec::new();
    for _ in 0..count {
        let mut connection = target.connect()?;
        connection.send(&poll.frame)?;
        open.push(connection);
    }
    Ok(open)
}

fn duplicates(target: &Target) -> Result<String> {
    let poll = long_poll(WATCHED, (0..20_000).map(|_| 0), 0, 60_000);
    let _open = open_polls(target, 100, &poll)?;
    thread::sleep(Duration::from_secs(1));
    let started = target.now();
    let mut producer = target.connect()?;
    let produced = target.ask(&mut producer, &produce(WATCHED, &one_record(10)));
    let took = target.now().since(started).as_secs_f64() * 1e3;
    target.rest(Duration::ZERO);
    Ok(match produced {
        Ok(_) => format!("the produce took {took:.1} ms"),
        Err(error) => format!("no answer to the produce after {took:.0} ms: {error:#}"),
    })
}

fn expiry(target: &Target) -> Result<String> {
    let poll = long_poll(WATCHED, (0..20_000).map(|_| 0), 0, 1_000);
    let end = target.end();
    let mut rounds = 0;
    while target.now() < end {
        let open = open_polls(target, 10, &poll)?;
        for mut connection in open {
            let _ = connection.receive()?;
        }
        rounds += 1;
    }
    Ok(format!("{rounds} rounds"))
}

fn honest(target: &Target) -> Result<String> {
    // 990 consumers wait for what never comes.
    let mut idle = Vec::new();
    for number in 0..990 {
        let partitions = (0..100).map(move |step| (number * 7 + step) % OTHER_PARTITIONS);
        let poll = long_poll(OTHERS, partitions, 0, 60_000);
        let mut connection = target.connect()?;
        connection.send(&poll.frame)?;
        idle.push(connection);
    }
    let end = target.end();
    let mut watchers = Vec::new();
    for _ in 0..10 {
        let mut connection = target.connect()?;
        watchers.push(thread::spawn(move || {
            for offset in 0.. {
                let step = watcher(offset);
                if connection.exchange(&step).is_err() {
                    return;
                }
            }
        }));
    }
    thread::sleep(Duration::from_millis(500));
    let mut producer = target.connect()?;
    let step = produce(WATCHED, &one_record(10));
    let mut samples = Latencies::default();
    while target.now() < end {
        let started = target.now();
        target.ask(&mut producer, &step)?;
        samples.add(target.now().since(started));
        thread::sleep(Duration::from_millis(5));
    }
    Ok(format!("produce where ten wait: {samples}"))
}

fn crowd(target: &Target) -> Result<String> {
    let partitions = (0..100).map(|partition| fetch_partition(partition, 0));
    let request = fetching(OTHERS, partitions.collect())
        .with_max_wait_ms(60_000)
        .with_min_bytes(1 << 20);
    let _open = open_polls(target, 1_000, &Step::new(11, &request))?;
    thread::sleep(Duration::from_millis(500));
    let mut producer = target.connect()?;
    let step = produce(OTHERS, &one_record(10));
    let end = target.end();
    let mut samples = Latencies::default();
    while target.now() < end {
        let started = target.now();
        target.ask(&mut producer, &step)?;
        samples.add(target.now().since(started));
        thread::sleep(Duration::from_millis(5));
    }
    Ok(format!("produce where all wait: {samples}"))
}

/// A consumer of the watched partition and 99 others.
fn watcher(offset: i64) -> Step {
    let mut request = fetching(OTHERS, (0..99).map(|at| fetch_partition(at, 0)).collect())
        .with_max_wait_ms(60_000);
    request
        .topics
        .extend(fetching(WATCHED, vec![fetch_partition(0, offset)]).topics);
    Step::new(11, &request)
}
