//! The open windows of many keys, and their timers.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;

use message_model::Timestamp;

use crate::pane::{Aggregate, Content, Keyed, Pane, Row, WindowRule};
use crate::window::Window;

/// What became of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Added {
    /// In how many windows it was counted; if in none, it is late.
    pub counted: u32,
    /// How many of its windows were closed.
    pub missed: u32,
}

// ANCHOR: windows
/// The open windows of a group of keys. Pure: a watermark is passed in.
///
/// A window of a key with its state is a *pane*. A *timer* is an entry in `timers` that says
/// when a key is to be looked at. A timer may find nothing to do.
///
/// # Invariants
/// - The panes of a key are in the order of their windows, and no two have the same one. The
///   panes of sessions do not overlap. A key without panes is not in `keys`.
/// - Each pane has a timer at `pane.timer`, and is looked at when the watermark is there. That
///   is not above the first watermark at which there is something to do for it: a row is due,
///   or it closes and is forgotten.
/// - A session that grows gets no further timer. Its timer stays where it is, and fires too early.
///   Only then does the session get its next one, at the end that it has by then.
/// - A late record sets a timer before the one that is there, which becomes `pane.later`. If it
///   fires in time, it is the next one again, and no other is set. So a pane never has more than
///   a few timers, however many late records it has.
#[derive(Debug, Clone)]
pub struct KeyedWindows<K, S> {
    keys: HashMap<K, Vec<Pane<S>>>,
    timers: BTreeMap<Timestamp, Vec<K>>,
}
// ANCHOR_END: windows

impl<K, S> Default for KeyedWindows<K, S> {
    fn default() -> KeyedWindows<K, S> {
        KeyedWindows {
            keys: HashMap::new(),
            timers: BTreeMap::new(),
        }
    }
}

impl<K: Clone + Eq + Hash, S: Clone> KeyedWindows<K, S> {
    /// Adds a record to those of its windows that are open, and says how many that were. A
    /// window is closed from the watermark on that `closes` of its rule returns.
    ///
    /// `watermark` is the one that was handed on last. So a row of a window that has ended
    /// already is due at the next one, which is at least one higher.
    ///
    /// A record of sessions first makes one session of its own window and of all that this one
    /// overlaps. It is late only if that whole session is closed. Emits the sessions that are
    /// withdrawn for it, by their windows.
    pub fn add<V, A: Aggregate<V, State = S>>(
        &mut self,
        rule: &WindowRule<A>,
        watermark: Timestamp,
        record: &Keyed<K, V>,
        mut emit: impl FnMut(Row<K, A::Value>),
    ) -> Added {
        // task p1.4: a record is added to its open windows, and a timer is set
        todo!("p1.4: a record is added to its open windows, and a timer is set")
        // end
    }

    /// Emits the rows that are due at `watermark`, and forgets the panes that are closed there.
    /// The watermark is higher than that of all calls before, also of those of
    /// [`add`](Self::add).
    ///
    /// Windows that end earlier emit earlier, those apart that had ended before the last
    /// watermark. Looks at keys that have a timer at or below `watermark`, and at no others.
    pub fn advance<V, A: Aggregate<V, State = S>>(
        &mut self,
        rule: &WindowRule<A>,
        watermark: Timestamp,
        mut emit: impl FnMut(Row<K, A::Value>),
    ) {
        // task p1.4: the timers that a watermark has passed fire
        todo!("p1.4: the timers that a watermark has passed fire")
        // end
    }

    /// The lowest watermark at which [`advance`](Self::advance) may have something to do, and
    /// below which it need not be called. Above the last watermark, unless a pane has been
    /// restored since, whose row may be due.
    #[must_use]
    pub fn next_timer(&self) -> Option<Timestamp> {
        self.timers.first_key_value().map(|(time, _)| *time)
    }

    /// Every open window.
    pub fn panes(&self) -> impl Iterator<Item = (&K, &Pane<S>)> {
        let keys = self.keys.iter();
        keys.flat_map(|(key, panes)| panes.iter().map(move |pane| (key, pane)))
    }

    /// Puts back an open window of a checkpoint, with its timer. They come in any order.
    pub fn restore(&mut self, key: K, pane: Pane<S>) {
        // task p1.4: a pane of a checkpoint is put back
        todo!("p1.4: a pane of a checkpoint is put back")
        // end
    }

    /// A timer of the key has fired at `time`: of its panes, looks at those whose timer is at
    /// or below `time`. Emits the row of a pane that has changed and has ended, forgets a pane
    /// that is closed, and gives each other one its next timer. The watermark is `time` or
    /// higher; what is due later than `time` has a timer of its own.
    fn look_at<V, A: Aggregate<V, State = S>>(
        &mut self,
        rule: &WindowRule<A>,
        time: Timestamp,
        key: &K,
        emit: &mut impl FnMut(Row<K, A::Value>),
    ) {
        // task p1.4: what is due for a key
        todo!("p1.4: what is due for a key")
        // end
    }

    /// Makes `window` and the sessions that it overlaps one session, without the record yet.
    /// Returns `false` if that session is closed, and then nothing has changed.
    ///
    /// The joined session keeps a timer of those that it is made of. If `window` is in a session
    /// already, or overlaps none, there is nothing to join. States are merged only if there are
    /// several: to lengthen a session costs the same, however much is in it.
    fn join<V, A: Aggregate<V, State = S>>(
        &mut self,
        rule: &WindowRule<A>,
        watermark: Timestamp,
        (key, window): (&K, Window),
        emit: &mut impl FnMut(Row<K, A::Value>),
    ) -> bool {
        // task p1.4: sessions that overlap become one
        todo!("p1.4: sessions that overlap become one")
        // end
    }

    /// The pane of the key for `window`, which is a new and empty one if there is none. For
    /// sessions it is the one that has all of `window` in it: they were joined before.
    ///
    /// May clone the key each time. To look first whether it is there would be another hash of
    /// it, which costs about as much.
    fn pane<V, A: Aggregate<V, State = S>>(
        &mut self,
        rule: &WindowRule<A>,
        (key, window): (&K, Window),
    ) -> &mut Pane<S> {
        // task p1.4: the pane of a window, which may be a new one
        todo!("p1.4: the pane of a window, which may be a new one")
        // end
    }

    /// Sets a timer for the key.
    fn arm(&mut self, time: Timestamp, key: &K) {
        self.timers.entry(time).or_default().push(key.clone());
    }
}

/// The next row of a pane.
fn row<K: Clone, V, S>(key: &K, pane: &Pane<S>, content: Content<V>) -> Row<K, V> {
    Row {
        key: key.clone(),
        window: pane.window,
        revision: pane.rows,
        content,
    }
}
