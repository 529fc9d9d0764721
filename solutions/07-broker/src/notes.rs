//! The notes of one partition: what to wake when one of its ends passes an offset.

use std::collections::BTreeMap;

use message_model::Offset;

/// Names a note, so that it can be taken back. Ordered by end, then offset, then arrival.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct NoteId<K> {
    end: K,
    offset: Offset,
    /// Counts the notes in the order in which they came, over all ends.
    number: u64,
}

/// Notes of the form "hand out `W` when the end `K` has passed this offset".
///
/// `K` names an end of the partition; `W` is what to wake, and is never looked
/// into. Pure: it has no lock and wakes nothing, it hands out.
///
/// # Invariants
/// - A note is handed out once, by [`moved`](Notes::moved) or
///   [`take_all`](Notes::take_all), or it is taken back by [`remove`](Notes::remove).
/// - A note that has been handed out or taken back has left nothing behind.
/// - Notes that are not handed out cost a call nothing but the way through an ordered map.
#[derive(Debug)]
pub struct Notes<K, W> {
    notes: BTreeMap<NoteId<K>, W>,
    next_number: u64,
}

impl<K: Clone + Ord, W> Notes<K, W> {
    /// No notes.
    #[must_use]
    pub fn new() -> Notes<K, W> {
        Notes {
            notes: BTreeMap::new(),
            next_number: 0,
        }
    }

    /// Leaves a note: `waiter` is to be handed out when `end` is above `offset`, which
    /// may be any `i64`.
    pub fn add(&mut self, end: K, offset: Offset, waiter: W) -> NoteId<K> {
        let number = self.next_number;
        self.next_number += 1;
        let id = NoteId {
            end,
            offset,
            number,
        };
        self.notes.insert(id.clone(), waiter);
        id
    }

    /// The waiters whose offset is below `at`, where `end` is now, in the order in
    /// which their notes came. All other notes stay.
    ///
    /// Takes O(log n) for each waiter that is handed out, and once more.
    pub fn moved(&mut self, end: &K, at: Offset) -> Vec<W> {
        // task 7.2: hand out, in the order of arrival, what an end has passed, and touch nothing else
        let first = NoteId {
            end: end.clone(),
            offset: Offset(i64::MIN),
            number: 0,
        };
        let behind = NoteId {
            end: end.clone(),
            offset: at,
            number: 0,
        };
        let passed = self.notes.extract_if(first..behind, |_, _| true);
        let mut passed: Vec<(u64, W)> = passed.map(|(id, waiter)| (id.number, waiter)).collect();
        passed.sort_unstable_by_key(|(number, _)| *number);
        passed.into_iter().map(|(_, waiter)| waiter).collect()
        // end
    }

    /// Takes a note back; `None` if it has been handed out. Takes O(log n).
    pub fn remove(&mut self, id: &NoteId<K>) -> Option<W> {
        self.notes.remove(id)
    }

    /// Every waiter, in the order in which their notes came.
    pub fn take_all(&mut self) -> Vec<W> {
        let mut all: Vec<(u64, W)> = std::mem::take(&mut self.notes)
            .into_iter()
            .map(|(id, waiter)| (id.number, waiter))
            .collect();
        all.sort_unstable_by_key(|(number, _)| *number);
        all.into_iter().map(|(_, waiter)| waiter).collect()
    }

    /// How many notes there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.notes.len()
    }

    /// Whether there is no note.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.notes.is_empty()
    }
}

impl<K: Clone + Ord, W> Default for Notes<K, W> {
    fn default() -> Notes<K, W> {
        Notes::new()
    }
}
