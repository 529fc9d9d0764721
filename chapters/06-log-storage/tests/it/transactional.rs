//! Logs with transactions, as a partition keeps them, and a consumer of committed records.

use std::collections::{BTreeMap, BTreeSet};

use log_storage::{AbortedList, AbortedTransaction, Error, Log, LogConfig, LogView};
use message_model::{LeaderEpoch, Offset, OffsetRange, ProducerEpoch, ProducerId, Timestamp};
use record_batch::{BatchHeader, Codec, EndTransaction, Marker, assign_offsets, layout};
use sim_disk::SimDisk;

use crate::batches::{self, append_batch, run, try_read};
use crate::keyed::{Keyed, Seen, compact_below, keyed_batch, records_of};

/// Of every producer that does not say another one.
pub(crate) const EPOCH: ProducerEpoch = ProducerEpoch(3);

/// What a partition saves to replay less at a start.
#[derive(Debug, Clone, Default)]
pub(crate) struct Snapshot {
    /// It holds what is below.
    pub(crate) offset: Offset,
    pub(crate) open: BTreeMap<ProducerId, Offset>,
}

/// A log, and the transactions that are open in it.
#[derive(Debug)]
pub(crate) struct Partition {
    pub(crate) log: Log,
    /// Where each begins.
    pub(crate) open: BTreeMap<ProducerId, Offset>,
    /// All aborted ones that were noted, by marker.
    pub(crate) aborted: Vec<AbortedTransaction>,
    /// Up to where the snapshot on disk holds, if there is one.
    saved: Option<Offset>,
}

impl Partition {
    /// Opens the log in `/topic-0`, and replays what is above the snapshot.
    pub(crate) fn open(
        disk: &SimDisk,
        config: LogConfig,
        snapshot: &Snapshot,
    ) -> Result<Partition, Error> {
        let log = batches::open(disk.clone(), "/topic-0", config)?.log;
        let mut partition = Partition {
            log,
            open: BTreeMap::new(),
            aborted: Vec::new(),
            saved: None,
        };
        partition.replay(snapshot)?;
        Ok(partition)
    }

    /// Replays what is above the snapshot; all of the log, if the snapshot is of another one.
    pub(crate) fn replay(&mut self, snapshot: &Snapshot) -> Result<(), Error> {
        let (start, end) = (self.log.log_start(), self.log.log_end());
        let holds = snapshot.offset >= start && snapshot.offset <= end;
        let snapshot = snapshot.clone();
        let snapshot = if holds { snapshot } else { Snapshot::default() };
        let from = snapshot.offset.max(start);
        self.saved = Some(snapshot.offset).filter(|offset| *offset > Offset(0));
        self.open = snapshot.open;
        self.aborted.clear();
        self.log.keep_aborted_below(from)?;
        for (_, batch) in try_read(&self.log.view(), from).expect("it can be read") {
            self.note(&batch);
        }
        Ok(())
    }

    /// Saves a snapshot as a partition does.
    pub(crate) fn snapshot(&mut self) -> Result<Snapshot, Error> {
        let view = self.log.view();
        let durable = view.sync(Offset(0))?;
        view.save_recovery_point(durable)?;
        view.save_aborted()?;
        self.saved = Some(durable);
        Ok(Snapshot {
            offset: durable,
            open: self.open.clone(),
        })
    }

    /// The last stable offset.
    pub(crate) fn stable(&self) -> Offset {
        let first = self.open.values().min();
        first.copied().unwrap_or(self.log.log_end())
    }

    /// Appends records of a producer's transaction; without a producer, of no transaction.
    pub(crate) fn data(
        &mut self,
        now: i64,
        producer: Option<i64>,
        records: &[Keyed],
        codec: Codec,
    ) -> Result<Vec<Seen>, Error> {
        let batch = self.batch(now, producer, records, codec);
        self.append(now, &batch)?;
        Ok(records_of(&batch))
    }

    /// The batch that [`data`](Partition::data) appends.
    pub(crate) fn batch(
        &self,
        now: i64,
        producer: Option<i64>,
        records: &[Keyed],
        codec: Codec,
    ) -> Vec<u8> {
        let end = self.log.log_end();
        let mut batch = keyed_batch(end, Timestamp(now), records, codec);
        if let Some(producer) = producer {
            let sequence = i32::try_from(end.0).unwrap();
            transactional(&mut batch, ProducerId(producer), sequence);
        }
        batch
    }

    /// Ends a producer's transaction. Returns the marker's offset.
    pub(crate) fn end(&mut self, now: i64, producer: i64, marker: Marker) -> Result<Offset, Error> {
        self.end_at(now, producer, EPOCH, marker)
    }

