//! What a checkpoint has, and how operators put it in and get it back.

use std::collections::BTreeMap;

use async_model::Clock;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::operator_id::OperatorId;
use crate::side::SideOutput;

/// The state of a job at one point of its streams.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Checkpoint {
    /// Counted from 1.
    pub id: u64,
    /// How many key groups the job has: fixed by its first checkpoint.
    pub key_groups: u16,
    /// The state of each operator that has any.
    pub operators: BTreeMap<OperatorId, OperatorState>,
}

/// What one operator has in a checkpoint, of all its subtasks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperatorState {
    /// By key group, encoded. A subtask gets those of its groups.
    pub groups: BTreeMap<u16, Vec<u8>>,
    /// State without keys, encoded. Every subtask gets all of it, and takes what is its own.
    pub items: Vec<Vec<u8>>,
}

/// Which of the subtasks of a task one is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Subtask {
    /// Counted from 0.
    pub index: usize,
    /// How many there are.
    pub count: usize,
}

/// Encodes state, on a thread that may be busy for long.
type Encode = Box<dyn FnOnce() -> Result<OperatorState, postcard::Error> + Send>;

/// The state of a subtask, which is encoded later.
#[derive(Default)]
pub struct Snapshot {
    parts: Vec<(OperatorId, Encode)>,
}

impl std::fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list()
            .entries(self.parts.iter().map(|(id, _)| id))
            .finish()
    }
}

impl Snapshot {
    /// Adds state without keys. An item of no bytes says nothing, and is left out.
    pub fn items<T: Serialize + Send + 'static>(&mut self, id: &OperatorId, items: Vec<T>) {
        self.later(id, move || {
            let encoded = items.iter().map(postcard::to_stdvec);
            let mut items: Vec<Vec<u8>> = encoded.collect::<Result<_, _>>()?;
            items.retain(|item| !item.is_empty());
            Ok(OperatorState {
                groups: BTreeMap::new(),
                items,
            })
        });
    }

    /// Adds what `encode` returns. It is called when the subtask has gone on.
    pub(crate) fn later(
        &mut self,
        id: &OperatorId,
        encode: impl FnOnce() -> Result<OperatorState, postcard::Error> + Send + 'static,
    ) {
        self.parts.push((id.clone(), Box::new(encode)));
    }

    /// Encodes everything, of the operators that have any state.
    pub(crate) fn encode(self) -> Result<BTreeMap<OperatorId, OperatorState>, Error> {
        let mut encoded = BTreeMap::<OperatorId, OperatorState>::new();
        for (id, encode) in self.parts {
            let state = encode().map_err(|error| Error::State(id.clone(), error))?;
            if state != OperatorState::default() {
                encoded.entry(id).or_default().add(state);
            }
        }
        Ok(encoded)
    }
}

impl OperatorState {
    /// Adds what another subtask has of it.
    pub(crate) fn add(&mut self, other: OperatorState) {
        self.groups.extend(other.groups);
        self.items.extend(other.items);
    }
}

impl Checkpoint {
    /// The state of a job that has read nothing.
    pub(crate) fn start(key_groups: u16) -> Checkpoint {
        Checkpoint {
            id: 0,
            key_groups,
            operators: BTreeMap::new(),
        }
    }

    /// Returns the state without keys that `id` had, of all its subtasks: of a source, the
    /// number of each partition and the position in it.
    ///
    /// # Errors
    /// When it is not of this type.
    pub fn items<T: DeserializeOwned>(&self, id: &OperatorId) -> Result<Vec<T>, Error> {
        let items = self.operators.get(id).map(|state| state.items.iter());
        let decoded = items.into_iter().flatten().map(|item| decode(id, item));
        decoded.collect()
    }
}

/// What an operator finds when a subtask begins.
#[derive(Debug)]
pub struct Opening<'a> {
    /// Which subtask.
    pub subtask: Subtask,
    /// Whether its task reads a source: then a partition is the same in each run of the job.
    pub(crate) at_source: bool,
    /// How many key groups the job has.
    pub(crate) key_groups: u16,
    /// What the job is resumed from.
    pub(crate) checkpoint: Option<&'a Checkpoint>,
    pub(crate) clock: Clock,
    /// The side outputs of the task, which the operators add.
    pub(crate) sides: Vec<Box<dyn SideOutput>>,
}

impl Opening<'_> {
    /// The state without keys that `id` had, of all its subtasks.
    ///
    /// # Errors
    /// When it is not of this type.
    pub fn items<T: DeserializeOwned>(&self, id: &OperatorId) -> Result<Vec<T>, Error> {
        self.checkpoint
            .map_or(Ok(Vec::new()), |checkpoint| checkpoint.items(id))
    }

    pub(crate) fn state(&self, id: &OperatorId) -> Option<&OperatorState> {
        self.checkpoint?.operators.get(id)
    }
}

/// Decodes the state of `id`, whole.
pub(crate) fn decode<T: DeserializeOwned>(id: &OperatorId, bytes: &[u8]) -> Result<T, Error> {
    let (value, rest) =
        postcard::take_from_bytes(bytes).map_err(|error| Error::State(id.clone(), error))?;
    if rest.is_empty() {
        Ok(value)
    } else {
        Err(Error::State(
            id.clone(),
            postcard::Error::DeserializeUnexpectedEnd,
        ))
    }
}
