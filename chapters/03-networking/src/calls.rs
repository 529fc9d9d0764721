//! The part's in-flight map, shared between callers and the task that reads.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_model::{Clock, Driver};
use bytes::Bytes;
use message_model::Moment;
use tokio::sync::oneshot;

use crate::connection::CallError;
use crate::part::{CallId, Effect, Ended, Event, InFlight};

/// Where a call's caller waits for its end; a reply is handed over as it came.
pub(crate) type Waiter = oneshot::Sender<Result<Bytes, CallError>>;

/// The calls in flight on one connection.
///
/// The lock is held for one step of the map, never over an await.
#[derive(Debug)]
pub(crate) struct Calls {
    clock: Clock,
    in_flight: Mutex<InFlight<Waiter>>,
    deadlines: Driver,
}

impl Calls {
    pub(crate) fn new(clock: Clock, limit: usize) -> Calls {
        Calls {
            clock,
            in_flight: Mutex::new(InFlight::new(limit)),
            deadlines: Driver::new(clock),
        }
    }

    pub(crate) fn now(&self) -> Moment {
        self.clock.now()
    }

    pub(crate) fn len(&self) -> usize {
        self.lock().len()
    }

    /// The place of a new call, which must be sent; `None` when its waiter has its end already.
    pub(crate) fn begin(&self, deadline: Moment, waiter: Waiter) -> Option<Waiting<'_>> {
        let call = Event::Call { deadline, waiter };
        let effects = self.lock().step(self.now(), call);
        let id = run(effects, None)?;
        self.deadlines.note(deadline);
        Some(Waiting { calls: self, id })
    }

    /// Hands a reply to its caller, or drops it if no call waits for it. Returns
    /// whether it was a reply: those begin with an id.
    pub(crate) fn reply(&self, payload: Bytes) -> bool {
        let Some(id) = payload.first_chunk() else {
            return false;
        };
        let id = CallId(i32::from_be_bytes(*id));
        let effects = self.lock().step(self.now(), Event::Reply(id));
        run(effects, Some(payload));
        true
    }

    /// Never returns: ends calls as they run out of time.
    pub(crate) async fn end_overdue(&self) {
        self.deadlines
            .drive(|_| {
                self.step(Event::Tick);
                self.lock().next_deadline()
            })
            .await;
    }

    fn step(&self, event: Event<Waiter>) {
        let effects = self.lock().step(self.now(), event);
        run(effects, None);
    }

    /// A step that panicked in another thread leaves waiters behind; they must still end.
    fn lock(&self) -> MutexGuard<'_, InFlight<Waiter>> {
        self.in_flight
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Does what the map says, outside its lock; the id of the call that is to be sent.
///
/// A waiter that is gone needs no word.
fn run(effects: Vec<Effect<Waiter>>, mut reply: Option<Bytes>) -> Option<CallId> {
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
