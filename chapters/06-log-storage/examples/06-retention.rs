//! Retention deletes a segment that is still being read. What does the reader notice?
//!
//! First a reader that is in the middle of a segment, on the real disk. Then
//! consumers that fall behind, in simulated time: what they skip, by what they do
//! when their offset is gone, and by how long the log keeps its records.
//!
//! `cargo run -p log-storage --example 06-retention`

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, ensure};
use log_storage::{Error, Log, LogConfig, LogView, RealDisk, RetentionLimits, Scan, SegmentCache};
use message_model::{LeaderEpoch, Offset, OffsetRange, Timestamp};
use networking::FileRange;
use record_batch::{BatchBuilder, BatchHeader, RecordToSend, assign_offsets};
use sim_disk::SimDisk;

/// Records per batch; a batch is appended every second.
const RECORDS: i64 = 10;
const BATCHES_PER_SEGMENT: usize = 10;
const MINUTES: i64 = 15;
/// A lag that an operator should hear of, in seconds.
const LAG_TO_TELL: i64 = 30;

fn main() -> Result<()> {
    in_the_middle_of_a_segment()?;
    println!(
        "\n{RECORDS} records a second for {MINUTES} minutes; a new segment every {BATCHES_PER_SEGMENT} seconds\n"
    );
    println!(
        "{:<32} │ {:^25} │ {:^25}",
        "", "away for 3 minutes", "half as fast"
    );
    let columns = format!("{:>7}{:>10}{:>8}", "resets", "skipped", "log");
    println!(
        "{:<20}{:>12} │ {columns} │ {columns}",
        "offset out of range", "retention"
    );
    let minute = Duration::from_mins(1);
    for (name, policy, retention, keep_from) in [
        ("go to earliest", Policy::Earliest, minute, KeepFrom::End),
        ("go to latest", Policy::Latest, minute, KeepFrom::End),
        ("stop and tell", Policy::Stop, minute, KeepFrom::End),
        (
            "go to earliest",
            Policy::Earliest,
            5 * minute,
            KeepFrom::End,
        ),
        ("the log waits", Policy::Stop, minute, KeepFrom::Consumer),
    ] {
        let seconds = format!("{} s", retention.as_secs());
        let away = run(policy, retention, keep_from, away)?;
        let half = run(policy, retention, keep_from, half_as_fast)?;
        println!("{name:<20}{seconds:>12} │ {away} │ {half}");
    }
    println!("\nresets: how often the log no longer had the offset that was asked for");
    println!("log: how many records it had at most\n");
    println!(
        "{:<20}{LAG_TO_TELL:>9} s behind{:>17}{:>19}",
        "retention of 60 s", "a record is gone", "the log says so"
    );
    for (name, pace) in [
        ("away for 3 minutes", away as Pace),
        ("half as fast", half_as_fast),
    ] {
        let seen = run(Policy::Stop, minute, KeepFrom::End, pace)?;
        let [behind, gone, told] = [seen.behind, seen.gone, seen.told]
            .map(|second| second.map_or("never".to_owned(), |second| format!("second {second}")));
        println!("{name:<20}{behind:>18}{gone:>17}{told:>19}");
    }
    Ok(())
}

/// A segment is deleted under three readers of it.
fn in_the_middle_of_a_segment() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let config = config(Duration::from_mins(1));
    let cache = SegmentCache::new(4, 100);
    let mut log = Log::open(Arc::new(RealDisk), dir.path(), config, cache)?.log;
    let mut written = Vec::new();
    for second in 0..30 {
        let batch = batch(log.log_end(), second);
        let header = BatchHeader::read(&batch)?;
        log.append(Timestamp(1_000 * second), &batch, &header)?;
        if log.log_end().0 <= RECORDS * BATCHES_PER_SEGMENT as i64 {
            written.extend_from_slice(&batch);
        }
    }
    let name = dir.path().join("00000000000000000000.log");
    let length = u32::try_from(written.len())?;
    let range = scan(&log.view(), Offset(0))?.file_range(0, length);
    let end = log.log_end();
    apply_retention(&mut log, Timestamp(75_000), end)?;

    println!("a segment is deleted while three readers are at its first batch\n");
    println!("{:<20}it reads", "the reader has");
    let same = read(&range)? == written;
    ensure!(same, "a reader that has the file open reads it to its end");
    println!("{:<20}{length} bytes, all as written", "the open file");
    if let Err(error) = std::fs::read(name) {
        println!("{:<20}{error}", "the file's name");
    }
    if let Err(error) = scan(&log.view(), Offset(0)) {
        println!("{:<20}{error}", "an offset");
    }
    Ok(())
}

/// The batches from `from` on: all steps of the job at once.
fn scan(view: &LogView, from: Offset) -> Result<Scan, Error> {
    let mut locate = view.scan(from);
    loop {
        if let Some(scan) = locate.step()? {
            return Ok(scan);
        }
    }
}

/// Finds where the log may start, saves it, and removes what is below.
fn apply_retention(log: &mut Log, now: Timestamp, keep_from: Offset) -> Result<(), Error> {
    let view = log.view();
    let mut retention = view.retention(now, keep_from);
    let start = loop {
        if let Some(start) = retention.step()? {
            break start;
        }
    };
    if start > view.log_start() {
        view.save_log_start(start)?;
        log.set_log_start(start).remove()?;
    }
    Ok(())
}

fn read(range: &FileRange) -> Result<Vec<u8>> {
    let mut bytes = vec![0; range.length as usize];
    let mut filled = 0;
    while filled < bytes.len() {
        let position = range.position + filled as u64;
        let count = range.file.read_at(&mut bytes[filled..], position)?;
        ensure!(count > 0, "the file is as long as it was");
        filled += count;
    }
    Ok(bytes)
}

