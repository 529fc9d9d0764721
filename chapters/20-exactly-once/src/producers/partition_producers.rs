//! The producers of one partition, as the partition asks about them.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard};

use broker::{ActiveProducer, Check, Ended, PRODUCERS_PER_PIECE, Piece, Producers, Unreadable};
use idempotence::{Limits, Table};
use message_model::{Offset, ProducerEpoch, ProducerId, Timestamp};
use record_batch::{BatchHeader, EndTransaction};
use wire_protocol::ErrorCode;

use super::all_producers::ProducerSettings;
use super::known::Known;
use super::room::Room;
use super::rules::{Rule, Rules};

/// The producers of one partition.
///
/// The partition asks under its writer's lock. The lock in here is against other partitions,
/// which make room.
#[derive(Debug)]
pub(super) struct PartitionProducers {
    rules: Rules,
    room: Arc<Room>,
    known: Arc<Mutex<Known>>,
}

impl PartitionProducers {
    pub(super) fn new(settings: &ProducerSettings, room: &Arc<Room>) -> PartitionProducers {
        let limits = Limits {
            idle_max: settings.expiration,
            piece_max: PRODUCERS_PER_PIECE,
        };
        let table = Table::new(limits, room.turns.clone());
        PartitionProducers {
            rules: settings.rules,
            room: Arc::clone(room),
            known: Arc::new(Mutex::new(Known::new(table))),
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        Known::lock(&self.known)
    }

    fn is_known(&self, producer: ProducerId) -> bool {
        self.known().table.get(producer).is_some()
    }

    /// Returns what `act` makes of what is known, which may change there.
    fn change<T>(&self, act: impl FnOnce(&mut Known) -> T) -> T {
        let mut known = self.known();
        let result = act(&mut known);
        self.room.settle(&self.known, &mut known);
        result
    }

    /// The producer will be noted, and needs room if it is not known.
    fn make_room(&self, producer: ProducerId) {
        if !self.is_known(producer) {
            self.room.make_room(1);
        }
    }
}

impl Producers for PartitionProducers {
    fn check(&mut self, now: Timestamp, batch: &BatchHeader, end: Option<EndTransaction>) -> Check {
        let (producer, epoch) = (batch.producer_id, batch.producer_epoch);
        let check = self.change(|known| {
            let check = known.check(self.rules, batch, end);
            if matches!(check, Check::Duplicate { .. }) {
                // A producer is not silent that sends something again.
                known.seen(now, producer, epoch, None);
            }
            if check == Check::Append && end.is_none() {
                known.tries(batch);
            }
            check
        });
        let not_open = Check::Refuse(ErrorCode::INVALID_TXN_STATE);
        let are_known = self.room.transactions_known.load(Ordering::Relaxed);
        if check == not_open && batch.is_transactional() && !are_known {
            return Check::Refuse(ErrorCode::NOT_ENOUGH_REPLICAS);
        }
        // A marker is always taken: it ends something.
        let takes_room = check == Check::Append && end.is_none() && !self.is_known(producer);
        if takes_room && !self.room.has_room() {
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
        if self.known().has_noted(batch) {
            return None;
        }
        // A marker of a producer that is not known ends nothing here. It fences older instances, as
        // in Kafka, but no other producer is forgotten for it.
        if end.is_some() && !self.is_known(producer) && self.room.is_full() {
            return None;
        }
        self.make_room(producer);
        self.change(|known| known.note(self.rules, at, batch, end))
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
        let is_new = self.rules.has(Rule::Transactions) && !self.known().is_held(producer);
        if is_new && !self.room.has_room_for_open() {
            return Err(ErrorCode::POLICY_VIOLATION);
        }
        if !self.is_known(producer) && !self.room.has_room() {
            return Err(ErrorCode::POLICY_VIOLATION);
        }
        self.make_room(producer);
        self.change(|known| known.begin(self.rules, now, producer, epoch));
        Ok(())
    }

    fn first_unstable(&self) -> Option<Offset> {
        self.known().open.first_unstable()
    }

    fn expire(&mut self, now: Timestamp, after: Option<ProducerId>) -> Option<ProducerId> {
        self.change(|known| known.table.expire(now, after))
    }

    fn snapshot(&self, after: Option<ProducerId>) -> Option<Piece> {
        let piece = self.known().table.snapshot(after)?;
        Some(Piece {
            bytes: piece.bytes,
            last: piece.last,
        })
    }

    fn restore(&mut self, now: Timestamp, piece: &[u8]) -> Result<(), Unreadable> {
        self.change(|known| known.restore(self.rules, now, piece))?;
        self.room.make_room(0);
        Ok(())
    }

    fn describe(&self, after: Option<ProducerId>) -> Vec<ActiveProducer> {
        let known = self.known();
        let next = known.table.piece(after);
        next.map(|(producer, entry)| ActiveProducer {
            producer,
            epoch: entry.window.epoch(),
            last_sequence: entry.kept.last,
            last_timestamp: entry.seen,
            coordinator_epoch: entry.kept.coordinator_epoch,
            transaction_start: entry.kept.transaction.flatten(),
        })
        .collect()
    }
}

impl Drop for PartitionProducers {
    /// The topic is gone, and its producers make room for others.
    fn drop(&mut self) {
        self.room.leave(&mut self.known());
    }
}
