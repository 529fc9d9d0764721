//! Windows under test, with the watermark and everything that was emitted.

use std::cell::Cell;
use std::time::Duration;

use message_model::Timestamp;
use spec_harness::fail;

use super::part::{Added, Aggregate, Content, Keyed, KeyedWindows, Pane, Row, WindowRule, Windows};
use super::shown::{expect_list, shown};

/// How often the keys of a few windows may be cloned.
const CLONES_MAX: u32 = 100_000;

thread_local! {
    /// How often keys were cloned since these windows were new.
    static CLONES: Cell<u32> = const { Cell::new(0) };
}

/// A key. Each timer has a clone of one, so timers without end are noticed.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Key(pub(super) char);

impl Clone for Key {
    fn clone(&self) -> Key {
        CLONES.set(CLONES.get() + 1);
        if CLONES.get() > CLONES_MAX {
            let what = "how often the keys of a few windows are cloned: each timer has a clone";
            let got = "more, without an end: does a timer that fires make more than one?";
            fail(what, &format!("at most {CLONES_MAX} times"), got);
        }
        Key(self.0)
    }
}

/// A row of these windows.
pub(super) type TimesRow = Row<Key, Vec<i64>>;

pub(super) fn ms(millis: i64) -> Duration {
    Duration::from_millis(millis.unsigned_abs())
}

/// The times of the records, so that one that is counted twice is seen.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times;

impl Aggregate<i64> for Times {
    type State = Vec<i64>;
    type Value = Vec<i64>;

    fn empty(&self) -> Vec<i64> {
        Vec::new()
    }

    fn add(&self, state: &mut Vec<i64>, value: &i64) {
        state.push(*value);
    }

    fn merge(&self, state: &mut Vec<i64>, other: Vec<i64>) {
        state.extend(other);
    }

    fn value(&self, state: &Vec<i64>) -> Vec<i64> {
        let mut times = state.clone();
        times.sort_unstable();
        times
    }
}

/// `a, 0..10, revision 0: [3, 7]`.
pub(super) fn text(row: &TimesRow) -> String {
    let content = match &row.content {
        Content::Value(times) => format!("{times:?}"),
        Content::Withdrawn => "withdrawn".to_owned(),
    };
    let (key, window, revision) = (row.key.0, shown(row.window), row.revision);
    format!("{key}, {window}, revision {revision}: {content}")
}

/// What a subtask of the engine does with its windows.
pub(super) struct World {
    pub(super) windows: KeyedWindows<Key, Vec<i64>>,
    rule: WindowRule<Times>,
    pub(super) watermark: i64,
    /// What has happened, for messages.
    story: String,
}

impl World {
    pub(super) fn new(windows: Windows, lateness: i64) -> World {
        CLONES.set(0);
        World {
            windows: KeyedWindows::default(),
            rule: WindowRule {
                windows,
                lateness: ms(lateness),
                aggregate: Times,
            },
            watermark: i64::MIN,
            story: String::new(),
        }
    }

    pub(super) fn tumbling(size: i64, lateness: i64) -> World {
        let mut world = World::new(Windows::tumbling(ms(size)), lateness);
        world.note(&format!("windows of {size}, allowed lateness {lateness}"));
        world
    }

    pub(super) fn session(gap: i64, lateness: i64) -> World {
        let mut world = World::new(Windows::session(ms(gap)), lateness);
        world.note(&format!(
            "sessions with a gap of {gap}, allowed lateness {lateness}"
        ));
        world
    }

    fn note(&mut self, step: &str) {
        self.story += &format!("\n               {step}");
    }

    /// Adds a record. Returns what became of it, and the rows.
    pub(super) fn add(&mut self, key: char, time: i64) -> (Added, Vec<TimesRow>) {
        self.note(&format!("a record of {key}, time {time}"));
        let record = Keyed {
            time: Timestamp(time),
            key: Key(key),
            value: time,
        };
        let mut rows = Vec::new();
        let emit = |row| rows.push(row);
        let watermark = Timestamp(self.watermark);
        let added = self.windows.add(&self.rule, watermark, &record, emit);
        (added, rows)
    }

