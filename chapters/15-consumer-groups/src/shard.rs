//! The groups that are stored in one partition of `__consumer_offsets`.

use std::sync::{Arc, Mutex, MutexGuard};

use broker::Partition;
use message_model::{Moment, Offset};
use tokio::sync::{Mutex as AsyncMutex, oneshot};
use wire_protocol::ErrorCode;

use crate::common::Common;
use crate::entry::Entry;
use crate::parked::Parked;
use crate::part::{CallId, Effect, Group};
use crate::state::{Serving, State, Storing, Todo};

/// One partition's groups.
///
/// # Locks
/// `turn` is held by the one who appends, over awaits; `state` for memory work only, with or
/// without the turn. A step of a group needs no turn, a change of what is stored does.
#[derive(Debug)]
pub(crate) struct Shard {
    pub(crate) index: usize,
    pub(crate) common: Arc<Common>,
    pub(crate) partition: Arc<Partition>,
    pub(crate) turn: Arc<AsyncMutex<()>>,
    state: Mutex<State>,
}

impl Shard {
    /// Returns the shard of `partition`, whose groups are still on disk, if it has any.
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
            turn: Arc::default(),
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

    /// Returns what `act` makes of a group; `None` if there is no such group.
    ///
    /// # Errors
    /// As [`Shard::serving`].
    pub(crate) fn step<T>(
        self: &Arc<Self>,
        group: &str,
        act: impl FnOnce(&mut Group, Moment) -> (T, Vec<Effect>),
    ) -> Result<Option<T>, ErrorCode> {
        let state = self.serving()?;
        Ok(self.step_in(state, group, |entry, now| act(&mut entry.group, now)))
    }

    // ANCHOR: step
    fn step_in<T>(
        self: &Arc<Self>,
        mut state: MutexGuard<'_, State>,
        group: &str,
        act: impl FnOnce(&mut Entry, Moment) -> (T, Vec<Effect>),
    ) -> Option<T> {
        let now = self.common.now();
        let wall = self.common.broker.services.clock.wall();
        let (result, effects) = act(state.groups.get_mut(group)?, now);
        let todo = state.settle(self.index, group, effects, wall);
        drop(state);
        self.carry_out(todo);
        Some(result)
    }
    // ANCHOR_END: step

    /// Parks a call at a group, which `act` hands to the group. The answer may be there
    /// already. `None` if there is no such group, and `makes` does not say to make one.
    ///
    /// # Errors
    /// As [`Shard::serving`]; `GROUP_MAX_SIZE_REACHED` if there is no room for another group.
    pub(crate) fn park(
        self: &Arc<Self>,
        group: String,
        makes: bool,
        act: impl FnOnce(&mut Group, Moment, CallId) -> Vec<Effect>,
    ) -> Result<Option<Parked>, ErrorCode> {
        let mut state = self.serving()?;
        if !state.groups.contains_key(&*group) {
            if !makes {
                return Ok(None);
            }
            if !self.common.room.has_entry() {
                return Err(ErrorCode::GROUP_MAX_SIZE_REACHED);
            }
            state.entry(&group, &self.common);
        }
        let call = self.common.call();
        let (caller, answer) = oneshot::channel();
        state.callers.insert(call, caller);
        let step = |entry: &mut Entry, now: Moment| ((), act(&mut entry.group, now, call));
        self.step_in(state, &group, step);
        Ok(Some(Parked {
            shard: Arc::clone(self),
            group,
            call,
            answer,
            is_answered: false,
        }))
    }

    /// The client of a parked call is gone.
    pub(crate) fn gone(self: &Arc<Self>, group: &str, call: CallId) {
        let mut state = self.state();
        if state.callers.remove(&call).is_some() {
            self.step_in(state, group, |entry, now| ((), entry.group.gone(now, call)));
        }
    }

    /// An alarm rings that was set for `at`.
    pub(crate) fn ring(self: &Arc<Self>, group: &str, at: Moment) {
        let expire = |entry: &mut Entry, now: Moment| {
            entry.alarm.take_if(|alarm| *alarm == at);
            ((), entry.group.expire(now))
        };
        self.step_in(self.state(), group, expire);
    }

    /// Does what was left to do when the lock was released.
    pub(crate) fn carry_out(self: &Arc<Self>, todo: Todo) {
        for (caller, answer) in todo.answers {
            // It is dropped if the client is gone, and the member has its session timeout.
            let _ = caller.send(answer);
        }
        if let Some((before, alarm)) = todo.alarm {
            self.common.deadlines.set(before, alarm);
        }
        if todo.stores {
            let storing = Arc::clone(self).store_groups();
            self.common.runtime.spawn(storing);
        }
    }

    /// Stores groups until none is left that is to be stored, and tells them.
    async fn store_groups(self: Arc<Self>) {
        loop {
            let turn = self.any_turn().await;
            let appended = {
                let mut state = self.state();
                // Nobody else is about to append one, for the turn is here.
                if state.to_store.is_empty() && state.appended.is_empty() {
                    state.is_storing = false;
                    return;
                }
                std::mem::take(&mut state.appended)
            };
            drop(turn);
            for (storing, appended) in appended {
                let is_stored = match appended {
                    Ok(end) => self.durable(end).await.is_ok(),
                    Err(_) => false,
                };
                self.stored(&storing, is_stored);
            }
        }
    }

    fn stored(self: &Arc<Self>, storing: &Storing, is_stored: bool) {
        let group = &*storing.group;
        if !is_stored {
            tracing::error!("the group {group:?} could not be stored");
        }
        let state = self.state();
        let entry = state.groups.get(group);
        if entry.is_some_and(|entry| entry.number == storing.number) {
            let step = |entry: &mut Entry, now: Moment| {
                ((), entry.group.stored(now, storing.id, is_stored))
            };
            self.step_in(state, group, step);
        }
    }

    /// Completes when the log is on disk up to `end`.
    ///
    /// # Errors
    /// 15 if that takes too long, 16 if the disk has failed.
    pub(crate) async fn durable(&self, end: Offset) -> Result<(), ErrorCode> {
        let deadline = self.common.now().plus(self.common.settings.write_timeout);
        let durable = self.partition.durable(end, deadline).await;
        durable.map_err(|error| match broker::error_code(&error) {
            ErrorCode::REQUEST_TIMED_OUT => ErrorCode::COORDINATOR_NOT_AVAILABLE,
            _ => ErrorCode::NOT_COORDINATOR,
        })
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
