//! How many producers the partitions of a broker know together.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Weak};

use message_model::ProducerId;

use super::known::Known;

/// What all partitions know together, and which producer is forgotten first.
///
/// Each use of a producer has a turn, and turns only grow, whatever the wall clock does. The
/// producer with the lowest one is silent for the longest time. So that a use costs no lock
/// that all partitions share, a producer keeps the place of an earlier turn in the queue,
/// and gets its right place when it comes to the front.
///
/// # Locks
/// A partition's `Known` comes before the queue.
#[derive(Debug)]
pub(super) struct Room {
    producers_max: usize,
    turns: AtomicU64,
    queue: Mutex<Queue>,
}

#[derive(Debug, Default)]
struct Queue {
    /// All producers, also those with open transactions.
    count: usize,
    /// Those that may be forgotten, by the turn of a use; it may be used since.
    idle: BTreeMap<u64, Place>,
}

/// A producer of a partition.
#[derive(Debug)]
struct Place {
    known: Weak<Mutex<Known>>,
    producer: ProducerId,
}

impl Room {
    pub(super) fn new(producers_max: usize) -> Room {
        Room {
            producers_max,
            turns: AtomicU64::new(0),
            queue: Mutex::default(),
        }
    }

    /// Returns the turn of a use.
    pub(super) fn turn(&self) -> u64 {
        self.turns.fetch_add(1, Ordering::Relaxed)
    }

    /// Returns whether one more producer can be known: there is room, or one that can be
    /// forgotten. Of several partitions that ask at the same time each may hear yes.
    pub(super) fn has_room(&self) -> bool {
        let queue = self.queue();
        queue.count < self.producers_max || !queue.idle.is_empty()
    }

    /// Forgets the producers that are silent for the longest time, until there is room for
    /// one. If all have open transactions, none is forgotten, and there will be one too many.
    // ANCHOR: make_room
    pub(super) fn make_room(&self) {
        loop {
            let (turn, place) = {
                let mut queue = self.queue();
                if queue.count < self.producers_max {
                    return;
                }
                match queue.idle.pop_first() {
                    Some(first) => first,
                    None => return,
                }
            };
            let Some(known) = place.known.upgrade() else {
                continue;
            };
            let mut known = known.lock().expect("nobody panics under this lock");
            let Some(entry) = known.entries.get_mut(&place.producer) else {
                continue;
            };
            if entry.place != Some(turn) {
                continue;
            }
            if entry.used == turn {
                known.entries.remove(&place.producer);
                self.queue().count -= 1;
            } else {
                entry.place = Some(entry.used);
                self.queue().idle.insert(entry.used, place);
            }
        }
    }
    // ANCHOR_END: make_room

    /// A producer is known that was not.
    pub(super) fn enter(&self) {
        self.queue().count += 1;
    }

    /// A producer may be forgotten. Its last use had this turn.
    pub(super) fn let_go(&self, turn: u64, known: &Arc<Mutex<Known>>, producer: ProducerId) {
        let known = Arc::downgrade(known);
        let place = Place { known, producer };
        self.queue().idle.insert(turn, place);
    }

    /// The producer at this place must not be forgotten.
    pub(super) fn hold(&self, place: u64) {
        self.queue().idle.remove(&place);
    }

    /// A producer is forgotten that had this place.
    pub(super) fn leave(&self, place: Option<u64>) {
        let mut queue = self.queue();
        queue.count -= 1;
        if let Some(place) = place {
            queue.idle.remove(&place);
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().expect("nobody panics under this lock")
    }
}