    /// Adds a record that is counted in so many windows, and misses so many.
    pub(super) fn add_to(&mut self, key: char, time: i64, (counted, missed): (u32, u32)) {
        let (added, rows) = self.add(key, time);
        if (added.counted, added.missed) != (counted, missed) {
            let expected = Added { counted, missed };
            let what = format!("what became of the last record:{}", self.story);
            fail(&what, &format!("{expected:?}"), &format!("{added:?}"));
        }
        self.expect_rows("the rows that the last record emits", &rows, &[]);
    }

    /// Adds a record that is in one window.
    pub(super) fn record(&mut self, key: char, time: i64) {
        self.add_to(key, time, (1, 0));
    }

    /// Adds a record that is counted, and withdraws these.
    pub(super) fn withdraws(&mut self, key: char, time: i64, expected: &[&str]) {
        let (added, rows) = self.add(key, time);
        self.expect_rows("the rows that the last record emits", &rows, expected);
        if added.counted != 1 {
            let what = format!("whether the last record is counted:{}", self.story);
            fail(&what, "counted: 1", &format!("{added:?}"));
        }
    }

    /// Hands a watermark on, if a timer says that there may be something to do: as the engine
    /// does. Returns the rows.
    pub(super) fn advance(&mut self, watermark: i64) -> Vec<TimesRow> {
        self.note(&format!("watermark {watermark}"));
        self.watermark = watermark;
        let watermark = Timestamp(watermark);
        let mut rows = Vec::new();
        if self
            .windows
            .next_timer()
            .is_some_and(|timer| timer <= watermark)
        {
            let emit = |row| rows.push(row);
            self.windows.advance(&self.rule, watermark, emit);
        }
        rows
    }

    /// Hands a watermark on, which emits these rows, in this order.
    pub(super) fn reach(&mut self, watermark: i64, expected: &[&str]) {
        let rows = self.advance(watermark);
        self.expect_rows("the rows at the last watermark", &rows, expected);
    }

    fn expect_rows(&self, what: &str, rows: &[TimesRow], expected: &[&str]) {
        let got: Vec<String> = rows.iter().map(text).collect();
        let expected: Vec<String> = expected.iter().map(|&row| row.to_owned()).collect();
        expect_list(&format!("{what}:{}", self.story), &got, &expected);
    }

    /// As if a checkpoint had been taken, and a new process had found it. The panes come back
    /// by key and window, or in the opposite order.
    pub(super) fn restart(&mut self, reversed: bool) {
        let order = if reversed {
            ", panes in reverse order"
        } else {
            ""
        };
        self.note(&format!("restart{order}"));
        let old = std::mem::take(&mut self.windows);
        let mut panes: Vec<_> = old.panes().collect();
        panes.sort_by_key(|(key, pane)| (key.0, pane.window));
        if reversed {
            panes.reverse();
        }
        for (key, pane) in panes {
            let counts = (pane.rows, pane.changed);
            let pane = Pane::restored(pane.window, pane.state.clone(), counts);
            self.windows.restore(key.clone(), pane);
        }
    }

    /// Checks that `next_timer()` is above the watermark, and at or below the first one that
    /// has something to do. `None`: there is nothing to do any more.
    pub(super) fn expect_timer(&self, due: Option<i64>) {
        let next = self.windows.next_timer().map(|timer| timer.0);
        let is_right = match (due, next) {
            (Some(due), Some(next)) => self.watermark < next && next <= due,
            (due, next) => due == next,
        };
        if !is_right {
            let expected = match due {
                Some(due) => format!("at most {due}, and above {}", self.watermark),
                None => "None".to_owned(),
            };
            let what = format!("next_timer(), after:{}", self.story);
            fail(&what, &expected, &format!("{next:?}"));
        }
    }

    /// The windows that are open, by key and window.
    pub(super) fn expect_open(&self, expected: &[&str]) {
        let expected: Vec<String> = expected.iter().map(|&pane| pane.to_owned()).collect();
        let what = format!("panes(), sorted, after:{}", self.story);
        expect_list(&what, &self.open(), &expected);
    }

    /// The windows that are open: `a, 0..10`.
    pub(super) fn open(&self) -> Vec<String> {
        let mut panes: Vec<_> = self.windows.panes().collect();
        panes.sort_by_key(|(key, pane)| (key.0, pane.window));
        let panes = panes.into_iter();
        panes
            .map(|(key, pane)| format!("{}, {}", key.0, shown(pane.window)))
            .collect()
    }
}