/// What a consumer does when the log no longer has the offset that it asks for.
#[derive(Debug, Clone, Copy)]
enum Policy {
    /// It goes on at the log's start.
    Earliest,
    /// It goes on at the log's end.
    Latest,
    /// It stops, and says so.
    Stop,
}

/// What retention must leave alone.
#[derive(Debug, Clone, Copy)]
enum KeepFrom {
    /// Nothing.
    End,
    /// What the consumer has not read.
    Consumer,
}

/// How many batches a consumer can read in a second.
type Pace = fn(i64) -> usize;

/// It stops after two minutes, for three. Then it could read twice as fast as is written.
fn away(second: i64) -> usize {
    if (120..300).contains(&second) { 0 } else { 2 }
}

fn half_as_fast(second: i64) -> usize {
    usize::from(second % 2 == 0)
}

/// A consumer, and what has become of it.
#[derive(Debug)]
struct Consumer {
    policy: Policy,
    position: Offset,
    read: i64,
    skipped: i64,
    resets: u32,
    stopped: bool,
    /// The most records that the log had.
    log_max: i64,
    /// When it was so far behind that an operator should know, in seconds.
    behind: Option<i64>,
    /// When the first record was deleted that it had not read.
    gone: Option<i64>,
    /// When it asked for that one.
    told: Option<i64>,
}

impl std::fmt::Display for Consumer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let skipped = match self.stopped {
            true => "stopped".to_owned(),
            false => self.skipped.to_string(),
        };
        write!(f, "{:>7}{skipped:>10}{:>8}", self.resets, self.log_max)
    }
}

/// What becomes of a consumer in [`MINUTES`], second by second: the producer
/// appends, retention deletes, the consumer reads.
fn run(policy: Policy, retention: Duration, keep_from: KeepFrom, pace: Pace) -> Result<Consumer> {
    let disk = Arc::new(SimDisk::new(0));
    let mut log = Log::open(
        disk,
        Path::new("/visits-0"),
        config(retention),
        SegmentCache::new(4, 100),
    )?
    .log;
    let mut consumer = Consumer::new(policy);
    for second in 0..60 * MINUTES {
        let now = Timestamp(1_000 * second);
        let batch = batch(log.log_end(), second);
        log.append(now, &batch, &BatchHeader::read(&batch)?)?;
        let keep_from = match keep_from {
            KeepFrom::End => log.log_end(),
            KeepFrom::Consumer => consumer.position,
        };
        apply_retention(&mut log, now, keep_from)?;
        consumer.look_at(&log, second);
        for _ in 0..pace(second) {
            consumer.read_batch(&log, second)?;
        }
    }
    let to_come = log.log_end().since(consumer.position);
    ensure!(
        consumer.read + consumer.skipped + to_come == log.log_end().0,
        "every record is read, skipped, or to come"
    );
    Ok(consumer)
}

impl Consumer {
    fn new(policy: Policy) -> Consumer {
        Consumer {
            policy,
            position: Offset(0),
            read: 0,
            skipped: 0,
            resets: 0,
            stopped: false,
            log_max: 0,
            behind: None,
            gone: None,
            told: None,
        }
    }

    /// Notes what a monitor that watches the offsets would see.
    fn look_at(&mut self, log: &Log, second: i64) {
        self.log_max = self.log_max.max(log.log_end().since(log.log_start()));
        if log.log_end().since(self.position) >= RECORDS * LAG_TO_TELL {
            self.behind.get_or_insert(second);
        }
        if log.log_start() > self.position {
            self.gone.get_or_insert(second);
        }
    }

    /// Reads a batch, if there is one; from elsewhere if it has to.
    fn read_batch(&mut self, log: &Log, second: i64) -> Result<()> {
        if self.stopped {
            return Ok(());
        }
        let view = log.view();
        let mut batches = match scan(&view, self.position) {
            Err(Error::OutOfRange { log: held, .. }) => {
                self.resets += 1;
                self.told.get_or_insert(second);
                let Some(to) = self.policy.go_on_at(held) else {
                    self.stopped = true;
                    return Ok(());
                };
                self.skipped += to.since(self.position);
                self.position = to;
                scan(&view, to)?
            }
            other => other?,
        };
        if let Some(batch) = batches.next() {
            let (_, header) = batch?;
            self.read += header.range().end.since(self.position);
            self.position = header.range().end;
        }
        Ok(())
    }
}

impl Policy {
    fn go_on_at(self, held: OffsetRange) -> Option<Offset> {
        match self {
            Policy::Earliest => Some(held.start),
            Policy::Latest => Some(held.end),
            Policy::Stop => None,
        }
    }
}

fn config(retention: Duration) -> LogConfig {
    let segment = BATCHES_PER_SEGMENT * batch(Offset(0), 0).len();
    LogConfig {
        segment_bytes: u32::try_from(segment).unwrap_or(u32::MAX),
        retention: RetentionLimits {
            age: Some(retention),
            bytes: None,
        },
        ..LogConfig::default()
    }
}

fn batch(offset: Offset, second: i64) -> Vec<u8> {
    let mut builder = BatchBuilder::new();
    for index in 0..RECORDS {
        let line = format!("192.0.2.{index} GET /page/{second:05} HTTP/1.1 200 4000");
        builder.push(&RecordToSend {
            timestamp: Timestamp(1_000 * second),
            key: None,
            value: Some(line.as_bytes()),
            headers: vec![],
        });
    }
    let mut batch = builder.build();
    assign_offsets(&mut batch, offset, LeaderEpoch::FIRST);
    batch
}
