//! The states and timers of many keys.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt;
use std::hash::Hash;
use std::ops::RangeInclusive;

use message_model::Timestamp;

use crate::buckets::KeyedState;
use crate::element::{END_OF_TIME, UNTIMED};
use crate::process::Timer;

/// The states and timers of some keys.
///
/// # Invariants
/// - `queue` has the timers of all keys, and only those.
/// - A key without state and timers is forgotten.
#[derive(Clone)]
pub(crate) struct KeyedStates<K, S> {
    keys: HashMap<K, Kept<S>>,
    queue: Queue<K>,
}

/// By timer: the keys that have set it.
type Queue<K> = BTreeMap<Timer, HashSet<K>>;

/// What is kept of a key.
#[derive(Clone)]
pub(crate) struct Kept<S> {
    pub(crate) state: Option<S>,
    pub(crate) timers: BTreeSet<Timer>,
}

/// How far time has come.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Times {
    pub(crate) watermark: Timestamp,
    /// Timers up to here have fired: the watermark, or while timers fire, the time of those.
    pub(crate) fired: Timestamp,
    /// The calendar.
    pub(crate) clock: Timestamp,
}

/// What a [`Process`](crate::Process) finds of a key, and leaves for it. A key without state and
/// without timers is forgotten.
pub struct Held<'a, K, S> {
    key: &'a K,
    kept: &'a mut Kept<S>,
    queue: &'a mut Queue<K>,
    times: Times,
}

impl<K: fmt::Debug, S> fmt::Debug for Held<'_, K, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Held({:?})", self.key)
    }
}

impl<K: Clone + Eq + Hash, S> Held<'_, K, S> {
    /// The key.
    #[must_use]
    pub fn key(&self) -> &K {
        self.key
    }

    /// The state of the key; `None` until something is put there.
    pub fn state(&mut self) -> &mut Option<S> {
        &mut self.kept.state
    }

    /// How far event time has come: a record before it is late.
    #[must_use]
    pub fn watermark(&self) -> Timestamp {
        self.times.watermark
    }

    /// What the calendar shows; it is looked at for each batch.
    #[must_use]
    pub fn clock(&self) -> Timestamp {
        self.times.clock
    }

    /// Whether the sources have no more records. Then all timers of event time fire, whatever
    /// their times, so a timer must not set itself again without end.
    #[must_use]
    pub fn is_end(&self) -> bool {
        self.times.watermark == END_OF_TIME
    }

    /// Sets a timer, and returns it. If its time has passed, it is set for the millisecond behind
    /// what has.
    pub fn set(&mut self, timer: Timer) -> Timer {
        let behind = |passed: Timestamp| Timestamp(passed.0.saturating_add(1));
        let timer = match timer {
            Timer::Event(time) => Timer::Event(time.max(behind(self.times.fired))),
            Timer::Clock(time) => Timer::Clock(time.max(behind(self.times.clock))),
        };
        // Nothing comes behind the end of time.
        if timer > Timer::Event(self.times.fired) && self.kept.timers.insert(timer) {
            arm(self.queue, timer, self.key);
        }
        timer
    }

    /// Takes a timer back, if it is set.
    pub fn cancel(&mut self, timer: Timer) {
        if self.kept.timers.remove(&timer)
            && let Some(keys) = self.queue.get_mut(&timer)
        {
            keys.remove(self.key);
            if keys.is_empty() {
                self.queue.remove(&timer);
            }
        }
    }
}

fn arm<K: Clone + Eq + Hash>(queue: &mut Queue<K>, timer: Timer, key: &K) {
    queue.entry(timer).or_default().insert(key.clone());
}

impl<K, S> Default for KeyedStates<K, S> {
    fn default() -> KeyedStates<K, S> {
        KeyedStates {
            keys: HashMap::new(),
            queue: BTreeMap::new(),
        }
    }
}

impl<K: Clone + Eq + Hash, S> KeyedStates<K, S> {
    /// Hands out what is kept of a key.
    pub(crate) fn hold(&mut self, key: K, times: Times, work: impl FnOnce(&mut Held<'_, K, S>)) {
        let nothing = Kept {
            state: None,
            timers: BTreeSet::new(),
        };
        let found = self.keys.remove_entry(&key);
        let (key, mut kept) = found.unwrap_or((key, nothing));
        let queue = &mut self.queue;
        work(&mut Held {
            key: &key,
            kept: &mut kept,
            queue,
            times,
        });
        if kept.state.is_some() || !kept.timers.is_empty() {
            self.keys.insert(key, kept);
        }
    }

    /// The first of the timers that are due.
    pub(crate) fn first(&self, due: RangeInclusive<Timer>) -> Option<Timer> {
        self.queue.range(due).next().map(|(timer, _)| *timer)
    }

    /// Takes a timer back for all keys that have set it, and returns those.
    pub(crate) fn take(&mut self, timer: Timer) -> HashSet<K> {
        let keys = self.queue.remove(&timer).unwrap_or_default();
        for key in &keys {
            if let Some(kept) = self.keys.get_mut(key) {
                kept.timers.remove(&timer);
            }
        }
        keys
    }

    /// Everything that is kept.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&K, &Kept<S>)> {
        self.keys.iter()
    }

    /// Puts back what a checkpoint has of a key.
    pub(crate) fn restore(&mut self, key: K, kept: Kept<S>) {
        for timer in &kept.timers {
            arm(&mut self.queue, *timer, &key);
        }
        self.keys.insert(key, kept);
    }
}

impl<K: Clone + Eq + Hash, S: Clone> KeyedState for KeyedStates<K, S> {
    type Key = K;

    fn keys(&self) -> impl Iterator<Item = &K> {
        self.keys.keys()
    }

    fn next_timers(&self) -> [Option<Timer>; 2] {
        let all = [event_timers(END_OF_TIME), clock_timers(END_OF_TIME)];
        all.map(|all| self.first(all))
    }

    fn split(&self, is_second: impl Fn(&K) -> bool) -> [Self; 2] {
        let mut halves = <[KeyedStates<K, S>; 2]>::default();
        for (key, kept) in self.all() {
            halves[usize::from(is_second(key))].restore(key.clone(), kept.clone());
        }
        halves
    }
}

/// The timers of event time that are due.
pub(crate) fn event_timers(watermark: Timestamp) -> RangeInclusive<Timer> {
    Timer::Event(UNTIMED)..=Timer::Event(watermark)
}

/// The timers of the clock that are due.
pub(crate) fn clock_timers(clock: Timestamp) -> RangeInclusive<Timer> {
    Timer::Clock(UNTIMED)..=Timer::Clock(clock)
}
