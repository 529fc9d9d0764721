//! What many producers cost a start behind a clean stop.

use std::fs;
use std::time::Duration;

use async_model::Clock;
use mqd_guard::{Mqd, Port};
use wire_protocol::ErrorCode;

use crate::raw::{Raw, batch};
use crate::support::mqd;
use crate::transactions::numbered;

const PRODUCERS: i64 = 1_000;
/// As many batches of each producer as a partition remembers.
const BATCHES_EACH: i32 = 5;
const TOPIC: &str = "t";
/// How often each is started.
const STARTS: usize = 11;

/// A broker whose one topic has `BATCHES_EACH` batches of each producer, or as many of none,
/// of `size` bytes each; it was stopped in order. A start reads the last segment, so there
/// are several.
fn stopped_with(size: usize, has_producers: bool) -> Mqd {
    let segment_bytes = (size * 1_000).to_string();
    let mqd = mqd().set("log.segment.bytes", &segment_bytes);
    let mut mqd = mqd.start().unwrap();
    let mut raw = Raw::connect(&mqd);
    raw.create_topic(TOPIC);
    let value = "x".repeat(size);
    for number in 0..BATCHES_EACH {
        for id in 0..PRODUCERS {
            let batch = match has_producers {
                true => numbered(&value, (id, 0, number), 0),
                false => batch(&[value.as_bytes()]),
            };
            let answer = raw.produce(TOPIC, 1, batch).unwrap();
            assert_eq!(answer.error_code, ErrorCode::NONE);
        }
    }
    assert!(mqd.terminate().unwrap().success(), "{}", mqd.stderr());
    mqd
}

/// What a start has taken.
#[derive(Debug, Clone, Copy)]
struct Start {
    /// System calls that read, and the bytes that they brought.
    reads: u64,
    bytes: u64,
    took: Duration,
}

fn start(mqd: &mut Mqd) -> Start {
    let clock = Clock::start();
    let before = clock.now();
    mqd.restart(Port::Any).unwrap();
    let took = clock.now().since(before);
    let io = fs::read_to_string(format!("/proc/{}/io", mqd.process_id())).unwrap();
    let count = |name: &str| {
        let mut lines = io.lines();
        let line = lines.find_map(|line| line.strip_prefix(name)).unwrap();
        line.parse().unwrap()
    };
    let start = Start {
        reads: count("syscr: "),
        bytes: count("rchar: "),
        took,
    };
    assert_eq!(
        Raw::connect(mqd).log_end(TOPIC),
        PRODUCERS * i64::from(BATCHES_EACH)
    );
    assert!(mqd.terminate().unwrap().success(), "{}", mqd.stderr());
    start
}

fn median(all: impl Iterator<Item = Duration>) -> Duration {
    let mut all: Vec<Duration> = all.collect();
    all.sort();
    all[all.len() / 2]
}

/// Beside what a start without producers reads there is one file, which does not grow with
/// the log.
fn only_the_snapshot_is_read(size: usize) {
    let (mut with, mut without) = (stopped_with(size, true), stopped_with(size, false));
    let path = with
        .data_dir()
        .join(TOPIC.to_owned() + "-0")
        .join("producers");
    let snapshot = fs::metadata(&path).unwrap().len();
    assert!((40_000..400_000).contains(&snapshot), "{snapshot}");
    let mut all = Vec::new();
    for _ in 0..STARTS {
        all.push((start(&mut with), start(&mut without)));
    }
    println!(
        "medians of {STARTS} starts: ready after {:?} with producers, {:?} without",
        median(all.iter().map(|(with, _)| with.took)),
        median(all.iter().map(|(_, without)| without.took))
    );
    let log = PRODUCERS.unsigned_abs() * u64::from(BATCHES_EACH.unsigned_abs()) * size as u64;
    for (with, without) in &all {
        assert!(with.bytes < log / 2, "{all:?}");
        // The starts need not be the same to a byte: they read about their own process too.
        assert!(with.bytes <= without.bytes + snapshot + 4_096, "{all:?}");
        assert!(with.reads <= without.reads + 10, "{all:?}");
    }
    // This is what the numbers look like if the log is read.
    fs::remove_file(path).unwrap();
    let replayed = start(&mut with);
    assert!(
        replayed.reads > all[0].0.reads + 100,
        "{replayed:?}, {all:?}"
    );
}

#[test]
fn a_start_behind_a_clean_stop_reads_no_log_for_a_thousand_producers() {
    only_the_snapshot_is_read(1_100);
}

/// The same with a log of 1 GB. It prints how long a start takes.
///
/// `cargo test --release -p mqd --test it -- --ignored --nocapture a_gigabyte`
#[test]
#[ignore = "writes 2 GB"]
fn a_gigabyte_of_log_and_a_thousand_producers() {
    only_the_snapshot_is_read(215_000);
}
