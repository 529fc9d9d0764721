//! Windows whose keys and states count what is done with them.
//!
//! A clone of the windows clones each key in them once for its panes and once for each of its
//! timers. So clones of keys are counted to learn how many timers there are.

use std::cell::Cell;
use std::hash::{Hash, Hasher};

use message_model::Timestamp;
use spec_harness::fail;

use super::part::{Added, Aggregate, Keyed, KeyedWindows, WindowRule, Windows};
use super::world::ms;

/// How often a case may clone keys.
const CLONES_MAX: usize = 1_000_000;

thread_local! {
    /// How often a key was hashed or cloned. (How often one is compared is chance.)
    pub(super) static KEYS: Cell<usize> = const { Cell::new(0) };
    /// How often a key was cloned.
    static CLONES: Cell<usize> = const { Cell::new(0) };
    /// How often a state was cloned.
    pub(super) static STATES: Cell<usize> = const { Cell::new(0) };
    /// How many records were moved from a state to another.
    pub(super) static MOVED: Cell<usize> = const { Cell::new(0) };
}

/// What is counted while `work` is done.
pub(super) fn count<T>(
    of: &'static std::thread::LocalKey<Cell<usize>>,
    work: impl FnOnce() -> T,
) -> usize {
    let before = of.get();
    work();
    of.get() - before
}

fn one_more(of: &'static std::thread::LocalKey<Cell<usize>>) {
    of.set(of.get() + 1);
}

/// A key that counts what is done with it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Key(u32);

impl Clone for Key {
    fn clone(&self) -> Key {
        one_more(&KEYS);
        one_more(&CLONES);
        if CLONES.get() > CLONES_MAX {
            let got = "more: does a timer that fires make another one that fires at once?";
            let expected = format!("at most {CLONES_MAX} times");
            fail("how often this case clones a key", &expected, got);
        }
        Key(self.0)
    }
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        one_more(&KEYS);
        self.0.hash(state);
    }
}

/// How many records there are: a state that counts its clones.
#[derive(Debug)]
pub(super) struct Tally(usize);

impl Clone for Tally {
    fn clone(&self) -> Tally {
        one_more(&STATES);
        Tally(self.0)
    }
}

/// Counts records, and those that a merge moves.
#[derive(Debug, Clone, Copy)]
pub(super) struct Count;

impl Aggregate<()> for Count {
    type State = Tally;
    type Value = usize;

    fn empty(&self) -> Tally {
        Tally(0)
    }

    fn add(&self, state: &mut Tally, (): &()) {
        state.0 += 1;
    }

    fn merge(&self, state: &mut Tally, other: Tally) {
        MOVED.set(MOVED.get() + other.0);
        state.0 += other.0;
    }

    fn value(&self, state: &Tally) -> usize {
        state.0
    }
}

pub(super) struct Counted {
    pub(super) windows: KeyedWindows<Key, Tally>,
    rule: WindowRule<Count>,
    watermark: i64,
}

impl Counted {
    pub(super) fn new(windows: Windows, lateness: i64) -> Counted {
        Counted {
            windows: KeyedWindows::default(),
            rule: WindowRule {
                windows,
                lateness: ms(lateness),
                aggregate: Count,
            },
            watermark: i64::MIN,
        }
    }

    pub(super) fn add(&mut self, key: u32, time: i64) -> Added {
        let record = Keyed {
            time: Timestamp(time),
            key: Key(key),
            value: (),
        };
        let watermark = Timestamp(self.watermark);
        self.windows.add(&self.rule, watermark, &record, |_| ())
    }

    /// Returns the values of all rows.
    pub(super) fn advance(&mut self, watermark: i64) -> Vec<usize> {
        self.watermark = watermark;
        let mut values = Vec::new();
        let watermark = Timestamp(watermark);
        self.windows.advance(&self.rule, watermark, |row| {
            if let super::part::Content::Value(value) = row.content {
                values.push(value);
            }
        });
        values
    }

    /// How often there is a key in the windows: with its panes, and in timers.
    pub(super) fn kept(&self) -> usize {
        count(&CLONES, || self.windows.clone())
    }
}

pub(super) fn expect_at_most(what: &str, got: usize, most: usize) {
    if got > most {
        fail(what, &format!("at most {most}"), &got.to_string());
    }
}
