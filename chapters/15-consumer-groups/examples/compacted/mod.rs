//! A compacted log on a simulated disk, which asks the part what survives. Each record is a
//! batch of its own.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use consumer_groups as rule;
use disk::Disk;
use log_storage::{
    Candidate, Cleanup, CompactionConfig, Compactor, DirtySection, Error, Log, LogConfig, Progress,
    SegmentCache,
};
use message_model::{LeaderEpoch, Offset, OffsetRange, Timestamp};
use record_batch::{
    BatchBuilder, BatchHeader, Batches, Opening, RecordToSend, assign_offsets, decode_records,
};
use sim_disk::SimDisk;

pub(crate) const DIR: &str = "/table-0";
/// `delete.retention.ms`.
pub(crate) const DELETE_RETENTION: Duration = Duration::from_secs(10);

/// A record: its key, and its value if it has one.
pub(crate) type Written = (&'static str, Option<u32>);

/// A record in a segment's file: its offset, a text such as `a=1` (or `a∅` without a value), and
/// the delete horizon of its batch.
pub(crate) type Kept = (i64, String, Option<Timestamp>);

/// The part's section, as a log sees it.
#[derive(Debug)]
struct Section(rule::DirtySection);

impl DirtySection for Section {
    fn note(&mut self, offset: Offset, key: Option<&[u8]>) -> bool {
        self.0.note(offset, key)
    }

    fn pass(&mut self, end: Offset) {
        self.0.pass(end);
    }

    fn end(&self) -> Offset {
        self.0.range().end
    }

    fn survives(&self, record: &Candidate<'_>, horizon: Option<Timestamp>, now: Timestamp) -> bool {
        let newest = record.key.and_then(|key| self.0.newest(key));
        let record = rule::Candidate {
            offset: record.offset,
            key: record.key,
            has_value: record.has_value,
        };
        rule::survives(&record, newest, horizon, now)
    }

    fn horizon(
        &self,
        batch: OffsetRange,
        given: Option<Timestamp>,
        next: Timestamp,
    ) -> Option<Timestamp> {
        rule::delete_horizon(self.0.range(), batch, given, next)
    }
}

/// A section that begins with `start` and has room for so many keys.
pub(crate) fn section(start: Offset, keys: usize) -> Box<dyn DirtySection> {
    Box::new(Section(rule::DirtySection::new(start, keys)))
}

/// Opens the log. It is compacted as soon as anything is dirty.
pub(crate) fn open(disk: &SimDisk, segment_bytes: u32) -> Result<Log, Error> {
    let config = LogConfig {
        segment_bytes,
        segment_age: Duration::from_secs(60),
        cleanup: Cleanup {
            delete: false,
            compact: true,
        },
        compaction: CompactionConfig {
            min_dirty_ratio: 0.0,
            delete_retention: DELETE_RETENTION,
            ..CompactionConfig::default()
        },
        ..LogConfig::default()
    };
    let cache = SegmentCache::new(4, 100);
    Ok(Log::open(Arc::new(disk.clone()), Path::new(DIR), config, cache)?.log)
}

/// A new disk with the log's directory on it.
pub(crate) fn new_disk() -> SimDisk {
    let disk = SimDisk::new(15);
    disk.create_dir_all(Path::new(DIR)).expect("it is well");
    disk.sync_dir(Path::new("/")).expect("it is well");
    disk
}

pub(crate) fn append(log: &mut Log, now: Timestamp, (key, value): Written) -> Result<(), Error> {
    let value = value.map(|value| value.to_string());
    let mut builder = BatchBuilder::new();
    builder.push(&RecordToSend {
        timestamp: now,
        key: Some(key.as_bytes()),
        value: value.as_deref().map(str::as_bytes),
        headers: vec![],
    });
    let mut batch = builder.build();
    assign_offsets(&mut batch, log.log_end(), LeaderEpoch::FIRST);
    let header = BatchHeader::read(&batch).expect("a batch of ours");
    log.append(now, &batch, &header)?;
    Ok(())
}

/// What the log is compacted with: these sections, with room for so many keys.
pub(crate) fn compactor(
    section: fn(Offset, usize) -> Box<dyn DirtySection>,
    keys: usize,
) -> Compactor {
    Compactor {
        section,
        memory: keys,
        opening: Opening {
            open: compression::open_batch,
            size_max: 1_000_000,
        },
        close: compression::close_batch,
    }
}

/// One pass, as the broker makes it; whether anything was dirty.
pub(crate) fn compact(log: &mut Log, now: Timestamp, with: Compactor) -> Result<bool, Error> {
    let mut find = log.view().find_dirty(now, log.log_end());
    let dirty = loop {
        if let Some(dirty) = find.step()? {
            break dirty;
        }
    };
    let Some(dirty) = dirty else {
        return Ok(false);
    };
    let mut pass = log.view().compact(with, dirty)?;
    loop {
        match pass.step(now)? {
            None => {}
            Some(Progress::Compacted(_)) => return Ok(true),
            Some(Progress::Rewritten(rewritten)) => {
                let replacement = rewritten.commit()?;
                log.replace(&replacement);
                replacement.forget_old();
            }
        }
    }
}

/// The records in a segment's bytes.
pub(crate) fn records(bytes: &[u8]) -> Vec<Kept> {
    let batches = Batches::new(bytes).map(|batch| batch.expect("it was synced"));
    let kept = batches.flat_map(|(header, batch)| {
        let records = decode_records(batch).expect("it was synced");
        let kept = records.into_iter().map(|record| {
            let text = show(record.key, record.value);
            (header.offset_of(&record).0, text, header.delete_horizon())
        });
        kept.collect::<Vec<_>>()
    });
    kept.collect()
}

fn show(key: Option<&[u8]>, value: Option<&[u8]>) -> String {
    let [key, value] = [key, value].map(|part| part.map(String::from_utf8_lossy));
    let key = key.expect("all have one");
    value.map_or_else(|| format!("{key}∅"), |value| format!("{key}={value}"))
}
