//! The transactional ids of the topic of rows, over all runs of the job in this process.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use producer::Identity;

/// What has become of the last transaction of an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Free,
    Open,
    Prepared,
    /// It is committed, and the newest checkpoint names it.
    Committed,
}

/// An id under which this process writes, or has written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Taken {
    pub(crate) identity: Identity,
    pub(crate) state: State,
}

/// Shared by the subtasks of all runs.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ids(Arc<Mutex<Known>>);

#[derive(Debug, Default)]
struct Known {
    /// Those of the checkpoint that the job has begun from.
    held: BTreeSet<String>,
    taken: BTreeMap<String, Taken>,
}

impl Ids {
    /// The job begins from a checkpoint: nothing is held yet.
    pub(crate) fn begin(&self) {
        self.known().held.clear();
    }

    /// Nothing else is written under this id before there is a newer checkpoint.
    pub(crate) fn hold(&self, id: &str) {
        let mut known = self.known();
        known.held.insert(id.to_owned());
        if let Some(taken) = known.taken.get_mut(id) {
            taken.state = State::Committed;
        }
    }

    pub(crate) fn release(&self, id: &str) {
        self.known().held.remove(id);
    }

    pub(crate) fn is_held(&self, id: &str) -> bool {
        self.known().held.contains(id)
    }

    pub(crate) fn take(&self, id: &str, identity: Identity) {
        let state = State::Free;
        let taken = Taken { identity, state };
        self.known().taken.insert(id.to_owned(), taken);
    }

    pub(crate) fn taken(&self, id: &str) -> Option<Taken> {
        self.known().taken.get(id).copied()
    }

    pub(crate) fn is(&self, id: &str, state: State) -> bool {
        self.taken(id).is_some_and(|taken| taken.state == state)
    }

    pub(crate) fn set(&self, id: &str, state: State) {
        if let Some(taken) = self.known().taken.get_mut(id) {
            taken.state = state;
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Taken {
    /// Whether no transaction of this process is open under the id. Then time does not take the
    /// id away, so if another process does not have it, it is still ours.
    pub(crate) fn is_idle(&self) -> bool {
        matches!(self.state, State::Free | State::Committed)
    }
}
