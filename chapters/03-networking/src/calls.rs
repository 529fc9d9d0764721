//! The part's in-flight map, shared between callers and the task that reads.

use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_model::Clock;
use message_model::Moment;
use tokio::sync::{Notify, oneshot};

use crate::connection::CallError;
use crate::part::{CallId, Effect, Ended, Event, InFlight};

/// Who waits for a call; a reply is handed over as it came.
pub(crate) type Waiter = oneshot::Sender<Result<Vec<u8>, CallError>>;

/// The calls in flight on one connection.
///
/// The lock is held for one step of the map, never over an await.
#[derive(Debug)]
pub(crate) struct Calls {
    clock: Clock,
    state: Mutex<State>,
    /// A deadline has come in that is earlier than the one slept for.
    earlier_deadline: Notify,
}

#[derive(Debug)]
struct State {
    in_flight: InFlight<Waiter>,
    /// The deadline that [`Calls::end_overdue`] sleeps for; `None`: it sleeps for ever.
    slept_for: Option<Moment>,
}

impl Calls {
    pub(crate) fn new(clock: Clock, limit: usize) -> Calls {
        Calls {
            clock,
            state: Mutex::new(State {
                in_flight: InFlight::new(limit),
                slept_for: None,
            }),
            earlier_deadline: Notify::new(),
        }
    }

    pub(crate) fn now(&self) -> Moment {
        self.clock.now()
    }

    pub(crate) fn len(&self) -> usize {
        self.lock().in_flight.len()
    }

    /// Takes a call in. `None` when it must not be sent: its waiter has been told why.
    pub(crate) fn begin(&self, deadline: Moment, waiter: Waiter) -> Option<Waiting<'_>> {
        let mut state = self.lock();
        let effects = state
            .in_flight
            .step(self.now(), Event::Call { deadline, waiter });
        let is_earlier = state.slept_for.is_none_or(|slept| deadline < slept);
        drop(state);
        if is_earlier {
            self.earlier_deadline.notify_one();
        }
        let id = run(effects, None)?;
        Some(Waiting { calls: self, id })
    }

    /// Hands a reply to its caller, or drops it if nobody waits for it. Whether
    /// it was one: it begins with an id.
    pub(crate) fn reply(&self, payload: Vec<u8>) -> bool {
        let Some(id) = payload.first_chunk() else {
            return false;
        };
        let id = CallId(i32::from_be_bytes(*id));
        let effects = self.lock().in_flight.step(self.now(), Event::Reply(id));
        run(effects, Some(payload));
        true
    }

    /// Waits until some calls have run out of time, and ends them. May be dropped while it waits.
    pub(crate) async fn end_overdue(&self) {
        let next = {
            let mut state = self.lock();
            state.slept_for = state.in_flight.next_deadline();
            state.slept_for
        };
        let overdue = async {
            match next {
                Some(deadline) => self.clock.sleep_until(deadline).await,
                None => pending().await,
            }
        };
        tokio::select! {
            () = overdue => self.step(Event::Tick),
            () = self.earlier_deadline.notified() => {}
        }
    }

    fn step(&self, event: Event<Waiter>) {
        let effects = self.lock().in_flight.step(self.now(), event);
        run(effects, None);
    }

    /// A step that panicked in another thread leaves waiters behind; they must still end.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Does what the map says, outside its lock; the id of the call that is to be sent.
///
/// A waiter that is gone needs no word.
fn run(effects: Vec<Effect<Waiter>>, mut reply: Option<Vec<u8>>) -> Option<CallId> {
    let mut to_send = None;
    for effect in effects {
        match effect {
            Effect::Send(id) => to_send = Some(id),
            Effect::End(waiter, ended) => {
                let _ = waiter.send(match ended {
                    Ended::Replied => reply.take().ok_or(CallError::Closed),
                    Ended::DeadlinePassed => Err(CallError::DeadlinePassed),
                    Ended::Closed | Ended::Cancelled => Err(CallError::Closed),
                    Ended::Refused => Err(CallError::Refused),
                });
            }
        }
    }
    to_send
}

/// A call in flight. Dropped before its end it takes the call out of the map.
#[derive(Debug)]
pub(crate) struct Waiting<'a> {
    calls: &'a Calls,
    id: CallId,
}

impl Waiting<'_> {
    pub(crate) fn id(&self) -> CallId {
        self.id
    }

    /// Nothing is left to be taken back: its id may be another call's by now.
    pub(crate) fn has_ended(self) {
        std::mem::forget(self);
    }
}

// ANCHOR: waiting
impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.calls.step(Event::Cancel(self.id));
    }
}
// ANCHOR_END: waiting

/// Ends every call when it is dropped: when the connection ends, when its task
/// panics, and when the runtime shuts down.
#[derive(Debug)]
pub(crate) struct CloseOnDrop(pub(crate) Arc<Calls>);

// ANCHOR: close
impl Drop for CloseOnDrop {
    fn drop(&mut self) {
        self.0.step(Event::Close);
    }
}
// ANCHOR_END: close
