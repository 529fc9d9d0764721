//! The operator that keeps windows by key.

use std::fmt;
use std::hash::Hash;

use message_model::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::buckets::{Buckets, KeyedState, by_group};
use crate::chain::Chain;
use crate::element::{END_OF_TIME, Record, Signal, Step, UNTIMED};
use crate::error::Error;
use crate::key::{Grouped, Place, bits_of, groups_of};
use crate::operator_id::OperatorId;
use crate::part::{Aggregate, Keyed, KeyedWindows, Pane, Row, Window, WindowRule};
use crate::process::{Timer, event_timers};
use crate::side::SidePort;
use crate::snapshot::{Opening, OperatorState, Snapshot, decode};

/// What can be a key or a state: it is hashed or copied, and kept in checkpoints.
pub trait Stored: Clone + Serialize + DeserializeOwned + Send + Sync + 'static {}

impl<T: Clone + Serialize + DeserializeOwned + Send + Sync + 'static> Stored for T {}

/// Windows of the keys of some key groups.
pub struct Windowed<K, V, A: Aggregate<V>> {
    id: OperatorId,
    rule: WindowRule<A>,
    late: SidePort<V>,
    buckets: Buckets<KeyedWindows<K, A::State>>,
    watermark: Timestamp,
}

impl<K, V, A: Aggregate<V>> fmt::Debug for Windowed<K, V, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Windowed({})", self.id)
    }
}

impl<K: Clone, V, A: Aggregate<V> + Clone> Clone for Windowed<K, V, A> {
    fn clone(&self) -> Windowed<K, V, A> {
        Windowed {
            id: self.id.clone(),
            rule: self.rule.clone(),
            late: self.late.clone(),
            buckets: self.buckets.clone(),
            watermark: self.watermark,
        }
    }
}

impl<K, V, A: Aggregate<V>> Windowed<K, V, A> {
    pub(crate) fn new(id: OperatorId, rule: WindowRule<A>, late: SidePort<V>) -> Windowed<K, V, A> {
        Windowed {
            id,
            rule,
            late,
            buckets: Buckets::default(),
            watermark: UNTIMED,
        }
    }
}

impl<K, V, A> Windowed<K, V, A>
where
    K: Stored + Eq + Hash,
    V: Send + 'static,
    A: Aggregate<V, State: Stored, Value: Send + 'static> + Clone + Send + 'static,
{
    // ANCHOR: add
    fn add(
        &mut self,
        Record { time, value }: Record<Grouped<K, V>>,
        out: &mut impl FnMut(Step<Row<K, A::Value>>),
    ) {
        let record = Keyed {
            time,
            key: value.key,
            value: value.value,
        };
        let emit = |row| out(Step::Record(row_record(row)));
        // A record changes no timer at or below its own time, because its window ends later. So
        // `change` need not look for a new next timer if the old one is not above `time`.
        let added = self.buckets.change(value.place, time, |windows| {
            windows.add(&self.rule, self.watermark, &record, emit)
        });
        if added.counted == 0 {
            let value = record.value;
            self.late.push(Step::Record(Record { time, value }));
        }
    }
    // ANCHOR_END: add

    /// When the last of the windows closes, or the watermark if that is farther.
    fn last_close(&self) -> Timestamp {
        let panes = self.buckets.iter().flat_map(KeyedWindows::panes);
        let ends = panes.map(|(_, pane)| pane.window.end);
        let lateness = i64::try_from(self.rule.lateness.as_millis()).unwrap_or(i64::MAX);
        let closes = ends.map(|end| Timestamp(end.0.saturating_add(lateness)));
        closes.max().max(Some(self.watermark)).unwrap_or(UNTIMED)
    }

    fn advance(&mut self, out: &mut impl FnMut(Step<Row<K, A::Value>>)) {
        self.buckets
            .change_due(event_timers(self.watermark), |windows| {
                let emit = |row| out(Step::Record(row_record(row)));
                windows.advance(&self.rule, self.watermark, emit);
            });
    }
}

impl<K: Clone + Eq + Hash, S: Clone> KeyedState for KeyedWindows<K, S> {
    type Key = K;

    fn keys(&self) -> impl Iterator<Item = &K> {
        self.panes().map(|(key, _)| key)
    }

