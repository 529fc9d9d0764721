//! Where requests wait that cannot be answered yet; the name is Kafka's.

use std::collections::HashMap;
use std::hash::Hash;

use async_model::{TimerId, Timers};
use message_model::{Moment, Offset};

/// Names a wait, so that it can be withdrawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WaitId(u64);

#[derive(Debug)]
struct Wait<K, W> {
    conditions: Vec<(K, Offset)>,
    timer: TimerId,
    waiter: W,
}

/// Waits of the form "one of these ends has passed this offset".
///
/// `K` names an end (of a partition); `W` is whom to wake, and is never looked
/// into. Pure: it reads no clock and wakes nobody, it hands the waiters out.
///
/// # Invariants
/// - Every waiter comes out once: by [`complete`](Purgatory::complete),
///   [`expire`](Purgatory::expire) or [`cancel`](Purgatory::cancel).
/// - A wait that has come out has left nothing behind.
#[derive(Debug)]
pub struct Purgatory<K, W> {
    waits: HashMap<WaitId, Wait<K, W>>,
    /// Per end: the waits on it, and the offset that each waits for.
    by_key: HashMap<K, Vec<(Offset, WaitId)>>,
    timers: Timers<WaitId>,
    next_id: u64,
}

impl<K: Clone + Eq + Hash, W> Purgatory<K, W> {
    /// Nobody waits.
    #[must_use]
    pub fn new() -> Purgatory<K, W> {
        Purgatory {
            waits: HashMap::new(),
            by_key: HashMap::new(),
            timers: Timers::new(),
            next_id: 0,
        }
    }

    /// Lets `waiter` wait until one of `conditions` holds, but not beyond
    /// `deadline`. A condition `(end, offset)` holds when the end is above the offset.
    ///
    /// The caller must look at the ends once more after this: one may have
    /// passed its offset just before.
    pub fn watch(&mut self, deadline: Moment, conditions: Vec<(K, Offset)>, waiter: W) -> WaitId {
        let id = WaitId(self.next_id);
        self.next_id += 1;
        for (key, offset) in &conditions {
            let waits = self.by_key.entry(key.clone()).or_default();
            waits.push((*offset, id));
        }
        let timer = self.timers.schedule(deadline, id);
        self.waits.insert(
            id,
            Wait {
                conditions,
                timer,
                waiter,
            },
        );
        id
    }

    /// The end `key` is at `end` now: hands out those whose condition holds, in
    /// the order in which they came. All others go on waiting.
    pub fn complete(&mut self, key: &K, end: Offset) -> Vec<W> {
        // task 7.1: wake those whose offset the end has passed, once, and forget them
        let Some(waits) = self.by_key.get(key) else {
            return Vec::new();
        };
        let due: Vec<WaitId> = waits
            .iter()
            .filter(|(offset, _)| end > *offset)
            .map(|(_, id)| *id)
            .collect();
        due.into_iter().filter_map(|id| self.cancel(id)).collect()
        // end
    }

    /// Hands out those whose deadline is at or before `now`.
    pub fn expire(&mut self, now: Moment) -> Vec<W> {
        let due = self.timers.expire(now);
        due.into_iter().filter_map(|id| self.cancel(id)).collect()
    }

    /// Takes a waiter back; `None` if it has already come out.
    pub fn cancel(&mut self, id: WaitId) -> Option<W> {
        let wait = self.waits.remove(&id)?;
        self.timers.cancel(wait.timer);
        for (key, _) in &wait.conditions {
            if let Some(waits) = self.by_key.get_mut(key) {
                waits.retain(|(_, other)| *other != id);
                if waits.is_empty() {
                    self.by_key.remove(key);
                }
            }
        }
        Some(wait.waiter)
    }

    /// When the next wait runs out of time.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Moment> {
        self.timers.next_deadline()
    }

    /// How many wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.waits.len()
    }

    /// Whether nobody waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.waits.is_empty()
    }

    /// How many ends somebody waits for.
    #[must_use]
    pub fn keys(&self) -> usize {
        self.by_key.len()
    }
}

impl<K: Clone + Eq + Hash, W> Default for Purgatory<K, W> {
    fn default() -> Purgatory<K, W> {
        Purgatory::new()
    }
}
