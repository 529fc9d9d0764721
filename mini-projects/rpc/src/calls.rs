//! The calls in flight on a connection, shared between callers and the connection's task.

use std::sync::atomic::{AtomicBool, Ordering};

use async_model::{Clock, Driver};
use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout_at;

use crate::outbox::{Outbox, Queue};
use crate::part::{CallId, CallPath, Error, HEADER_MAX, Received, ToServer, get};
use crate::settings::ClientSettings;
use crate::streaming::Event;
use crate::transport::{Outcome, Request};

/// Where a caller waits.
#[derive(Debug)]
pub(crate) enum Waiter {
    /// For one reply.
    Reply(oneshot::Sender<Outcome>),
    /// For items, and for the reply behind them. It has room for all credit, and one reply.
    Items(mpsc::Sender<Event>),
}

impl Waiter {
    /// A caller that does not wait any more needs no outcome.
    fn end(self, outcome: Outcome) {
        match self {
            Waiter::Reply(caller) => drop(caller.send(outcome)),
            Waiter::Items(caller) => drop(caller.try_send(Event::End(outcome))),
        }
    }
}

/// The calls in flight, and the messages that wait to be written.
#[derive(Debug)]
pub(crate) struct Calls {
    pub(crate) settings: ClientSettings,
    clock: Clock,
    pub(crate) outbox: Outbox<CallPath<Waiter>>,
    /// As the path says, to be read without its lock.
    refuses: AtomicBool,
    deadlines: Driver,
}

impl Calls {
    pub(crate) fn new(clock: Clock, settings: ClientSettings) -> Calls {
        let path = CallPath::new(CallId::ONE_WAY, settings.in_flight_max);
        Calls {
            settings,
            clock,
            outbox: Outbox::new(path),
            refuses: AtomicBool::new(false),
            deadlines: Driver::new(clock),
        }
    }

    /// Sends a call as soon as there is room for it, and returns its id. Without a waiter
    /// nothing answers it.
    ///
    /// # Errors
    /// If it was not sent: there was no room before its deadline, its arguments are too
    /// large, the connection is gone, or the server stops.
    pub(crate) async fn send(
        &self,
        request: &Request<'_>,
        window: u32,
        mut waiter: Option<Waiter>,
    ) -> Result<CallId, Error> {
        let body = request.arguments;
        if body.len() + HEADER_MAX > self.settings.frame_bytes_max {
            return Err(Error::TooLarge);
        }
        let deadline = self.clock.at(request.deadline);
        let mut patience = Some(request.patience);
        // ANCHOR: step
        let mut step = |queue: &mut Queue<CallPath<Waiter>>| {
            let patience = patience.take().unwrap_or_else(|| request.left());
            if queue.is_closed {
                // This call was never on the connection.
                return Some(Err(Error::Unreachable));
            }
            if !queue.has_room() {
                return None;
            }
            let id = match (waiter.take(), queue.state.refuses_with()) {
                (None, Some(error)) => return Some(Err(error)),
                (None, None) => CallId::ONE_WAY,
                (Some(caller), _) => match queue.state.call(deadline, window, caller) {
                    Ok((id, alarm)) => {
                        alarm.inspect(|alarm| self.deadlines.note(*alarm));
                        id
                    }
                    Err((caller, Error::Overloaded)) => {
                        waiter = Some(caller);
                        return None;
                    }
                    Err((_, error)) => return Some(Err(error)),
                },
            };
            let request = Request {
                patience,
                ..*request
            };
            queue.put(&ToServer::Call(request.call(id, window)), body);
            Some(Ok(id))
        };
        // ANCHOR_END: step
        match self.outbox.step(&mut step) {
            Some(sent) => sent,
            None => timeout_at(request.deadline, self.outbox.until(&mut step))
                .await
                .unwrap_or(Err(Error::DeadlinePassed)),
        }
    }

    /// Sends what is no call.
    pub(crate) fn put(&self, message: &ToServer) {
        self.outbox.step(|queue| queue.put(message, &[]));
    }

    /// Takes in messages that came together; returns whether the connection may go on.
    pub(crate) fn receive(&self, payloads: Vec<Bytes>) -> bool {
        let mut ended = Vec::new();
        let may_go_on = self.change(|queue| {
            for payload in payloads {
                let Ok((message, body)) = get(payload) else {
                    return false;
                };
                match queue.state.receive(message) {
                    Received::Reply(waiter, result) => {
                        ended.push((waiter, result.map(|side| (side, body))));
                    }
                    Received::Item(Waiter::Items(caller)) => {
                        // It has room for all credit; a caller that is gone needs no item.
                        let _ = caller.try_send(Event::Item(body));
                    }
                    Received::Nothing => {}
                    Received::Item(Waiter::Reply(_)) | Received::Breach => return false,
                }
            }
            true
        });
        for (waiter, outcome) in ended {
            waiter.end(outcome);
        }
        may_go_on
    }

    /// Never returns: ends calls as they run out of time, and stops them on the server.
    pub(crate) async fn end_overdue(&self) {
        let step = |now| {
            let (overdue, next) = self.change(|queue| {
                let overdue = queue.state.expire(now);
                for (id, _) in &overdue {
                    queue.put(&ToServer::Cancel(*id), &[]);
                }
                (overdue, queue.state.next_deadline())
            });
            for (_, waiter) in overdue {
                waiter.end(Err(Error::DeadlinePassed));
            }
            next
        };
        self.deadlines.drive(step).await;
    }

    /// The caller of a stream has taken an item.
    pub(crate) fn taken(&self, id: CallId) {
        self.outbox.step(|queue| {
            if let Some(credit) = queue.state.taken(id) {
                queue.put(&ToServer::Credit(id, credit), &[]);
            }
        });
    }

    /// The caller does not wait any more.
    pub(crate) fn take_back(&self, id: CallId) {
        self.change(|queue| {
            if queue.state.end(id).is_some() {
                queue.put(&ToServer::Cancel(id), &[]);
            }
        });
    }

    /// Ends all calls: the connection is gone.
    pub(crate) fn close(&self) {
        let ended = self.change(|queue| {
            // Taken out first: a panic drops it with all waiters, so that no caller waits for ever.
            let none = CallPath::new(CallId::ONE_WAY, 0);
            let mut path = std::mem::replace(&mut queue.state, none);
            let ended = path.close();
            queue.state = path;
            ended
        });
        for waiter in ended {
            waiter.end(Err(Error::Closed));
        }
    }

    /// Does a step after which there may be room for a call, or none may be made.
    fn change<T>(&self, step: impl FnOnce(&mut Queue<CallPath<Waiter>>) -> T) -> T {
        let (result, refuses) = self.outbox.step(|queue| {
            let result = step(queue);
            let refuses = queue.state.refuses_with().is_some();
            queue.is_closed |= refuses && queue.state.in_flight() == 0;
            (result, refuses)
        });
        if refuses {
            // Relaxed: what else a caller reads is behind a lock.
            self.refuses.store(true, Ordering::Relaxed);
        }
        self.outbox.free();
        result
    }

    /// Whether no further call can be made.
    pub(crate) fn refuses(&self) -> bool {
        self.refuses.load(Ordering::Relaxed)
    }

    /// Returns how many calls are in flight.
    pub(crate) fn in_flight(&self) -> usize {
        self.outbox.step(|queue| queue.state.in_flight())
    }
}