    /// The same with an epoch.
    pub(crate) fn end_at(
        &mut self,
        now: i64,
        producer: i64,
        epoch: ProducerEpoch,
        marker: Marker,
    ) -> Result<Offset, Error> {
        let end = EndTransaction {
            marker,
            coordinator_epoch: 5,
        };
        let mut batch = end.batch(Timestamp(now), ProducerId(producer), epoch);
        let offset = self.log.log_end();
        assign_offsets(&mut batch, offset, LeaderEpoch(7));
        self.append(now, &batch)?;
        Ok(offset)
    }

    /// Appends a batch that has its offsets.
    pub(crate) fn append(&mut self, now: i64, batch: &[u8]) -> Result<(), Error> {
        append_batch(&mut self.log, Timestamp(now), batch)?;
        self.note(batch);
        Ok(())
    }

    fn note(&mut self, batch: &[u8]) {
        let header = BatchHeader::read(batch).unwrap();
        let (producer, offset) = (header.producer_id, header.base_offset);
        if !header.is_transactional() {
            return;
        }
        if !header.is_control() {
            self.open.entry(producer).or_insert(offset);
            return;
        }
        let first = self.open.remove(&producer);
        let is_aborted = EndTransaction::read(batch).unwrap().marker == Marker::Abort;
        if let Some(first) = first.filter(|_| is_aborted) {
            let others = self.open.values().min();
            let aborted = AbortedTransaction {
                producer,
                first,
                last: offset,
                last_stable: others.copied().unwrap_or(offset.plus(1)),
            };
            self.log.note_aborted(aborted);
            self.aborted.push(aborted);
        }
    }

    /// Syncs and compacts as the broker does; how far.
    pub(crate) fn compact(&mut self, now: i64, keys: usize) -> Result<Option<Offset>, Error> {
        let stable = self.stable();
        let stable = self.saved.map_or(stable, |saved| saved.min(stable));
        compact_below(&mut self.log, Timestamp(now), keys, stable)
    }

    /// What a consumer of committed records finds from `from` on.
    pub(crate) fn committed(&self, from: Offset) -> Result<Vec<Seen>, String> {
        committed(&self.log.view(), from, self.stable())
    }
}

/// Makes a batch part of a producer's transaction.
pub(crate) fn transactional(batch: &mut [u8], producer: ProducerId, sequence: i32) {
    for (position, bytes) in [
        (layout::PRODUCER_ID, &producer.0.to_be_bytes()[..]),
        (layout::PRODUCER_EPOCH, &EPOCH.0.to_be_bytes()),
        (layout::BASE_SEQUENCE, &sequence.to_be_bytes()),
    ] {
        batch[position..position + bytes.len()].copy_from_slice(bytes);
    }
    batch[layout::ATTRIBUTES + 1] |= 1 << 4;
    let crc = crc32c::crc32c(&batch[layout::ATTRIBUTES..]);
    batch[layout::CRC..layout::ATTRIBUTES].copy_from_slice(&crc.to_be_bytes());
}

/// The aborted transactions of a range.
pub(crate) fn find_aborted(view: &LogView, from: Offset, to: Offset) -> Result<AbortedList, Error> {
    let range = OffsetRange {
        start: from,
        end: to,
    };
    let mut find = view.aborted(range);
    run(|| find.step())
}

/// What a consumer of committed records finds from `from` up to the last stable offset.
pub(crate) fn committed(view: &LogView, from: Offset, stable: Offset) -> Result<Vec<Seen>, String> {
    let from = from.max(view.log_start());
    let list = find_aborted(view, from, stable.max(from)).map_err(|error| error.to_string())?;
    assert_eq!(list.end, stable.max(from), "there are few transactions");
    let mut aborted = list.transactions;
    aborted.sort_by_key(|one| one.first);
    let mut aborted = aborted.into_iter().peekable();
    let mut skipped = BTreeSet::new();
    let mut records = Vec::new();
    for (base, batch) in try_read(view, from)? {
        if base >= stable {
            break;
        }
        let header = BatchHeader::read(&batch).unwrap();
        while let Some(one) = aborted.next_if(|one| one.first < header.range().end) {
            skipped.insert(one.producer);
        }
        if header.is_control() {
            let end = EndTransaction::read(&batch).map_err(|error| error.to_string())?;
            if end.marker == Marker::Abort {
                skipped.remove(&header.producer_id);
            }
        } else if !(header.is_transactional() && skipped.contains(&header.producer_id)) {
            records.extend(records_of(&batch));
        }
    }
    records.retain(|seen| seen.offset >= from);
    Ok(records)
}
