//! The producers of one partition.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use message_model::{ProducerEpoch, ProducerId, Timestamp};
use wire_protocol::Reader;

use crate::unreadable::Unreadable;
use crate::window::{Remembered, Window};

// ANCHOR: kept
/// What other rules keep about a producer, beside its window: chapter 20, for example, its
/// open transaction. `()` if there are none.
pub trait Kept: Default {
    /// Whether the producer may not be forgotten, however long it is silent.
    fn is_held(&self) -> bool;
    /// Appends it to the bytes of a snapshot.
    fn put(&self, bytes: &mut Vec<u8>);
    /// Reads what [`put`](Kept::put) has written, and nothing behind it.
    ///
    /// # Errors
    /// When the bytes are something else.
    fn take(bytes: &mut Reader<'_>) -> Result<Self, Unreadable>;
}
// ANCHOR_END: kept

impl Kept for () {
    fn is_held(&self) -> bool {
        false
    }

    fn put(&self, _: &mut Vec<u8>) {}

    fn take(_: &mut Reader<'_>) -> Result<(), Unreadable> {
        Ok(())
    }
}

/// When a producer is forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How many producers are remembered; those that are held may be more.
    pub producers_max: usize,
    /// A producer that is silent for as long is forgotten.
    pub idle_max: Duration,
}

/// What is known of a producer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry<E> {
    /// Its epoch, and its last batches.
    pub window: Window,
    /// What other rules keep.
    pub kept: E,
    /// When it was noted last.
    pub seen: Timestamp,
    /// Grows with each note: the producer with the lowest one is silent for the longest time.
    pub(crate) turn: u64,
}

/// The producers of one partition, each with its window.
///
/// The table is told of each batch that is in the log, of each marker, and of nothing else.
/// So after a restart it is the same again when it is told all of them again, or when it is
/// [restored](Table::restore) from a snapshot and told those behind it.
///
/// # Invariants
/// - At most [`Limits::producers_max`] producers are remembered, but for those that are held.
/// - The producer that was just noted is not the one that is forgotten for it.
/// - Which producer is silent for the longest time depends on the order of the notes alone, not
///   on the clock, which may be set back.
/// - `idle` has each producer that is not held, by its turn.
#[derive(Debug, Clone)]
pub struct Table<E> {
    pub(crate) limits: Limits,
    pub(crate) entries: HashMap<ProducerId, Entry<E>>,
    pub(crate) idle: BTreeMap<u64, ProducerId>,
    /// The turn of the next note.
    pub(crate) turns: u64,
}

impl<E: Kept> Table<E> {
    /// A table that knows no producer.
    #[must_use]
    pub fn new(limits: Limits) -> Table<E> {
        Table {
            limits,
            entries: HashMap::new(),
            idle: BTreeMap::new(),
            turns: 0,
        }
    }

    /// Returns how many producers are remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Returns whether no producer is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Returns what is known of a producer.
    #[must_use]
    pub fn get(&self, producer: ProducerId) -> Option<&Entry<E>> {
        self.entries.get(&producer)
    }

    /// Returns all producers, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (ProducerId, &Entry<E>)> {
        self.entries
            .iter()
            .map(|(producer, entry)| (*producer, entry))
    }

    /// Returns whether the producer can be noted within the limit: it is known, or there is
    /// room, or there is a producer that can be forgotten for it.
    #[must_use]
    pub fn has_room(&self, producer: ProducerId) -> bool {
        self.entries.len() < self.limits.producers_max
            || !self.idle.is_empty()
            || self.entries.contains_key(&producer)
    }

    /// Notes that a producer was seen with this epoch: a `batch` of it is in the log now, or,
    /// without one, a marker is, or the coordinator has named the producer. A producer that is
    /// new takes the place of the one that is silent for the longest time, if there are too
    /// many.
    pub fn note(
        &mut self,
        at: Timestamp,
        producer: ProducerId,
        epoch: ProducerEpoch,
        batch: Option<Remembered>,
    ) {
        // task 19.3: find or make its entry, and make it the last to be forgotten
        todo!("19.3: find or make its entry, and make it the last to be forgotten")
        // end
    }

    /// Changes what other rules keep of a producer, and returns what `change` returns; `None`
    /// if the producer is not known.
    pub fn change<R>(
        &mut self,
        producer: ProducerId,
        change: impl FnOnce(&mut E) -> R,
    ) -> Option<R> {
        // task 19.3: what is held cannot be forgotten, and what is let go can
        todo!("19.3: what is held cannot be forgotten, and what is let go can")
        // end
    }

    /// Forgets the producer that is silent for the longest time, and returns it; `None` if
    /// there is none but those that are held.
    pub fn forget_idlest(&mut self) -> Option<ProducerId> {
        // task 19.3: the one with the lowest turn
        todo!("19.3: the one with the lowest turn")
        // end
    }

    /// Forgets the producers that are silent for [`Limits::idle_max`] or longer. It looks at
    /// those that it forgets, and at one more.
    ///
    /// The clock may have been set back since a producer was noted. Its silence begins now
    /// then, or it would be remembered until the old time comes again.
    pub fn expire(&mut self, now: Timestamp) {
        // task 19.3: from the one that is silent for the longest time on
        todo!("19.3: from the one that is silent for the longest time on")
        // end
    }
}
