//! The producers of one partition, as the partition asks about them.

use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use broker::{ActiveProducer, Check, Ended, PRODUCERS_PER_PIECE, Piece, Producers, Unreadable};
use message_model::{Offset, ProducerEpoch, ProducerId, Timestamp};
use record_batch::{BatchHeader, EndTransaction};
use wire_protocol::ErrorCode;

use super::all_producers::ProducerSettings;
use super::entry::Entry;
use super::known::Known;
use super::piece;
use super::room::Room;
use super::rules::{Rule, Rules};

/// The producers of one partition.
///
/// The partition asks under its writer's lock. The lock in here is against other partitions,
/// which make room.
#[derive(Debug)]
pub(super) struct PartitionProducers {
    rules: Rules,
    expiration: Duration,
    room: Arc<Room>,
    known: Arc<Mutex<Known>>,
}

impl PartitionProducers {
    pub(super) fn new(settings: &ProducerSettings, room: &Arc<Room>) -> PartitionProducers {
        PartitionProducers {
            rules: settings.rules,
            expiration: settings.expiration,
            room: Arc::clone(room),
            known: Arc::default(),
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().expect("nobody panics under this lock")
    }

    fn is_known(&self, producer: ProducerId) -> bool {
        self.known().entries.contains_key(&producer)
    }

    /// Returns what `act` makes of what is known. The producer has an entry then, whose last
    /// use is this one.
    fn change<T>(
        &self,
        at: Timestamp,
        producer: ProducerId,
        epoch: ProducerEpoch,
        act: impl FnOnce(&mut Known) -> T,
    ) -> T {
        if !self.is_known(producer) {
            self.room.make_room();
        }
        let mut known = self.known();
        let entry = known.entries.entry(producer).or_insert_with(|| {
            self.room.enter();
            Entry::new(epoch, at)
        });
        entry.used = self.room.turn();
        let result = act(&mut known);
        self.settle(&mut known, producer);
        result
    }

    /// Lets a producer go, or holds it, as its transaction wants.
    fn settle(&self, known: &mut Known, producer: ProducerId) {
        let is_open = known.open.is_open(producer);
        let Some(entry) = known.entries.get_mut(&producer) else {
            return;
        };
        match (is_open, entry.place) {
            (true, Some(place)) => {
                self.room.hold(place);
                entry.place = None;
            }
            (false, None) => {
                entry.place = Some(entry.used);
                self.room.let_go(entry.used, &self.known, producer);
            }
            _ => {}
        }
    }

    /// A producer is not silent that sends something again.
    fn stays(&self, now: Timestamp, producer: ProducerId) {
        if let Some(entry) = self.known().entries.get_mut(&producer) {
            entry.seen = now;
            entry.used = self.room.turn();
        }
    }

    fn has_expired(&self, now: Timestamp, seen: Timestamp) -> bool {
        now.since(seen) >= self.expiration
    }
}

impl Producers for PartitionProducers {
    fn check(&mut self, now: Timestamp, batch: &BatchHeader, end: Option<EndTransaction>) -> Check {
        let check = self.known().check(self.rules, batch, end);
        if matches!(check, Check::Duplicate { .. }) {
            self.stays(now, batch.producer_id);
        }
        let is_new = || !self.is_known(batch.producer_id);
        // A marker is always taken: it ends something.
        if check == Check::Append && end.is_none() && is_new() && !self.room.has_room() {
            return Check::Refuse(ErrorCode::POLICY_VIOLATION);
        }
        check
    }

    fn note(
        &mut self,
        at: Timestamp,
        batch: &BatchHeader,
        end: Option<EndTransaction>,
    ) -> Option<Ended> {
        let (producer, epoch) = (batch.producer_id, batch.producer_epoch);
        if producer < ProducerId(0) || epoch < ProducerEpoch::FIRST {
            return None;
        }
        self.change(at, producer, epoch, |known| {
            known.note(self.rules, at, batch, end)
        })
    }

    fn begin(
        &mut self,
        now: Timestamp,
        producer: ProducerId,
        epoch: ProducerEpoch,
    ) -> Result<(), ErrorCode> {
        let is_fenced = self.known().is_fenced(producer, epoch);
        if is_fenced && self.rules.has(Rule::Fence) {
            return Err(ErrorCode::INVALID_PRODUCER_EPOCH);
        }
        if !self.is_known(producer) && !self.room.has_room() {
            return Err(ErrorCode::POLICY_VIOLATION);
        }
        self.change(now, producer, epoch, |known| {
            known.begin(self.rules, now, producer, epoch);
        });
        Ok(())
    }

    fn first_unstable(&self) -> Option<Offset> {
        self.known().open.first_unstable()
    }

    fn expire(&mut self, now: Timestamp, after: Option<ProducerId>) -> Option<ProducerId> {
        let mut known = self.known();
        let Known { entries, open } = &mut *known;
        let mut last = None;
        let mut silent = Vec::new();
        for (producer, entry) in entries.range_mut(behind(after)).take(PRODUCERS_PER_PIECE) {
            last = Some(*producer);
            // The clock may have been set back: then the silence begins now.
            entry.seen = entry.seen.min(now);
            if self.has_expired(now, entry.seen) && !open.is_open(*producer) {
                silent.push(*producer);
            }
        }
        for producer in silent {
            if let Some(entry) = entries.remove(&producer) {
                self.room.leave(entry.place);
            }
        }
        last
    }

    fn snapshot(&self, after: Option<ProducerId>) -> Option<Piece> {
        let known = self.known();
        let next = known.entries.range(behind(after));
        let next: Vec<_> = next.take(PRODUCERS_PER_PIECE).collect();
        let last = **next.last().map(|(producer, _)| producer)?;
        let bytes = piece::encode(&next, &known.open);
        Some(Piece { bytes, last })
    }

    fn restore(&mut self, now: Timestamp, piece: &[u8]) -> Result<(), Unreadable> {
        let restored = piece::decode(piece)?;
        if restored.iter().any(|one| self.is_known(one.producer)) {
            return Err(Unreadable);
        }
        for one in restored {
            let is_open = one.transaction.is_some();
            if !is_open && self.has_expired(now, one.entry.seen) {
                continue;
            }
            let epoch = one.entry.standing.epoch;
            self.change(now, one.producer, epoch, |known| {
                one.put_into(known, self.rules);
            });
        }
        Ok(())
    }

    fn describe(&self, after: Option<ProducerId>) -> Vec<ActiveProducer> {
        let known = self.known();
        let firsts: std::collections::BTreeMap<_, _> = known.open.iter().collect();
        let next = known.entries.range(behind(after)).take(PRODUCERS_PER_PIECE);
        next.map(|(producer, entry)| ActiveProducer {
            producer: *producer,
            epoch: entry.standing.epoch,
            last_sequence: entry.standing.last,
            last_timestamp: entry.seen,
            coordinator_epoch: entry.coordinator_epoch,
            transaction_start: firsts.get(producer).copied().flatten(),
        })
        .collect()
    }
}

impl Drop for PartitionProducers {
    /// The topic is gone, and its producers make room for others.
    fn drop(&mut self) {
        let entries = std::mem::take(&mut self.known().entries);
        for entry in entries.into_values() {
            self.room.leave(entry.place);
        }
    }
}

fn behind(after: Option<ProducerId>) -> (Bound<ProducerId>, Bound<ProducerId>) {
    let from = after.map_or(Bound::Unbounded, Bound::Excluded);
    (from, Bound::Unbounded)
}