    fn next_timers(&self) -> [Option<Timer>; 2] {
        [self.next_timer().map(Timer::Event), None]
    }

    fn split(&self, is_second: impl Fn(&K) -> bool) -> [Self; 2] {
        let mut halves = <[KeyedWindows<K, S>; 2]>::default();
        for (key, pane) in self.panes() {
            // As from a checkpoint, because the timers that it has are not moved with it.
            let (state, rows) = (pane.state.clone(), (pane.rows, pane.changed));
            let pane = Pane::restored(pane.window, state, rows);
            halves[usize::from(is_second(key))].restore(key.clone(), pane);
        }
        halves
    }
}

/// A row happened in the last millisecond of its window, so windows of rows can be made.
fn row_record<K, V>(row: Row<K, V>) -> Record<Row<K, V>> {
    Record {
        time: Timestamp(row.window.end.0.saturating_sub(1)),
        value: row,
    }
}

impl<K, V, A> Chain for Windowed<K, V, A>
where
    K: Stored + Eq + Hash,
    V: Send + 'static,
    A: Aggregate<V, State: Stored, Value: Send + 'static> + Clone + Send + 'static,
{
    type In = Grouped<K, V>;
    type Out = Row<K, A::Value>;

    fn push(&mut self, step: Step<Self::In>, out: &mut impl FnMut(Step<Self::Out>)) {
        match step {
            Step::Record(record) => self.add(record, out),
            Step::Signal(signal) => {
                if let Signal::Progress(progress) = signal {
                    let watermark = progress.watermark.unwrap_or(UNTIMED);
                    if watermark > self.watermark {
                        // There may be more to read when a job that has come to its end is run
                        // again. What is closed stays closed.
                        let at_end = (watermark == END_OF_TIME).then(|| self.last_close());
                        self.watermark = watermark;
                        self.advance(out);
                        self.watermark = at_end.unwrap_or(watermark);
                    }
                }
                self.late.push(Step::Signal(signal));
                out(Step::Signal(signal));
            }
        }
    }

    fn open(&mut self, opening: &mut Opening<'_>) -> Result<(), Error> {
        self.late.open(opening);
        let groups = groups_of(opening.subtask, opening.key_groups);
        self.buckets = Buckets::new(groups.clone());
        let watermarks: Vec<i64> = opening.items(&self.id)?;
        // All subtasks had the same one, because a barrier comes between the same watermarks in
        // all; except at the end.
        let watermark = watermarks.into_iter().max();
        self.watermark = watermark.map_or(UNTIMED, Timestamp);
        let state = opening.state(&self.id);
        for group in groups {
            let Some(bytes) = state.and_then(|state| state.groups.get(&group)) else {
                continue;
            };
            let panes: Vec<StoredPane<K, A::State>> = decode(&self.id, bytes)?;
            for (key, (start, end), state, rows) in panes {
                let (start, end) = (Timestamp(start), Timestamp(end));
                let pane = Pane::restored(Window { start, end }, state, rows);
                let bits = bits_of(&key);
                self.buckets
                    .change(Place { group, bits }, UNTIMED, |windows| {
                        windows.restore(key, pane)
                    });
            }
        }
        Ok(())
    }

    // ANCHOR: snapshot
    fn snapshot(&self, snapshot: &mut Snapshot) {
        let shared = self.buckets.share();
        snapshot.items(&self.id, vec![self.watermark.0]);
        snapshot.later(&self.id, move || {
            let mut state = OperatorState::default();
            for (group, buckets) in by_group(shared) {
                let panes = buckets.iter().flat_map(|windows| windows.panes());
                let panes = panes.map(|(key, pane)| {
                    let window = (pane.window.start.0, pane.window.end.0);
                    (key, window, &pane.state, (pane.rows, pane.changed))
                });
                let panes: Vec<StoredPane<&K, &A::State>> = panes.collect();
                if !panes.is_empty() {
                    state.groups.insert(group, postcard::to_stdvec(&panes)?);
                }
            }
            Ok(state)
        });
    }
    // ANCHOR_END: snapshot
}

/// Key, window, state; number of rows, and whether it has changed since the last one.
type StoredPane<K, S> = (K, (i64, i64), S, (u32, bool));
