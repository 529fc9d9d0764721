//! The producers of one partition.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::time::Duration;

use message_model::{ProducerEpoch, ProducerId, Timestamp};
use wire_protocol::Reader;

use crate::turns::Turns;
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

/// How long a producer is remembered, and how many are looked at together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// A producer that is silent for as long is forgotten.
    pub idle_max: Duration,
    /// So many producers are in a piece. The partition's appends wait for one piece, not for all.
    pub piece_max: usize,
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
    /// That of its last note: the producer with the lowest one is silent for the longest time.
    pub(crate) turn: u64,
}

/// The producers of one partition, each with its window.
///
/// The table is told of each batch that is in the log, of each marker, and of nothing else.
/// So after a restart it is the same again when it is told all of them again, or when it has
/// [taken back](Table::restore) a snapshot and is told those behind it.
///
/// It has no limit of its own. All partitions of a broker have one together: when there are too
/// many, the broker asks the table with the [idlest](Table::idlest) producer to forget it.
///
/// # Invariants
/// - Which producer is silent for the longest time depends on the order of the notes alone, not
///   on the clock, which may be set back.
/// - `idle` has each producer that is not held, by its turn.
#[derive(Debug, Clone)]
pub struct Table<E> {
    pub(crate) limits: Limits,
    pub(crate) turns: Turns,
    pub(crate) entries: BTreeMap<ProducerId, Entry<E>>,
    pub(crate) idle: BTreeSet<(u64, ProducerId)>,
}

impl<E: Kept> Table<E> {
    /// A table that knows no producer.
    #[must_use]
    pub fn new(limits: Limits, turns: Turns) -> Table<E> {
        Table {
            limits,
            turns,
            entries: BTreeMap::new(),
            idle: BTreeSet::new(),
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

    /// Returns the next piece: the producers behind `after`, by their ids, and at most
    /// [`Limits::piece_max`].
    pub fn piece(
        &self,
        after: Option<ProducerId>,
    ) -> impl Iterator<Item = (ProducerId, &Entry<E>)> {
        let next = self
            .entries
            .range(behind(after))
            .take(self.limits.piece_max);
        next.map(|(producer, entry)| (*producer, entry))
    }

    /// Returns the turn of the producer that is silent for the longest time; `None` if there is
    /// none but those that are held.
    #[must_use]
    pub fn idlest(&self) -> Option<u64> {
        self.idle.first().map(|(turn, _)| *turn)
    }

    /// Notes that a producer was seen with this epoch: a `batch` of it is in the log now, or,
    /// without one, a marker is, or the coordinator has named the producer, or the producer has
    /// sent again what is in the log. An older epoch shows too that the producer is there, and
    /// changes no window.
    pub fn note(
        &mut self,
        at: Timestamp,
        producer: ProducerId,
        epoch: ProducerEpoch,
        batch: Option<Remembered>,
    ) {
        // task 19.3: find or make its entry, and make it the last to be forgotten
        let turn = self.turns.next();
        let entry = self.entries.entry(producer).or_insert_with(|| Entry {
            window: Window::new(epoch),
            kept: E::default(),
            seen: at,
            turn,
        });
        match batch {
            Some(batch) => entry.window.push(epoch, batch),
            None => entry.window.begin(epoch),
        }
        entry.seen = at;
        let before = std::mem::replace(&mut entry.turn, turn);
        if !entry.kept.is_held() {
            self.idle.remove(&(before, producer));
            self.idle.insert((turn, producer));
        }
        // end
    }

    /// Changes what other rules keep of a producer, and returns what `change` returns; `None`
    /// if the producer is not known. Nobody is forgotten here, also if the producer is let go.
    pub fn change<R>(
        &mut self,
        producer: ProducerId,
        change: impl FnOnce(&mut E) -> R,
    ) -> Option<R> {
        // task 19.3: what is held cannot be forgotten, and what is let go can
        let entry = self.entries.get_mut(&producer)?;
        let returned = change(&mut entry.kept);
        if entry.kept.is_held() {
            self.idle.remove(&(entry.turn, producer));
        } else {
            self.idle.insert((entry.turn, producer));
        }
        Some(returned)
        // end
    }

    /// Forgets the producer that is silent for the longest time, and returns it; `None` if
    /// there is none but those that are held.
    pub fn forget_idlest(&mut self) -> Option<ProducerId> {
        // task 19.3: the one with the lowest turn
        let (_, producer) = self.idle.pop_first()?;
        self.entries.remove(&producer);
        Some(producer)
        // end
    }

    /// Forgets the producers of the [next piece](Table::piece) that are silent for
    /// [`Limits::idle_max`] or longer, but those that are held. Returns the last producer that it
    /// has looked at; `None` if there is none behind `after`.
    ///
    /// The clock may have been set back since a producer was noted. Its silence begins now
    /// then, or it would be remembered until the old time comes again.
    pub fn expire(&mut self, now: Timestamp, after: Option<ProducerId>) -> Option<ProducerId> {
        // task 19.3: those of a piece that are silent for too long
        let mut last = None;
        let mut silent = Vec::new();
        let next = self.entries.range_mut(behind(after));
        for (producer, entry) in next.take(self.limits.piece_max) {
            last = Some(*producer);
            entry.seen = entry.seen.min(now);
            if now.since(entry.seen) >= self.limits.idle_max && !entry.kept.is_held() {
                silent.push((entry.turn, *producer));
            }
        }
        for (turn, producer) in silent {
            self.idle.remove(&(turn, producer));
            self.entries.remove(&producer);
        }
        last
        // end
    }
}

/// The ids behind `after`; all of them if there is none.
fn behind(after: Option<ProducerId>) -> (Bound<ProducerId>, Bound<ProducerId>) {
    let from = after.map_or(Bound::Unbounded, Bound::Excluded);
    (from, Bound::Unbounded)
}
