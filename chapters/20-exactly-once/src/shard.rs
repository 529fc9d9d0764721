//! The transactional ids that are stored in one partition of `__transaction_state`.

use std::sync::{Arc, Mutex, MutexGuard};

use broker::Partition;
use message_model::{Moment, Offset};
use tokio::sync::oneshot;
use wire_protocol::ErrorCode;

use crate::common::Common;
use crate::entry::Entry;
use crate::parked::Parked;
use crate::part::{CallId, Effect, Now, Transactions};
use crate::state::{Asker, Serving, State, Todo};

/// One partition's transactional ids.
///
/// # Locks
/// `state` is held for memory work only. One task at a time appends, so that records are
/// in the order in which they were asked for.
#[derive(Debug)]
pub(crate) struct Shard {
    pub(crate) index: usize,
    pub(crate) common: Arc<Common>,
    pub(crate) partition: Arc<Partition>,
    state: Mutex<State>,
}

impl Shard {
    /// Returns the shard of `partition`, whose transactional ids are still on disk, if it has any.
    pub(crate) fn new(index: usize, common: &Arc<Common>, partition: &Arc<Partition>) -> Shard {
        let is_new = partition
            .ends()
            .is_ok_and(|ends| ends.log_end == Offset::ZERO);
        let serving = if is_new {
            Serving::Yes
        } else {
            Serving::Loading
        };
        Shard {
            index,
            common: Arc::clone(common),
            partition: Arc::clone(partition),
            state: Mutex::new(State::new(serving)),
        }
    }

    /// Returns the state of a shard that can answer.
    ///
    /// # Errors
    /// 14 while the shard is loaded; 16 if it is on no disk any more.
    pub(crate) fn serving(&self) -> Result<MutexGuard<'_, State>, ErrorCode> {
        if self.partition.ends().is_err() {
            return Err(ErrorCode::NOT_COORDINATOR);
        }
        let state = self.state();
        state.check_serving()?;
        Ok(state)
    }

    /// Returns the state, whatever it is.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nobody panics under this lock")
    }

    /// Parks a call at a transactional id, which is made if there is none and `makes` says so.
    /// The answer may be there already.
    ///
    /// # Errors
    /// As [`Shard::serving`]; 49 if there is no such id; 44 if there is no room for another.
    pub(crate) fn park(
        self: &Arc<Self>,
        id: &str,
        makes: bool,
        act: impl FnOnce(&mut Transactions, Now, CallId) -> Vec<Effect>,
    ) -> Result<Parked, ErrorCode> {
        let mut state = self.serving()?;
        if !state.ids.contains_key(id) {
            if !makes {
                return Err(ErrorCode::INVALID_PRODUCER_ID_MAPPING);
            }
            if !self.common.room.has_entry() || !self.common.room.has_bytes(id.len()) {
                return Err(ErrorCode::POLICY_VIOLATION);
            }
            let settings = Arc::clone(&self.common.of_transactions);
            let new = Transactions::new(self.common.now(), settings);
            state.ids.insert(id.into(), Entry::new(&self.common, new));
        }
        let call = self.common.call();
        let (caller, answer) = oneshot::channel();
        state.callers.insert(call, caller);
        self.step_in(state, id, |entry, now| {
            act(&mut entry.transactions, now, call)
        });
        Ok(Parked {
            shard: Arc::clone(self),
            call,
            answer,
        })
    }

    /// Some work that a transactional id has asked for has ended.
    pub(crate) fn report(
        self: &Arc<Self>,
        asker: &Asker,
        act: impl FnOnce(&mut Transactions, Now) -> Vec<Effect>,
    ) {
        let state = self.state();
        let entry = state.ids.get(&asker.id);
        if entry.is_some_and(|entry| entry.number == asker.number) {
            self.step_in(state, &asker.id, |entry, now| {
                act(&mut entry.transactions, now)
            });
        }
    }

    /// An alarm rings that was set for `at`.
    pub(crate) fn ring(self: &Arc<Self>, id: &str, at: Moment) {
        self.step_in(self.state(), id, |entry, now| {
            entry.alarm.take_if(|alarm| *alarm == at);
            entry.transactions.expire(now)
        });
    }

    // ANCHOR: step
    fn step_in(
        self: &Arc<Self>,
        mut state: MutexGuard<'_, State>,
        id: &str,
        act: impl FnOnce(&mut Entry, Now) -> Vec<Effect>,
    ) {
        let now = self.common.now();
        let Some(entry) = state.ids.get_mut(id) else {
            return;
        };
        let effects = act(entry, now);
        let todo = state.settle(self.index, id, effects);
        drop(state);
        self.carry_out(todo);
    }
    // ANCHOR_END: step

    /// Does what was left to do when the lock was released.
    pub(crate) fn carry_out(self: &Arc<Self>, todo: Todo) {
        for (caller, answer) in todo.answers {
            // It is dropped if the client is gone, and then nobody has to know.
            let _ = caller.send(answer);
        }
        if let Some((before, alarm)) = todo.alarm {
            self.common.deadlines.set(before, alarm);
        }
        let runtime = &self.common.runtime;
        if todo.stores {
            runtime.spawn(Arc::clone(self).store_all());
        }
        for beginning in todo.beginnings {
            runtime.spawn(Arc::clone(self).begin(beginning));
        }
        for marking in todo.markings {
            self.write_markers(marking);
        }
    }

    /// Ends all parked calls; from now on the shard answers nothing.
    pub(crate) fn close(&self) {
        let callers = {
            let mut state = self.state();
            state.serving = Serving::No;
            std::mem::take(&mut state.callers)
        };
        drop(callers);
    }
}
