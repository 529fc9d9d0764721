//! Batches to append, and what is in a log.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use disk::Disk;
use log_storage::{Error, Log, LogConfig, LogView, Opened, RetentionLimits, Scan, SegmentCache};
use message_model::{LeaderEpoch, Offset, OffsetRange, Timestamp};
use record_batch::{BatchBuilder, BatchHeader, Opening, RecordToSend, assign_offsets};

/// A job ends within so many steps, or the test fails.
const STEPS_MAX: usize = 100_000;

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
        ..LogConfig::default()
    }
}

/// Opens a log with a cache of its own, of two segments.
pub(crate) fn open(
    disk: impl Disk + 'static,
    dir: &str,
    config: LogConfig,
) -> Result<Opened, Error> {
    open_with(disk, dir, config, 100)
}

/// The same, and so many closed segments may be open until they are on disk.
pub(crate) fn open_with(
    disk: impl Disk + 'static,
    dir: &str,
    config: LogConfig,
    unsynced_max: usize,
) -> Result<Opened, Error> {
    let cache = SegmentCache::new(2, unsynced_max);
    Log::open(Arc::new(disk), Path::new(dir), config, cache)
}

/// Does ahead of an append what the broker does: if a roll is the first one, the name of the
/// first segment is synced; if it finds no room for one more open segment, everything is. `durable` is where the last sync has ended, and is moved.
pub(crate) fn make_room(
    log: &mut Log,
    now: Timestamp,
    batch: &[u8],
    durable: &mut Offset,
) -> Result<(), Error> {
    let rolls = log.rolls_for(now, &header(batch));
    if rolls && log.view().is_unnamed() {
        log.view().sync_name()?;
    }
    if rolls && !log.reserve_open() {
        *durable = log.view().sync(*durable)?;
        log.note_durable(*durable);
    }
    Ok(())
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

/// The header of a batch.
pub(crate) fn header(batch: &[u8]) -> BatchHeader {
    BatchHeader::read(batch).unwrap()
}

/// Appends a batch that has its offsets.
pub(crate) fn append_batch(
    log: &mut Log,
    now: Timestamp,
    batch: &[u8],
) -> Result<OffsetRange, Error> {
    log.append(now, batch, &header(batch))
}

/// Appends a batch of `count` records at the log's end; returns it.
pub(crate) fn append(log: &mut Log, count: usize) -> Vec<u8> {
    let end = log.log_end().0;
    let timestamps: Vec<i64> = (0..count).map(|index| end * 10 + index as i64).collect();
    let batch = batch(end, &timestamps);
    append_batch(log, Timestamp(end), &batch).unwrap();
    batch
}

/// Appends batches of three records until a segment is rolled; returns them, and
/// where the new segment begins.
pub(crate) fn append_until_rolled(log: &mut Log) -> (Vec<(Offset, Vec<u8>)>, Offset) {
    let mut batches = Vec::new();
    for _ in 0..1000 {
        let end = log.log_end();
        let next = batch(end.0, &[end.0 * 10, end.0 * 10 + 1, end.0 * 10 + 2]);
        let rolls = log.rolls_for(Timestamp(end.0), &header(&next));
        batches.push((end, append(log, 3)));
        if rolls {
            return (batches, end);
        }
    }
    panic!("a segment of 1,000 bytes is full at some time");
}

/// Runs a job to its end.
pub(crate) fn run<T>(mut step: impl FnMut() -> Result<Option<T>, Error>) -> Result<T, Error> {
    for _ in 0..STEPS_MAX {
        if let Some(result) = step()? {
            return Ok(result);
        }
    }
    panic!("a job comes to its end");
}

/// The batches from `from` on.
pub(crate) fn scan(view: &LogView, from: Offset) -> Result<Scan, Error> {
    let mut locate = view.scan(from);
    run(|| locate.step())
}

/// With the codecs of chapter 12.
pub(crate) const OPENING: Opening = Opening {
    open: compression::open_batch,
    size_max: 10_000,
};

/// The first record that is as new as `target`.
pub(crate) fn find(view: &LogView, target: i64) -> Result<Option<(Timestamp, Offset)>, Error> {
    let mut find = view.find_timestamp(Timestamp(target), Some(OPENING));
    run(|| find.step())
}

/// Where the log may start.
pub(crate) fn start(view: &LogView, now: Timestamp, keep_from: Offset) -> Result<Offset, Error> {
    let mut retention = view.retention(now, keep_from);
    run(|| retention.step())
}

/// Deletes what may go, as the broker does it; returns how many segments.
pub(crate) fn delete_old(log: &mut Log, now: Timestamp, keep_from: Offset) -> Result<usize, Error> {
    let view = log.view();
    let start = start(&view, now, keep_from)?;
    if start > view.log_start() {
        view.save_log_start(start)?;
    }
    let removed = log.set_log_start(start);
    let count = removed.count();
    removed.remove()?;
    Ok(count)
}

/// All batches from `from` on: the first offset and the bytes of each.
pub(crate) fn read(log: &Log, from: Offset) -> Vec<(Offset, Vec<u8>)> {
    try_read(&log.view(), from).unwrap_or_else(|why| panic!("{why}"))
}

/// The same, or why there are not all of them.
pub(crate) fn try_read(view: &LogView, from: Offset) -> Result<Vec<(Offset, Vec<u8>)>, String> {
    let mut found = Vec::new();
    let mut next = from;
    while next < view.log_end() {
        let mut scan = scan(view, next).map_err(|error| error.to_string())?;
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

fn bytes(scan: &Scan, position: u32, header: &BatchHeader) -> Vec<u8> {
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
