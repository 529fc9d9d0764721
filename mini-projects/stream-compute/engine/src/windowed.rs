//! The operator that keeps windows by key.

use std::fmt;
use std::hash::Hash;
use std::sync::Arc;

use message_model::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::chain::Chain;
use crate::element::{END_OF_TIME, Record, Signal, Step, UNTIMED};
use crate::error::Error;
use crate::key::{Grouped, groups_of};
use crate::operator_id::OperatorId;
use crate::part::{Aggregate, Keyed, KeyedWindows, Pane, Row, Window, WindowRule};
use crate::side::SidePort;
use crate::snapshot::{Opening, OperatorState, Snapshot, decode};

/// What can be a key or a state: it is hashed or copied, and kept in checkpoints.
pub trait Stored: Clone + Serialize + DeserializeOwned + Send + Sync + 'static {}

impl<T: Clone + Serialize + DeserializeOwned + Send + Sync + 'static> Stored for T {}

/// Windows of the keys of some key groups.
///
/// # Snapshots
/// The windows of a group are shared with the snapshots that are not encoded yet. A group
/// that must change while a snapshot has it is copied, that group alone. So the flow never
/// waits for more than one group to be copied.
pub struct Windowed<K, V, A: Aggregate<V>> {
    id: OperatorId,
    rule: WindowRule<A>,
    late: SidePort<V>,
    first_group: u16,
    groups: Vec<Arc<KeyedWindows<K, A::State>>>,
    watermark: Timestamp,
}

impl<K, V, A: Aggregate<V>> fmt::Debug for Windowed<K, V, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Windowed({})", self.id)
    }
}

impl<K, V, A: Aggregate<V> + Clone> Clone for Windowed<K, V, A> {
    fn clone(&self) -> Windowed<K, V, A> {
        Windowed {
            id: self.id.clone(),
            rule: self.rule.clone(),
            late: self.late.clone(),
            first_group: self.first_group,
            groups: self.groups.clone(),
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
            first_group: 0,
            groups: Vec::new(),
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
        let group = usize::from(value.group - self.first_group);
        let record = Keyed {
            time,
            key: value.key,
            value: value.value,
        };
        let windows = Arc::make_mut(&mut self.groups[group]);
        let emit = |row| out(Step::Record(row_record(row)));
        let added = windows.add(&self.rule, self.watermark, &record, emit);
        if added.counted == 0 {
            let value = record.value;
            self.late.push(Step::Record(Record { time, value }));
        }
    }
    // ANCHOR_END: add

    /// When the last of the windows closes, or the watermark if that is farther.
    fn last_close(&self) -> Timestamp {
        let groups = self.groups.iter();
        let ends = groups.flat_map(|group| group.panes().map(|(_, pane)| pane.window.end));
        let lateness = i64::try_from(self.rule.lateness.as_millis()).unwrap_or(i64::MAX);
        let closes = ends.map(|end| Timestamp(end.0.saturating_add(lateness)));
        closes.max().max(Some(self.watermark)).unwrap_or(UNTIMED)
    }

    fn advance(&mut self, out: &mut impl FnMut(Step<Row<K, A::Value>>)) {
        for group in &mut self.groups {
            if group
                .next_timer()
                .is_some_and(|timer| timer <= self.watermark)
            {
                let emit = |row| out(Step::Record(row_record(row)));
                Arc::make_mut(group).advance(&self.rule, self.watermark, emit);
            }
        }
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
        self.first_group = groups.start;
        let watermarks: Vec<i64> = opening.items(&self.id)?;
        // All subtasks had the same one, because a barrier comes between the same watermarks in
        // all; except at the end.
        let watermark = watermarks.into_iter().max();
        self.watermark = watermark.map_or(UNTIMED, Timestamp);
        let state = opening.state(&self.id);
        for group in groups {
            let mut windows = KeyedWindows::default();
            if let Some(bytes) = state.and_then(|state| state.groups.get(&group)) {
                let panes: Vec<StoredPane<K, A::State>> = decode(&self.id, bytes)?;
                for (key, (start, end), state, rows) in panes {
                    let (start, end) = (Timestamp(start), Timestamp(end));
                    windows.restore(key, Pane::restored(Window { start, end }, state, rows));
                }
            }
            self.groups.push(Arc::new(windows));
        }
        Ok(())
    }

    // ANCHOR: snapshot
    fn snapshot(&self, snapshot: &mut Snapshot) {
        let (first, groups) = (self.first_group, self.groups.clone());
        snapshot.items(&self.id, vec![self.watermark.0]);
        snapshot.later(&self.id, move || {
            let mut state = OperatorState::default();
            for (number, group) in (first..).zip(groups) {
                let panes = group.panes().map(|(key, pane)| {
                    let window = (pane.window.start.0, pane.window.end.0);
                    (key, window, &pane.state, (pane.rows, pane.changed))
                });
                let panes: Vec<StoredPane<&K, &A::State>> = panes.collect();
                if !panes.is_empty() {
                    state.groups.insert(number, postcard::to_stdvec(&panes)?);
                }
            }
            Ok(state)
        });
    }
    // ANCHOR_END: snapshot
}

/// Key, window, state; number of rows, and whether it has changed since the last one.
type StoredPane<K, S> = (K, (i64, i64), S, (u32, bool));
