//! Deadlines in order.

use std::collections::BTreeMap;

use message_model::Moment;

/// Names one scheduled timer, so that it can be cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimerId {
    deadline: Moment,
    /// Tells timers with the same deadline apart, in the order they were scheduled.
    number: u64,
}

/// Keys that become due at a moment. Pure: it never looks at a clock.
///
/// # Invariants
/// - A key comes out at most once: by [`expire`](Timers::expire) or by
///   [`cancel`](Timers::cancel).
/// - Keys come out by deadline; with equal deadlines in the order they went in.
#[derive(Debug)]
pub struct Timers<K> {
    scheduled: BTreeMap<TimerId, K>,
    next_number: u64,
}

impl<K> Timers<K> {
    /// No timers.
    #[must_use]
    pub fn new() -> Timers<K> {
        Timers {
            scheduled: BTreeMap::new(),
            next_number: 0,
        }
    }

    /// Makes `key` due at `deadline`.
    pub fn schedule(&mut self, deadline: Moment, key: K) -> TimerId {
        let id = TimerId {
            deadline,
            number: self.next_number,
        };
        self.next_number += 1;
        self.scheduled.insert(id, key);
        id
    }

    /// Takes a timer back before it is due; `None` if it has already come out.
    pub fn cancel(&mut self, id: TimerId) -> Option<K> {
        self.scheduled.remove(&id)
    }

    /// The keys whose deadline is at or before `now`.
    pub fn expire(&mut self, now: Moment) -> Vec<K> {
        let mut due = Vec::new();
        while let Some(first) = self.scheduled.first_entry() {
            if first.key().deadline > now {
                break;
            }
            due.push(first.remove());
        }
        due
    }

    /// When the next key becomes due.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Moment> {
        self.scheduled.keys().next().map(|id| id.deadline)
    }

    /// How many keys are waiting.
    #[must_use]
    pub fn len(&self) -> usize {
        self.scheduled.len()
    }

    /// Whether no key is waiting.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.scheduled.is_empty()
    }
}

impl<K> Default for Timers<K> {
    fn default() -> Timers<K> {
        Timers::new()
    }
}
