//! Logs of records with keys, and what a consumer must find in them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use consumer_groups_solution as rule;
use log_storage::{
    Candidate, Cleanup, CompactionConfig, Compactor, Dirty, DirtySection, Error, Log, LogConfig,
    LogView, Progress,
};
use message_model::{LeaderEpoch, Offset, OffsetRange, Timestamp};
use record_batch::{
    BatchBuilder, BatchHeader, Codec, Opening, RecordToSend, assign_offsets, decode_records,
};

use crate::batches::{append_batch, run, small, try_read};

/// `delete.retention.ms` of these logs.
pub(crate) const RETENTION: i64 = 1_000;

/// Chapter 15's rule.
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

/// What a pass works with; its section holds so many keys.
pub(crate) fn compactor(keys: usize) -> Compactor {
    Compactor {
        section: |start, keys| Box::new(Section(rule::DirtySection::new(start, keys))),
        memory: keys,
        opening: Opening {
            open: compression::open_batch,
            size_max: 1_000_000,
        },
        close: compression::close_batch,
    }
}

/// Segments of 1,000 bytes; compacted as soon as anything is dirty.
pub(crate) fn compacted() -> LogConfig {
    LogConfig {
        cleanup: Cleanup {
            delete: false,
            compact: true,
        },
        compaction: CompactionConfig {
            min_dirty_ratio: 0.0,
            delete_retention: Duration::from_millis(RETENTION.unsigned_abs()),
            ..CompactionConfig::default()
        },
        ..small()
    }
}

/// A record: its key, and its value if it has one.
pub(crate) type Keyed = (&'static str, Option<u32>);

/// What a consumer sees of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) offset: Offset,
    pub(crate) timestamp: Timestamp,
    pub(crate) key: Vec<u8>,
    pub(crate) value: Option<Vec<u8>>,
}

/// A batch with offsets from `offset` on.
pub(crate) fn keyed_batch(
    offset: Offset,
    now: Timestamp,
    records: &[Keyed],
    codec: Codec,
) -> Vec<u8> {
    let mut builder = BatchBuilder::new();
    for (index, (key, value)) in records.iter().enumerate() {
        // Long enough to be worth compressing, and a name that is not UTF-8 is Kafka's too.
        let value = value.map(|value| format!("value {value:030}"));
        builder.push(&RecordToSend {
            timestamp: Timestamp(now.0 + index as i64 % 3),
            key: Some(key.as_bytes()),
            value: value.as_deref().map(str::as_bytes),
            headers: vec![],
        });
    }
    let mut batch = builder.build();
    if codec != Codec::None {
        batch = compression::close_batch(&batch, codec);
    }
    assign_offsets(&mut batch, offset, LeaderEpoch(7));
    batch
}

/// Appends one, and returns its records.
pub(crate) fn append_keyed(
    log: &mut Log,
    now: Timestamp,
    records: &[Keyed],
    codec: Codec,
) -> Result<Vec<Seen>, Error> {
    let batch = keyed_batch(log.log_end(), now, records, codec);
    append_batch(log, now, &batch)?;
    Ok(records_of(&batch))
}

/// The records of a batch.
pub(crate) fn records_of(batch: &[u8]) -> Vec<Seen> {
    let header = BatchHeader::read(batch).unwrap();
    let open = compression::open_batch(&header, batch, 1_000_000).unwrap();
    let records = decode_records(&open).unwrap().into_iter();
    let seen = records.map(|record| Seen {
        offset: header.offset_of(&record),
        timestamp: header.timestamp_of(&record),
        key: record.key.unwrap().to_vec(),
        value: record.value.map(<[u8]>::to_vec),
    });
    seen.collect()
}

/// The records of a log from `from` on.
pub(crate) fn try_records(view: &LogView, from: Offset) -> Result<Vec<Seen>, String> {
    let batches = try_read(view, from)?;
    let all = batches.iter().flat_map(|(_, batch)| records_of(batch));
    Ok(all.filter(|seen| seen.offset >= from).collect())
}

/// The same of a log that can be read.
pub(crate) fn records(log: &Log) -> Vec<Seen> {
    try_records(&log.view(), log.log_start()).unwrap_or_else(|why| panic!("{why}"))
}

