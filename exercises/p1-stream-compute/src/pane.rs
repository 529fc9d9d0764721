//! What the keyed windows hold and emit.

use std::time::Duration;

use message_model::Timestamp;

use crate::window::{Window, Windows};

/// A record with the key that it is counted under.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keyed<K, V> {
    /// Its event time.
    pub time: Timestamp,
    /// Its key.
    pub key: K,
    /// What is aggregated of it.
    pub value: V,
}

/// How records become one value, in any order.
pub trait Aggregate<V> {
    /// What is kept of the records so far.
    type State: Clone;
    /// What is emitted of it.
    type Value;

    /// The state before the first record.
    fn empty(&self) -> Self::State;
    /// Takes one record more.
    fn add(&self, state: &mut Self::State, value: &V);
    /// Takes all records of another state.
    fn merge(&self, state: &mut Self::State, other: Self::State);
    /// The value of the records so far.
    fn value(&self, state: &Self::State) -> Self::Value;
}

/// What is the same for all keys.
#[derive(Debug, Clone, Copy)]
pub struct WindowRule<A> {
    /// How time is cut.
    pub windows: Windows,
    /// A window still takes records while the watermark is less than this above its end.
    pub lateness: Duration,
    /// What becomes of the records of a window.
    pub aggregate: A,
}

impl<A> WindowRule<A> {
    /// When the watermark has come here, `window` is closed: nothing is added to it any more.
    pub(crate) fn closes(&self, window: Window) -> Timestamp {
        let lateness = i64::try_from(self.lateness.as_millis()).unwrap_or(i64::MAX);
        Timestamp(window.end.0.saturating_add(lateness))
    }
}

/// A window of one key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pane<S> {
    /// Which.
    pub window: Window,
    /// What is kept of its records.
    pub state: S,
    /// How many rows were emitted for it.
    pub rows: u32,
    /// Whether a record came after the last row.
    pub changed: bool,
    /// The timer at which it is looked at next; `None` only until its first record is added.
    pub(crate) timer: Option<Timestamp>,
    /// A later timer, which was set before that one and has not fired.
    pub(crate) later: Option<Timestamp>,
}

impl<S> Pane<S> {
    /// A pane as it was when a checkpoint was taken. Timers are in no checkpoint, so the pane is
    /// looked at by the first watermark at or above its end, and gets its next one there.
    #[must_use]
    pub fn restored(window: Window, state: S, (rows, changed): (u32, bool)) -> Pane<S> {
        Pane {
            window,
            state,
            rows,
            changed,
            timer: Some(window.end),
            later: None,
        }
    }
}

// ANCHOR: row
/// What is emitted for a window of a key.
///
/// # Protocol
/// - The first row of a window has the revision 0. It is emitted by the first watermark behind
///   the window's first record that is at or above the window's end.
/// - While the window is open, records may come behind that row. The next watermark emits one
///   row for all of them, with the next revision. The last row holds.
/// - A session that has a row may become a part of a longer one. Then it is
///   [withdrawn](Content::Withdrawn) at once, with its next revision. The longer one is
///   another window, and begins at revision 0.
/// - So without allowed lateness each key and window has one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row<K, V> {
    /// The key of the records.
    pub key: K,
    /// The window that they are in.
    pub window: Window,
    /// How many rows came before this one, for this key and window.
    pub revision: u32,
    /// The result.
    pub content: Content<V>,
}
// ANCHOR_END: row

/// What a row says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content<V> {
    /// The value of the records so far.
    Value(V),
    /// There is no such window any more: late records have made it a part of a longer session.
    Withdrawn,
}
