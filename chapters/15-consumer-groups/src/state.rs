//! What a shard keeps under its lock.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use message_model::{Moment, Offset, ProducerId, Timestamp, TopicName};
use tokio::sync::oneshot;
use wire_protocol::ErrorCode;

use crate::common::Common;
use crate::deadlines::Alarm;
use crate::entry::Entry;
use crate::part::{CallId, Effect, StoreId};
use crate::records::{GroupValue, Stored};

/// Whether a shard can answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Serving {
    /// The partition is being read.
    Loading,
    Yes,
    /// The partition cannot be read or is gone, or the broker stops.
    No,
}

/// A group that is to be stored, or was appended.
#[derive(Debug)]
pub(crate) struct Storing {
    pub(crate) group: Arc<str>,
    /// Of the [`Entry`].
    pub(crate) number: u64,
    pub(crate) id: StoreId,
    pub(crate) value: GroupValue,
}

/// What a shard keeps under its lock.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) serving: Serving,
    pub(crate) groups: BTreeMap<Arc<str>, Entry>,
    /// The groups that have offsets in the open transaction of a producer.
    pub(crate) transactions: BTreeMap<ProducerId, BTreeSet<Arc<str>>>,
    /// Where the answers of parked calls go.
    pub(crate) callers: HashMap<CallId, oneshot::Sender<Effect>>,
    /// Groups that are to be stored, in their order.
    pub(crate) to_store: VecDeque<Storing>,
    /// Groups that were appended up to an offset, or could not be, and are to hear of it.
    pub(crate) appended: VecDeque<(Storing, Result<Offset, ErrorCode>)>,
    /// A task stores groups, or is about to.
    pub(crate) is_storing: bool,
    /// Topics that were deleted while the shard was loaded. Others may have their names by now.
    pub(crate) deleted: BTreeSet<TopicName>,
}

/// What is left to do when the lock is released.
#[derive(Debug, Default)]
#[must_use]
pub(crate) struct Todo {
    pub(crate) answers: Vec<(oneshot::Sender<Effect>, Effect)>,
    /// An alarm, and the moment of the one that it replaces.
    pub(crate) alarm: Option<(Option<Moment>, Alarm)>,
    /// Whether a task must be started that stores groups.
    pub(crate) stores: bool,
}

impl State {
    pub(crate) fn new(serving: Serving) -> State {
        State {
            serving,
            groups: BTreeMap::new(),
            transactions: BTreeMap::new(),
            callers: HashMap::new(),
            to_store: VecDeque::new(),
            appended: VecDeque::new(),
            is_storing: false,
            deleted: BTreeSet::new(),
        }
    }

    /// # Errors
    /// The code for a shard that cannot answer.
    pub(crate) fn check_serving(&self) -> Result<(), ErrorCode> {
        match self.serving {
            Serving::Yes => Ok(()),
            Serving::Loading => Err(ErrorCode::COORDINATOR_LOAD_IN_PROGRESS),
            Serving::No => Err(ErrorCode::NOT_COORDINATOR),
        }
    }

    /// Returns a group, which is made if there is none.
    pub(crate) fn entry(&mut self, id: &str, common: &Common) -> &mut Entry {
        if !self.groups.contains_key(id) {
            self.groups.insert(id.into(), Entry::new(common));
        }
        self.groups.get_mut(id).expect("it was just put there")
    }

    /// Returns what to append for the first group that is to be stored.
    pub(crate) fn first_to_store(&self) -> Option<Stored> {
        let storing = self.to_store.front()?;
        Some(Stored::Group {
            group: Arc::clone(&storing.group),
            value: Some(storing.value.clone()),
        })
    }

    /// Notes what became of the first group that was to be stored.
    pub(crate) fn first_is_appended(&mut self, appended: Result<Offset, ErrorCode>) {
        let storing = self.to_store.pop_front();
        self.appended
            .extend(storing.map(|storing| (storing, appended)));
    }

    /// Notes what a step of the group `id` of shard `shard` has changed. Returns what is
    /// left to do without the lock.
    pub(crate) fn settle(
        &mut self,
        shard: usize,
        id: &str,
        effects: Vec<Effect>,
        now: Timestamp,
    ) -> Todo {
        let mut todo = Todo::default();
        let Some((id, _)) = self.groups.get_key_value(id) else {
            return todo;
        };
        let id = Arc::clone(id);
        let Some(entry) = self.groups.get_mut(&id) else {
            return todo;
        };
        for effect in effects {
            match effect {
                Effect::Joined { call, .. } | Effect::Synced { call, .. } => {
                    let caller = self.callers.remove(&call);
                    todo.answers.extend(caller.map(|caller| (caller, effect)));
                }
                Effect::Store { id: store, group } => {
                    entry.since = now;
                    self.to_store.push_back(Storing {
                        group: Arc::clone(&id),
                        number: entry.number,
                        id: store,
                        value: GroupValue { group, since: now },
                    });
                }
            }
        }
        todo.stores = !self.to_store.is_empty() && !self.is_storing;
        self.is_storing |= todo.stores;
        if entry.is_nothing() {
            self.groups.remove(&id);
            return todo;
        }
        entry.recount(&id);
        if let Some(at) = entry.group.next_deadline()
            && entry.alarm.is_none_or(|alarm| at < alarm)
        {
            let before = entry.alarm.replace(at);
            todo.alarm = Some((before, Alarm { at, shard, id }));
        }
        todo
    }
}