/// What is dirty in a log without transactions, if anything.
pub(crate) fn dirty(log: &Log, now: Timestamp) -> Result<Option<Dirty>, Error> {
    let mut find = log.view().find_dirty(now, log.log_end());
    run(|| find.step())
}

/// Syncs and compacts a log as the broker does; how far.
pub(crate) fn compact(log: &mut Log, now: Timestamp, keys: usize) -> Result<Option<Offset>, Error> {
    compact_below(log, now, keys, log.log_end())
}

/// The same with a last stable offset.
pub(crate) fn compact_below(
    log: &mut Log,
    now: Timestamp,
    keys: usize,
    stable: Offset,
) -> Result<Option<Offset>, Error> {
    log.view().sync(Offset(0))?;
    let mut find = log.view().find_dirty(now, stable);
    let dirty = run(|| find.step())?;
    let Some(dirty) = dirty.filter(|dirty| dirty.is_due) else {
        return Ok(None);
    };
    let mut pass = log.view().compact(compactor(keys), dirty)?;
    loop {
        match run(|| pass.step(now))? {
            Progress::Compacted(end) => return Ok(Some(end)),
            Progress::Rewritten(rewritten) => {
                assert!(log.view().holds(&rewritten));
                let replacement = rewritten.commit()?;
                log.replace(&replacement);
                replacement.forget_old();
            }
        }
    }
}

/// All records that a log was ever given, and since when a tombstone's key has nothing older.
#[derive(Debug, Clone, Default)]
pub(crate) struct History {
    pub(crate) all: Vec<Seen>,
    /// When the last pass was.
    pub(crate) now: i64,
    /// By the tombstone's offset: whether it had been so before `now`, as far as was looked.
    alone_since: BTreeMap<Offset, Timestamp>,
}

impl History {
    /// Holds what a consumer finds against what was appended.
    pub(crate) fn check(&mut self, view: &LogView, now: Timestamp, what: &str) {
        let end = view.log_end();
        self.all.retain(|seen| seen.offset < end);
        let read = |from: Offset| try_records(view, from.max(view.log_start()));
        self.check_read(read, end, now, what);
    }

    /// The same for a consumer that reads up to `end` with `read`, which gets where to begin.
    pub(crate) fn check_read(
        &mut self,
        read: impl Fn(Offset) -> Result<Vec<Seen>, String>,
        end: Offset,
        now: Timestamp,
        what: &str,
    ) {
        let found = read(Offset(0)).unwrap_or_else(|why| panic!("{what}: {why}"));
        let ascends = found.windows(2).all(|pair| pair[0].offset < pair[1].offset);
        assert!(ascends, "{what}: offsets ascend");
        let known: BTreeMap<Offset, &Seen> =
            self.all.iter().map(|seen| (seen.offset, seen)).collect();
        for seen in &found {
            assert_eq!(
                known.get(&seen.offset),
                Some(&seen),
                "{what}: as it was appended"
            );
        }
        let newest: BTreeMap<&[u8], &Seen> =
            self.all.iter().map(|seen| (&seen.key[..], seen)).collect();
        let offsets: BTreeSet<Offset> = found.iter().map(|seen| seen.offset).collect();
        for (key, newest) in newest {
            let is_there = offsets.contains(&newest.offset);
            let is_alone = !found
                .iter()
                .any(|seen| seen.key == key && seen.offset < newest.offset);
            if newest.value.is_some() {
                assert!(is_there, "{what}: the newest value of each key: {newest:?}");
                continue;
            }
            let since = *self
                .alone_since
                .entry(newest.offset)
                .or_insert(if is_alone { now } else { Timestamp(i64::MAX) });
            if since.0 == i64::MAX && is_alone {
                self.alone_since.insert(newest.offset, now);
            }
            if !is_there {
                assert!(is_alone, "{what}: a deleted key comes back: {newest:?}");
                let age = now.0.saturating_sub(since.0);
                assert!(age >= RETENTION, "{what}: gone after {age} ms: {newest:?}");
            }
        }
        // Three of all offsets, and others the next time.
        for from in [end.0 / 5, end.0 / 2, end.0 - end.0 % 7].map(Offset) {
            let suffix = read(from);
            let suffix = suffix.unwrap_or_else(|why| panic!("{what}, from {from}: {why}"));
            let expected = found.iter().filter(|seen| seen.offset >= from);
            assert!(suffix.iter().eq(expected), "{what}: from {from}");
        }
    }
}
