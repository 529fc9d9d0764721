//! Rules for producers as the tests need them: simple, slow, and looked into from outside.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use broker::{
    ActiveProducer, Check, Ended, PRODUCERS_PER_PIECE, Piece, ProducerRules, Producers, Unreadable,
};
use message_model::{Offset, OffsetRange, ProducerEpoch, ProducerId, Timestamp, TopicPartition};
use record_batch::{BatchHeader, EndTransaction, Marker, layout};
use serde::{Deserialize, Serialize};
use wire_protocol::ErrorCode;

use crate::support::{batch, mend};

/// So few producers are in a piece, so that a handful makes several.
const PER_PIECE: usize = 2;
const _: () = assert!(PER_PIECE <= PRODUCERS_PER_PIECE);

/// A producer that was silent for longer is forgotten.
pub(crate) const EXPIRATION: Duration = Duration::from_secs(3600);

/// How many batches of a producer are remembered.
const WINDOW: usize = 5;

/// What is known about a partition's producers, by id.
pub(crate) type Known = BTreeMap<i64, Producer>;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Producer {
    pub(crate) epoch: i16,
    /// First and last sequence number, base offset, largest timestamp.
    pub(crate) batches: Vec<(i32, i32, i64, i64)>,
    /// The last offset that was noted.
    noted: i64,
    at: i64,
    begun: bool,
    pub(crate) open: Option<i64>,
    coordinator_epoch: Option<i32>,
}

impl Producer {
    fn new(epoch: i16, at: i64) -> Producer {
        Producer {
            epoch,
            batches: Vec::new(),
            noted: -1,
            at,
            begun: false,
            open: None,
            coordinator_epoch: None,
        }
    }

    pub(crate) fn is_in_the_log(&self) -> bool {
        self.noted >= 0
    }

    /// That a transaction has begun is not in the log, only in a snapshot.
    pub(crate) fn forget_begin(&mut self) {
        self.begun = false;
    }
}

/// The rules, and what they know of each partition.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    partitions: Mutex<BTreeMap<String, Arc<Mutex<Known>>>>,
}

/// What a batch says of its producer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sent {
    pub(crate) producer: i64,
    pub(crate) epoch: i16,
    /// The sequence number of its first record.
    pub(crate) first: i32,
    pub(crate) transactional: bool,
}

impl Sent {
    /// A batch of a producer in its first epoch, outside of a transaction.
    pub(crate) fn new(producer: i64, first: i32) -> Sent {
        Sent {
            producer,
            epoch: 0,
            first,
            transactional: false,
        }
    }

    pub(crate) fn in_transaction(self) -> Sent {
        Sent {
            transactional: true,
            ..self
        }
    }

    /// The batch with these values.
    pub(crate) fn batch(self, values: &[&str]) -> Vec<u8> {
        self.stamp(batch(values))
    }

    /// The batch, as this producer sends it.
    pub(crate) fn stamp(self, mut batch: Vec<u8>) -> Vec<u8> {
        let mut put = |at: usize, bytes: &[u8]| {
            batch[at..at + bytes.len()].copy_from_slice(bytes);
        };
        let attributes = if self.transactional { 1_i16 << 4 } else { 0 };
        put(layout::ATTRIBUTES, &attributes.to_be_bytes());
        put(layout::PRODUCER_ID, &self.producer.to_be_bytes());
        put(layout::PRODUCER_EPOCH, &self.epoch.to_be_bytes());
        put(layout::BASE_SEQUENCE, &self.first.to_be_bytes());
        mend(&mut batch);
        batch
    }
}

impl Rules {
    /// What is known of partition 0 of `t`, but for the times, of which a log has others.
    pub(crate) fn known(&self) -> Known {
        let partitions = self.partitions.lock().unwrap();
        let mut known = partitions["t-0"].lock().unwrap().clone();
        for producer in known.values_mut() {
            producer.at = 0;
        }
        known
    }
}

#[derive(Debug)]
struct OfPartition {
    known: Arc<Mutex<Known>>,
    /// The first offsets of open transactions.
    open: BTreeSet<i64>,
}

impl ProducerRules for Rules {
    fn of_partition(&self, partition: &TopicPartition) -> Box<dyn Producers> {
        let known = Arc::default();
        let mut partitions = self.partitions.lock().unwrap();
        partitions.insert(partition.to_string(), Arc::clone(&known));
        Box::new(OfPartition {
            known,
            open: BTreeSet::new(),
        })
    }

    fn transactions_known(&self, _are_known: bool) {}
}

fn last_sequence(batch: &BatchHeader) -> i32 {
    batch.base_sequence + batch.last_offset_delta
}

