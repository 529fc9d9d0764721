//! What it costs to know that a batch is on disk.
//!
//! The same batches are appended to a log on the real disk, and synced never, a
//! hundred at a time, ten at a time, or each by itself.
//!
//! `cargo run -p log-storage --example 06-sync-cost [-- DIRECTORY]`

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use async_model::Clock;
use log_storage::{Log, LogConfig, RealDisk, SegmentCache};
use message_model::{LeaderEpoch, Moment, Offset, Timestamp};
use record_batch::{BatchBuilder, BatchHeader, RecordToSend, assign_offsets};

const BATCHES: usize = 400;
const VALUE_SIZE: usize = 1000;

fn main() -> Result<()> {
    let (temp, place) = match std::env::args_os().nth(1) {
        Some(dir) => (
            tempfile::tempdir_in(&dir)?,
            Path::new(&dir).display().to_string(),
        ),
        None => (tempfile::tempdir()?, "the temporary directory".to_owned()),
    };
    println!("{BATCHES} batches of one record of {VALUE_SIZE} bytes, on the disk of {place}\n");
    println!(
        "{:<24}{:>8}{:>14}{:>12}",
        "synced", "syncs", "µs per batch", "slower"
    );
    let mut fastest = None;
    for (name, every) in [
        ("never", usize::MAX),
        ("every 100 batches", 100),
        ("every 10 batches", 10),
        ("every batch", 1),
    ] {
        let (took, syncs) = append(&temp.path().join(name.replace(' ', "-")), every)?;
        let per_batch = took.as_secs_f64() * 1e6 / BATCHES as f64;
        let fastest = *fastest.get_or_insert(per_batch);
        println!(
            "{name:<24}{syncs:>8}{per_batch:>14.1}{:>11.1}×",
            per_batch / fastest
        );
    }
    println!("\nafter a power failure everything behind the last sync may be gone");
    Ok(())
}

/// How long it took to append all batches, and how many syncs it took.
fn append(dir: &Path, every: usize) -> Result<(Duration, usize)> {
    let cache = SegmentCache::new(1, 100);
    let mut log = Log::open(Arc::new(RealDisk), dir, LogConfig::default(), cache)?.log;
    let mut durable = log.log_end();
    let mut syncs = 0;
    let clock = Clock::start();
    for number in 1..=BATCHES {
        let batch = batch(log.log_end());
        log.append(Timestamp(0), &batch, &BatchHeader::read(&batch)?)?;
        if number % every == 0 {
            durable = log.view().sync(durable)?;
            syncs += 1;
        }
    }
    Ok((clock.now().since(Moment::START), syncs))
}

fn batch(offset: Offset) -> Vec<u8> {
    let mut builder = BatchBuilder::new();
    builder.push(&RecordToSend {
        timestamp: Timestamp(0),
        key: None,
        value: Some(&[b'x'; VALUE_SIZE]),
        headers: vec![],
    });
    let mut batch = builder.build();
    assign_offsets(&mut batch, offset, LeaderEpoch::FIRST);
    batch
}
