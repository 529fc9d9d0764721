//! What a crash leaves at the end of a log, and who notices.
//!
//! Eight batches are synced, eight more are not. Then the power fails, in every
//! way that we can think of. Two recoveries look at what is left: one believes
//! the lengths in the headers, the other is the log's, which checks the CRC.
//!
//! `cargo run -p log-storage --example 06-torn-tails`

use std::path::Path;
use std::sync::Arc;

use anyhow::{Result, ensure};
use disk::Disk;
use log_storage::{Log, LogConfig, SegmentCache};
use message_model::{LeaderEpoch, Offset, Timestamp};
use record_batch::{BatchBuilder, BatchHeader, Batches, RecordToSend, assign_offsets};
use sim_disk::{SECTOR_SIZE, SimDisk};

const DIR: &str = "/visits-0";
const SEGMENT: &str = "/visits-0/00000000000000000000.log";
const BATCHES: usize = 16;
const SYNCED: usize = 8;
const RECORDS: i64 = 5;

fn main() -> Result<()> {
    let (disk, batches) = written()?;
    let tail: usize = batches[SYNCED..].iter().map(Vec::len).sum();
    println!(
        "{BATCHES} batches of {RECORDS} records in one segment; the last {} batches, {tail} bytes, were not synced\n",
        BATCHES - SYNCED
    );
    println!(
        "{:<38}{:>8} │ {:^25} │ {:^25}",
        "", "", "by the lengths", "with the CRC"
    );
    println!(
        "{:<38}{:>8} │ {:>12} {:>12} │ {:>12} {:>12}",
        "what the crash left", "crashes", "false", "synced lost", "false", "synced lost"
    );
    for (name, crashes) in [
        ("the file, cut at every byte", cuts(&batches)),
        ("its length, zeros from any byte on", zeros(&batches)),
        ("all of it but one sector", lost_sectors(&batches)),
        ("any sectors, zeros or rubbish between", any_sectors(&disk)),
    ] {
        let mut by_length = Score::default();
        let mut by_crc = Score::default();
        let count = crashes.len();
        for file in crashes {
            by_length.add(&walk_by_length(&file), &batches);
            by_crc.add(&open(&file)?, &batches);
        }
        println!("{name:<38}{count:>8} │ {by_length} │ {by_crc}");
        ensure!(
            by_crc == Score::default(),
            "the log serves what was written and keeps what was synced"
        );
    }
    println!("\nfalse: records served that nobody has written, in all crashes together");
    println!("synced lost: records not served although they were synced");
    Ok(())
}

/// Records that should not have been served, or should have been.
#[derive(Debug, Default, PartialEq, Eq)]
struct Score {
    invented: usize,
    lost: usize,
}

impl Score {
    fn add(&mut self, served: &[Vec<u8>], batches: &[Vec<u8>]) {
        let right = served
            .iter()
            .zip(batches)
            .take_while(|(served, written)| served == written);
        let right = right.count();
        let records = usize::try_from(RECORDS).unwrap_or(0);
        self.invented += (served.len() - right) * records;
        self.lost += SYNCED.saturating_sub(right) * records;
    }
}

impl std::fmt::Display for Score {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:>12} {:>12}", self.invented, self.lost)
    }
}

/// A disk with the log on it, and the batches that were appended.
fn written() -> Result<(SimDisk, Vec<Vec<u8>>)> {
    let disk = SimDisk::new(2019);
    let shared: Arc<dyn Disk> = Arc::new(disk.clone());
    let mut log = open_log(shared)?;
    let mut batches = Vec::new();
    for number in 0..BATCHES {
        let batch = batch(log.log_end());
        log.append(Timestamp(0), &batch, &BatchHeader::read(&batch)?)?;
        batches.push(batch);
        if number + 1 == SYNCED {
            log.view().sync(Offset(0))?;
        }
    }
    Ok((disk, batches))
}

fn open_log(disk: Arc<dyn Disk>) -> Result<Log> {
    let cache = SegmentCache::new(1, 100);
    Ok(Log::open(disk, Path::new(DIR), LogConfig::default(), cache)?.log)
}

fn batch(offset: Offset) -> Vec<u8> {
    let mut builder = BatchBuilder::new();
    for index in 0..RECORDS {
        let line = format!(
            "192.0.2.{index} GET /page/{offset} HTTP/1.1 200 {}",
            4000 + index
        );
        builder.push(&RecordToSend {
            timestamp: Timestamp(1_000 * offset.0),
            key: None,
            value: Some(line.as_bytes()),
            headers: vec![],
        });
    }
    let mut batch = builder.build();
    assign_offsets(&mut batch, offset, LeaderEpoch::FIRST);
    batch
}

/// From where on the file was not synced, in bytes.
fn unsynced_from(batches: &[Vec<u8>]) -> usize {
    batches[..SYNCED].iter().map(Vec::len).sum()
}

fn cuts(batches: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let file = batches.concat();
    let lengths = unsynced_from(batches)..=file.len();
    lengths.map(|length| file[..length].to_vec()).collect()
}

fn zeros(batches: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let file = batches.concat();
    let mut left = cuts(batches);
    for survivor in &mut left {
        survivor.resize(file.len(), 0);
    }
    left
}

fn lost_sectors(batches: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let file = batches.concat();
    let from = unsynced_from(batches);
    let sectors = from / SECTOR_SIZE..file.len().div_ceil(SECTOR_SIZE);
    let lose = |sector: usize| {
        let start = (sector * SECTOR_SIZE).max(from);
        let end = ((sector + 1) * SECTOR_SIZE).min(file.len());
        let mut left = file.clone();
        left[start..end].fill(0);
        left
    };
    sectors.map(lose).collect()
}

fn any_sectors(disk: &SimDisk) -> Vec<Vec<u8>> {
    let crashes = (0..2_000).map(|_| disk.crash());
    crashes.filter_map(|disk| content(&disk)).collect()
}

fn content(disk: &SimDisk) -> Option<Vec<u8>> {
    let mut files = disk.files().into_iter();
    files
        .find(|(path, _)| path == Path::new(SEGMENT))
        .map(|(_, bytes)| bytes)
}

/// The batches in `file`, if their headers are believed.
fn walk_by_length(file: &[u8]) -> Vec<Vec<u8>> {
    let batches = Batches::new(file).map_while(Result::ok);
    batches.map(|(_, batch)| batch.to_vec()).collect()
}

/// The batches that the log finds when it is opened on `file`.
fn open(file: &[u8]) -> Result<Vec<Vec<u8>>> {
    let disk = SimDisk::new(0);
    disk.create_dir_all(Path::new(DIR))?;
    disk.create(Path::new(SEGMENT))?.write_all_at(file, 0)?;
    let shared: Arc<dyn Disk> = Arc::new(disk.clone());
    let log = open_log(shared)?;
    let left = content(&disk).unwrap_or_default();
    let batches = walk_by_length(&left);
    ensure!(
        batches.len() as i64 * RECORDS == log.log_end().0,
        "it serves what is left"
    );
    Ok(batches)
}