impl Producers for OfPartition {
    fn check(
        &mut self,
        _now: Timestamp,
        batch: &BatchHeader,
        end: Option<EndTransaction>,
    ) -> Check {
        let known = self.known.lock().unwrap();
        let Some(producer) = known.get(&batch.producer_id.0) else {
            return match batch.is_transactional() && end.is_none() {
                true => Check::Refuse(ErrorCode::INVALID_TXN_STATE),
                false => Check::Append,
            };
        };
        if batch.producer_epoch.0 < producer.epoch {
            return Check::Refuse(ErrorCode::INVALID_PRODUCER_EPOCH);
        }
        if end.is_some() {
            return Check::Append;
        }
        let numbers = (batch.base_sequence, last_sequence(batch));
        let mut batches = producer.batches.iter();
        if let Some((.., base, timestamp)) =
            batches.find(|(first, last, ..)| (*first, *last) == numbers)
        {
            let end = base + i64::from(batch.last_offset_delta) + 1;
            return Check::Duplicate {
                range: OffsetRange {
                    start: Offset(*base),
                    end: Offset(end),
                },
                timestamp: Timestamp(*timestamp),
            };
        }
        let last = producer.batches.last();
        if last.is_some_and(|(_, last, ..)| batch.base_sequence != last + 1) {
            return Check::Refuse(ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER);
        }
        match batch.is_transactional() && !producer.begun && producer.open.is_none() {
            true => Check::Refuse(ErrorCode::INVALID_TXN_STATE),
            false => Check::Append,
        }
    }

    fn note(
        &mut self,
        at: Timestamp,
        batch: &BatchHeader,
        end: Option<EndTransaction>,
    ) -> Option<Ended> {
        let mut known = self.known.lock().unwrap();
        let epoch = batch.producer_epoch.0;
        let id = batch.producer_id;
        let new = || Producer::new(epoch, at.0);
        let producer = known.entry(id.0).or_insert_with(new);
        let range = batch.range();
        if range.end.0 - 1 <= producer.noted {
            return None;
        }
        producer.noted = range.end.0 - 1;
        producer.at = at.0;
        if epoch > producer.epoch {
            producer.epoch = epoch;
            producer.batches.clear();
        }
        if let Some(end) = end {
            producer.begun = false;
            producer.coordinator_epoch = Some(end.coordinator_epoch);
            let first = producer.open.take();
            first.map(|first| self.open.remove(&first));
            let first = first.map(Offset).filter(|_| end.marker == Marker::Abort);
            return first.map(|first| Ended {
                producer: id,
                first,
            });
        }
        if batch.is_transactional() {
            let first = *producer.open.get_or_insert(range.start.0);
            self.open.insert(first);
        }
        let numbers = (batch.base_sequence, last_sequence(batch));
        let newest = batch.newest().0;
        producer
            .batches
            .push((numbers.0, numbers.1, range.start.0, newest));
        if producer.batches.len() > WINDOW {
            producer.batches.remove(0);
        }
        None
    }

    fn begin(
        &mut self,
        now: Timestamp,
        producer: ProducerId,
        epoch: ProducerEpoch,
    ) -> Result<(), ErrorCode> {
        let mut known = self.known.lock().unwrap();
        let new = || Producer::new(epoch.0, now.0);
        let producer = known.entry(producer.0).or_insert_with(new);
        if epoch.0 < producer.epoch {
            return Err(ErrorCode::INVALID_PRODUCER_EPOCH);
        }
        producer.begun = true;
        Ok(())
    }

    fn first_unstable(&self) -> Option<Offset> {
        self.open.first().copied().map(Offset)
    }

    fn expire(&mut self, now: Timestamp, after: Option<ProducerId>) -> Option<ProducerId> {
        let mut known = self.known.lock().unwrap();
        let looked_at: Vec<i64> = behind(&known, after).map(|(id, _)| *id).collect();
        for id in &looked_at {
            let producer = &known[id];
            let is_silent = now.since(Timestamp(producer.at)) > EXPIRATION;
            if is_silent && producer.open.is_none() {
                known.remove(id);
            }
        }
        looked_at.last().copied().map(ProducerId)
    }

    fn snapshot(&self, after: Option<ProducerId>) -> Option<Piece> {
        let known = self.known.lock().unwrap();
        let piece: Vec<(&i64, &Producer)> = behind(&known, after).collect();
        let (last, _) = piece.last()?;
        Some(Piece {
            bytes: serde_json::to_vec(&piece).unwrap(),
            last: ProducerId(**last),
        })
    }

    fn restore(&mut self, _now: Timestamp, piece: &[u8]) -> Result<(), Unreadable> {
        let piece: Vec<(i64, Producer)> = serde_json::from_slice(piece).map_err(|_| Unreadable)?;
        self.open
            .extend(piece.iter().filter_map(|(_, producer)| producer.open));
        self.known.lock().unwrap().extend(piece);
        Ok(())
    }

    fn describe(&self, after: Option<ProducerId>) -> Vec<ActiveProducer> {
        let known = self.known.lock().unwrap();
        let active = |(id, producer): (&i64, &Producer)| ActiveProducer {
            producer: ProducerId(*id),
            epoch: ProducerEpoch(producer.epoch),
            last_sequence: producer.batches.last().map(|(_, last, ..)| *last),
            last_timestamp: Timestamp(producer.at),
            coordinator_epoch: producer.coordinator_epoch,
            transaction_start: producer.open.map(Offset),
        };
        behind(&known, after).map(active).collect()
    }
}

/// The next producers behind `after`.
fn behind(known: &Known, after: Option<ProducerId>) -> impl Iterator<Item = (&i64, &Producer)> {
    let first = after.map_or(i64::MIN, |after| after.0 + 1);
    known.range(first..).take(PER_PIECE)
}
