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
        let mut added = Added::default();
        for window in rule.windows.assign(record.time) {
            if rule.windows.merge() {
                if !self.join(rule, watermark, (&record.key, window), &mut emit) {
                    added.missed += 1;
                    continue;
                }
            } else if rule.closes(window) <= watermark {
                added.missed += 1;
                continue;
            }
            let pane = self.pane(rule, (&record.key, window));
            rule.aggregate.add(&mut pane.state, &record.value);
            pane.changed = true;
            let due = pane
                .window
                .end
                .max(Timestamp(watermark.0.saturating_add(1)));
            if pane.timer.is_none_or(|timer| due < timer) {
                pane.later = pane.timer.replace(due);
                self.arm(due, &record.key);
            }
            added.counted += 1;
        }
        added
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
        while let Some(entry) = self.timers.first_entry() {
            let time = *entry.key();
            if time > watermark {
                break;
            }
            for key in entry.remove() {
                self.look_at(rule, time, &key, &mut emit);
            }
        }
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
        if let Some(timer) = pane.timer {
            self.arm(timer, &key);
        }
        let panes = self.keys.entry(key).or_default();
        let place = panes.partition_point(|other| other.window < pane.window);
        panes.insert(place, pane);
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
        let Some(panes) = self.keys.get_mut(key) else {
            return;
        };
        let timers = &mut self.timers;
        panes.retain_mut(|pane| {
            if pane.timer.is_none_or(|timer| time < timer) {
                return true;
            }
            if pane.changed && pane.window.end <= time {
                emit(row(
                    key,
                    pane,
                    Content::Value(rule.aggregate.value(&pane.state)),
                ));
                pane.changed = false;
                pane.rows += 1;
            }
            let closes = rule.closes(pane.window);
            if closes <= time {
                return false;
            }
            let next = if pane.changed {
                pane.window.end
            } else {
                closes
            };
            pane.timer = pane.later.take_if(|later| *later <= next);
            if pane.timer.is_none() {
                pane.timer = Some(next);
                timers.entry(next).or_default().push(key.clone());
            }
            true
        });
        if panes.is_empty() {
            self.keys.remove(key);
        }
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
        let panes = self.keys.get(key).map_or(&[][..], Vec::as_slice);
        let from = panes.partition_point(|pane| pane.window.end <= window.start);
        let to = panes.partition_point(|pane| pane.window.start < window.end);
        let joined = panes[from..to].iter();
        let whole = joined.fold(window, |whole, pane| whole.cover(&pane.window));
        if rule.closes(whole) <= watermark {
            return false;
        }
        let is_there = to - from == 1 && panes[from].window == whole;
        let Some(panes) = self.keys.get_mut(key).filter(|_| !is_there) else {
            return true;
        };
        for pane in panes[from..to].iter().filter(|pane| pane.rows > 0) {
            emit(row(key, pane, Content::Withdrawn));
        }
        let joined = panes.drain(from..to).reduce(|mut joined, pane| {
            rule.aggregate.merge(&mut joined.state, pane.state);
            joined
        });
        if let Some(joined) = joined {
            let (window, rows) = (whole, 0);
            let joined = Pane {
                window,
                rows,
                ..joined
            };
            panes.insert(from, joined);
        }
        true
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
        let panes = self.keys.entry(key.clone()).or_default();
        let (place, found) = if rule.windows.merge() {
            let place = panes.partition_point(|pane| pane.window.end <= window.start);
            let next = panes.get(place);
            (
                place,
                next.is_some_and(|pane| pane.window.overlaps(&window)),
            )
        } else {
            let place = panes.partition_point(|pane| pane.window < window);
            let next = panes.get(place);
            (place, next.is_some_and(|pane| pane.window == window))
        };
        if !found {
            let pane = Pane {
                window,
                state: rule.aggregate.empty(),
                rows: 0,
                changed: false,
                timer: None,
                later: None,
            };
            panes.insert(place, pane);
        }
        &mut panes[place]
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
