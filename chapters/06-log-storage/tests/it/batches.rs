//! Batches to append, and what is in a log.

use log_storage::{Log, LogConfig, RetentionLimits};
use message_model::{LeaderEpoch, Offset, Timestamp};
use record_batch::{BatchBuilder, BatchHeader, RecordToSend, assign_offsets};
use std::time::Duration;

/// Segments of 1,000 bytes, an index entry every 200.
pub(crate) fn small() -> LogConfig {
    LogConfig {
        segment_bytes: 1000,
        segment_age: Duration::from_secs(3600),
        index_interval_bytes: 200,
        batch_size_max: 10_000,
        retention: RetentionLimits {
            age: None,
            bytes: None,
        },
    }
}

/// A batch that begins with `offset`; one record per timestamp.
pub(crate) fn batch(offset: i64, timestamps: &[i64]) -> Vec<u8> {
    let mut builder = BatchBuilder::new();
    for (index, timestamp) in timestamps.iter().enumerate() {
        let value = format!("record {index} of the batch at {offset}");
        builder.push(&RecordToSend {
            timestamp: Timestamp(*timestamp),
            key: None,
            value: Some(value.as_bytes()),
            headers: vec![],
        });
    }
    let mut batch = builder.build();
    assign_offsets(&mut batch, Offset(offset), LeaderEpoch::FIRST);
    batch
}

/// Appends a batch of `count` records at the log's end; returns it.
pub(crate) fn append(log: &mut Log, count: usize) -> Vec<u8> {
    let end = log.log_end().0;
    let timestamps: Vec<i64> = (0..count).map(|index| end * 10 + index as i64).collect();
    let batch = batch(end, &timestamps);
    log.append(Timestamp(end), &batch).unwrap();
    batch
}

/// All batches from `from` on: the first offset and the bytes of each.
pub(crate) fn read(log: &Log, from: Offset) -> Vec<(Offset, Vec<u8>)> {
    try_read(log, from).unwrap_or_else(|why| panic!("{why}"))
}

/// The same, or why there are not all of them.
pub(crate) fn try_read(log: &Log, from: Offset) -> Result<Vec<(Offset, Vec<u8>)>, String> {
    let mut found = Vec::new();
    let mut next = from;
    while next < log.log_end() {
        let mut scan = log.scan(next).map_err(|error| error.to_string())?;
        let mut moved = false;
        while let Some(one) = scan.next() {
            let (position, header) = one.map_err(|error| error.to_string())?;
            found.push((header.base_offset, bytes(&scan, position, &header)));
            next = header.range().end;
            moved = true;
        }
        if !moved {
            return Err(format!("the log has no batch at or above {next}"));
        }
    }
    Ok(found)
}

fn bytes(scan: &log_storage::Scan, position: u32, header: &BatchHeader) -> Vec<u8> {
    let range = scan.file_range(position, u32::try_from(header.size()).unwrap());
    let mut bytes = vec![0; range.length as usize];
    let mut filled = 0;
    while filled < bytes.len() {
        let count = range
            .file
            .read_at(&mut bytes[filled..], range.position + filled as u64)
            .unwrap();
        assert!(count > 0, "the range lies in the file");
        filled += count;
    }
    bytes
}
