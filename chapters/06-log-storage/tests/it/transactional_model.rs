//! What became of each record of a log with transactions, and what a consumer must find.

use std::collections::BTreeMap;

use log_storage::Error;
use message_model::{Offset, ProducerId, Timestamp};
use record_batch::{Codec, Marker};

use crate::batches::try_read;
use crate::keyed::{History, Keyed, Seen};
use crate::transactional::Partition;

/// A record that was appended.
#[derive(Debug, Clone)]
struct Appended {
    seen: Seen,
    /// Whose transaction it is in, if any.
    producer: Option<i64>,
    /// How that ended, and where the marker is.
    ended: Option<(Marker, Offset)>,
}

/// All records that a log was ever given.
#[derive(Debug, Clone, Default)]
pub(crate) struct Model {
    records: BTreeMap<Offset, Appended>,
    /// Since when tombstones have nothing older.
    history: History,
}

impl Model {
    /// Appends records, of a producer's transaction if there is one. Also when that fails, a
    /// crash may leave them.
    pub(crate) fn data(
        &mut self,
        partition: &mut Partition,
        now: i64,
        (producer, records): (Option<i64>, &[Keyed]),
        codec: Codec,
    ) -> Result<(), Error> {
        let batch = partition.batch(now, producer, records, codec);
        for seen in crate::keyed::records_of(&batch) {
            let appended = Appended {
                seen,
                producer,
                ended: None,
            };
            self.records.insert(appended.seen.offset, appended);
        }
        partition.append(now, &batch)
    }

    /// Ends a producer's transaction.
    pub(crate) fn end(
        &mut self,
        partition: &mut Partition,
        now: i64,
        producer: i64,
        marker: Marker,
    ) -> Result<(), Error> {
        let offset = partition.log.log_end();
        for record in self.records.values_mut() {
            if record.producer == Some(producer) && record.ended.is_none() {
                record.ended = Some((marker, offset));
            }
        }
        partition.end(now, producer, marker)?;
        Ok(())
    }

    /// Forgets what a crash has cut off: a transaction whose marker is gone is open again.
    pub(crate) fn cut(&mut self, end: Offset) {
        self.records.retain(|offset, _| *offset < end);
        for record in self.records.values_mut() {
            record.ended = record.ended.filter(|(_, marker)| *marker < end);
        }
    }

    /// Holds what a consumer of committed records finds against what was appended. A copy of
    /// the model that is cut where the log ends comes back.
    pub(crate) fn check(&self, partition: &Partition, now: i64, what: &str) -> Model {
        let mut model = self.clone();
        model.cut(partition.log.log_end());
        let mut open: BTreeMap<ProducerId, Offset> = BTreeMap::new();
        for (offset, record) in &model.records {
            if let (Some(producer), None) = (record.producer, record.ended) {
                open.entry(ProducerId(producer)).or_insert(*offset);
            }
        }
        let start = partition.log.log_start();
        if open.values().all(|first| *first >= start) {
            assert_eq!(partition.open, open, "{what}: transactions that are open");
        }
        let stable = partition.stable();
        let is_visible = |one: &&Appended| {
            let is_committed = matches!(one.ended, Some((Marker::Commit, _)));
            one.seen.offset < stable && (one.producer.is_none() || is_committed)
        };
        let visible = model.records.values().filter(is_visible);
        model.history.all = visible.map(|one| one.seen.clone()).collect();
        let read = |from| partition.committed(from);
        let mut history = model.history.clone();
        if start == Offset(0) {
            history.check_read(read, stable, Timestamp(now), what);
        }
        model.history = history;
        let behind = try_read(&partition.log.view(), stable.max(start));
        let behind = behind.unwrap_or_else(|why| panic!("{what}: {why}"));
        let whole = behind.iter().map(|(base, _)| *base);
        let untouched = model.records.range(stable.max(start)..);
        for offset in untouched.map(|(offset, _)| *offset) {
            let batch = whole.clone().rfind(|base| *base <= offset);
            let (_, batch) = behind
                .iter()
                .find(|(base, _)| Some(*base) == batch)
                .unwrap();
            let found = crate::keyed::records_of(batch);
            assert!(
                found.contains(&model.records[&offset].seen),
                "{what}: {offset} is above the last stable offset"
            );
        }
        model
    }
}
