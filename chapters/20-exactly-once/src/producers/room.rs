//! How many producers the partitions of a broker know together.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard};

use idempotence::Turns;

use super::known::Known;

/// What all partitions know together, and which of them forgets a producer first.
///
/// Each note of a producer has a turn, and turns only grow, whatever the wall clock does. The
/// producer with the lowest one is silent for the longest time. Each partition's table knows
/// its own; the queue has one place for each partition, by the turn of its idlest producer.
/// So that a note costs no lock that all partitions share, a partition keeps its place when
/// the idlest producer was noted again, and gets the right place when it comes to the front.
///
/// # Locks
/// A partition's `Known` comes before the queue.
#[derive(Debug)]
pub(super) struct Room {
    producers_max: usize,
    /// Of the tables of all partitions.
    pub(super) turns: Turns,
    /// Whether all partitions know which transactions are open.
    pub(super) transactions_known: AtomicBool,
    queue: Mutex<Queue>,
}

#[derive(Debug, Default)]
struct Queue {
    /// All producers, also those with open transactions.
    count: usize,
    /// Those with open transactions.
    held: usize,
    /// Each partition that can forget a producer, at a turn at or below that of its idlest one.
    partitions: BTreeMap<Position, Arc<Mutex<Known>>>,
}

/// A turn, and the address of what the partition knows: two snapshots may have the same turn.
type Position = (u64, usize);

/// What the room knows of a partition. The partition holds it, under its own lock.
#[derive(Debug, Default)]
pub(super) struct Place {
    /// How many producers were counted.
    count: usize,
    /// How many of them have open transactions.
    held: usize,
    /// Where the partition is in the queue; `None` if it can forget none.
    position: Option<Position>,
}

impl Room {
    pub(super) fn new(producers_max: usize) -> Room {
        Room {
            producers_max,
            turns: Turns::default(),
            transactions_known: AtomicBool::new(true),
            queue: Mutex::default(),
        }
    }

    /// Returns whether one more producer can be known: there is room, or one that can be
    /// forgotten. Of several partitions that ask at the same time each may hear yes.
    pub(super) fn has_room(&self) -> bool {
        !self.is_full() || !self.queue().partitions.is_empty()
    }

    /// Returns whether one must be forgotten for one more.
    pub(super) fn is_full(&self) -> bool {
        self.queue().count >= self.producers_max
    }

    /// Returns whether one more producer can have an open transaction: such producers, whom
    /// nobody may forget, take half of the room. The other half is for all that come and go,
    /// so that a few requests which name thousands of partitions keep no new producer out.
    pub(super) fn has_room_for_open(&self) -> bool {
        self.queue().held < self.producers_max.div_ceil(2)
    }

    /// Forgets the producers that are silent for the longest time, until there is room for
    /// `new` ones. If all that are left have open transactions, there will be too many.
    // ANCHOR: make_room
    pub(super) fn make_room(&self, new: usize) {
        while let Some((position, known)) = self.first_in_the_way(new) {
            let mut guard = Known::lock(&known);
            if guard.place.position != Some(position) {
                continue;
            }
            // If the idlest producer was noted since, the partition only moves back.
            if guard.table.idlest() == Some(position.0) {
                guard.table.forget_idlest();
            }
            self.put(&known, &mut guard);
        }
    }
    // ANCHOR_END: make_room

    /// Returns the first partition of the queue; `None` if there is room for `new` producers, or
    /// no partition can forget one.
    fn first_in_the_way(&self, new: usize) -> Option<(Position, Arc<Mutex<Known>>)> {
        let queue = self.queue();
        if queue.count + new <= self.producers_max {
            return None;
        }
        let (position, known) = queue.partitions.first_key_value()?;
        Some((*position, Arc::clone(known)))
    }

    /// The partition's producers may have changed: they are counted, and the partition has a
    /// place in the queue if, and only if, it can forget a producer.
    pub(super) fn settle(&self, known: &Arc<Mutex<Known>>, guard: &mut Known) {
        let is_right = match (guard.place.position, guard.table.idlest()) {
            (Some((turn, _)), Some(idlest)) => turn <= idlest,
            (None, None) => true,
            _ => false,
        };
        let place = &guard.place;
        let counted = (place.count, place.held);
        if !is_right || counted != (guard.table.len(), guard.held) {
            self.put(known, guard);
        }
    }

    /// Puts the partition at the turn of its idlest producer, and counts its producers.
    fn put(&self, known: &Arc<Mutex<Known>>, guard: &mut Known) {
        let place = Place {
            count: guard.table.len(),
            held: guard.held,
            position: guard
                .table
                .idlest()
                .map(|turn| (turn, Arc::as_ptr(known).addr())),
        };
        let mut queue = self.queue();
        queue.leave(&guard.place);
        queue.count += place.count;
        queue.held += place.held;
        if let Some(position) = place.position {
            queue.partitions.insert(position, Arc::clone(known));
        }
        guard.place = place;
    }

    /// The partition is gone, and its producers make room for others.
    pub(super) fn leave(&self, guard: &mut Known) {
        self.queue().leave(&std::mem::take(&mut guard.place));
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().expect("nothing panics under this lock")
    }
}

impl Queue {
    fn leave(&mut self, place: &Place) {
        self.count -= place.count;
        self.held -= place.held;
        if let Some(position) = place.position {
            self.partitions.remove(&position);
        }
    }
}
