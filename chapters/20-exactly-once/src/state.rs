//! What a shard keeps under its lock.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use consumer_groups::Alarm;
use message_model::{Moment, TopicPartition};
use tokio::sync::oneshot;
use wire_protocol::ErrorCode;

use crate::entry::Entry;
use crate::part::{CallId, Effect, Instance, Outcome, Refusal, TransactionMetadata, WorkId};

/// What a parked call is answered with.
pub(crate) type Answer = Result<Instance, Refusal>;

/// Whether a shard can answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Serving {
    /// The partition is being read.
    Loading,
    Yes,
    /// The partition cannot be read or is gone, or the broker stops.
    No,
}

/// The transactional id that has asked for some work.
#[derive(Debug, Clone)]
pub(crate) struct Asker {
    pub(crate) id: Arc<str>,
    /// Of the [`Entry`].
    pub(crate) number: u64,
}

/// A transactional id that is to be stored.
#[derive(Debug)]
pub(crate) struct Storing {
    pub(crate) asker: Asker,
    pub(crate) work: WorkId,
    pub(crate) metadata: Option<TransactionMetadata>,
}

/// Partitions that are to be told of a transaction.
#[derive(Debug)]
pub(crate) struct Beginning {
    pub(crate) asker: Asker,
    pub(crate) work: WorkId,
    pub(crate) producer: Instance,
    pub(crate) partitions: Vec<TopicPartition>,
}

/// Markers that are to be written.
#[derive(Debug)]
pub(crate) struct Marking {
    pub(crate) asker: Asker,
    pub(crate) producer: Instance,
    pub(crate) outcome: Outcome,
    pub(crate) partitions: Vec<TopicPartition>,
}

/// What a shard keeps under its lock.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) serving: Serving,
    pub(crate) ids: BTreeMap<Arc<str>, Entry>,
    /// Where the answers of parked calls go.
    pub(crate) callers: HashMap<CallId, oneshot::Sender<Answer>>,
    /// What is to be stored, in its order.
    pub(crate) to_store: VecDeque<Storing>,
    /// A task stores, or is about to.
    pub(crate) is_storing: bool,
}

/// What is left to do when the lock is released.
#[derive(Debug, Default)]
#[must_use]
pub(crate) struct Todo {
    pub(crate) answers: Vec<(oneshot::Sender<Answer>, Answer)>,
    /// An alarm, and the moment of the one that it replaces.
    pub(crate) alarm: Option<(Option<Moment>, Alarm)>,
    pub(crate) beginnings: Vec<Beginning>,
    pub(crate) markings: Vec<Marking>,
    /// Whether a task must be started that stores.
    pub(crate) stores: bool,
}

impl State {
    pub(crate) fn new(serving: Serving) -> State {
        State {
            serving,
            ids: BTreeMap::new(),
            callers: HashMap::new(),
            to_store: VecDeque::new(),
            is_storing: false,
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

    /// Notes what a step of the transactional id `id` of shard `shard` has changed. Returns
    /// what is left to do without the lock.
    pub(crate) fn settle(&mut self, shard: usize, id: &str, effects: Vec<Effect>) -> Todo {
        let mut todo = Todo::default();
        let Some((id, entry)) = self.ids.get_key_value(id) else {
            return todo;
        };
        let asker = Asker {
            id: Arc::clone(id),
            number: entry.number,
        };
        for effect in effects {
            self.settle_one(&asker, effect, &mut todo);
        }
        todo.stores = !self.to_store.is_empty() && !self.is_storing;
        self.is_storing |= todo.stores;
        let id = asker.id;
        let Some(entry) = self.ids.get_mut(&id) else {
            return todo;
        };
        if entry.transactions.is_nothing() {
            self.ids.remove(&id);
            return todo;
        }
        entry.recount(&id);
        if let Some(at) = entry.transactions.next_deadline()
            && entry.alarm.is_none_or(|alarm| at < alarm)
        {
            let before = entry.alarm.replace(at);
            todo.alarm = Some((before, Alarm { at, shard, id }));
        }
        todo
    }

    fn settle_one(&mut self, asker: &Asker, effect: Effect, todo: &mut Todo) {
        let asker = asker.clone();
        match effect {
            Effect::Answer { call, answer } => {
                let caller = self.callers.remove(&call);
                todo.answers.extend(caller.map(|caller| (caller, answer)));
            }
            Effect::Store { work, metadata } => self.to_store.push_back(Storing {
                asker,
                work,
                metadata,
            }),
            Effect::Begin {
                work,
                producer,
                partitions,
            } => todo.beginnings.push(Beginning {
                asker,
                work,
                producer,
                partitions,
            }),
            Effect::WriteMarkers {
                producer,
                outcome,
                partitions,
            } => todo.markings.push(Marking {
                asker,
                producer,
                outcome,
                partitions,
            }),
        }
    }
}
