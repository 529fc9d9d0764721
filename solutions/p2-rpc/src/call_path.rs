//! The calls of one connection, on the client's side: from the first frame to the one end.

use async_model::{TimerId, Timers};
use message_model::Moment;

use crate::error::Error;
use crate::message::{CallId, Hello, Side, ToClient};

/// What a message from the server means.
#[derive(Debug, PartialEq, Eq)]
pub enum Received<'a, W> {
    /// A call has ended, and its waiter is given back. The body is for it.
    Reply(W, Result<Side, Error>),
    /// The body is one more item for this waiter; its call goes on.
    Item(&'a W),
    /// Nothing: it is about no call that waits, or about none at all.
    Nothing,
    /// The server has broken the protocol, and the connection must be closed.
    Breach,
}

// ANCHOR: slots
/// The calls in flight on one connection. Pure: no clock and no socket.
///
/// Each call has a *slot*, which its id names: the lowest bits of the id are the slot's
/// index. Ids count up, so that a reply which comes late finds another id in the slot.
///
/// # Invariants
/// - Every waiter that is put in is given back once, whatever happens to its call.
/// - At most `limit` calls are in flight, each with an id that no other one of the last
///   2³² minus `limit` calls had.
/// - A message about a call that is not in flight changes nothing.
/// - A slot has at most one timer, which fires at the deadline of the slot's call or
///   before it. A call that ends leaves the timer for the next call in its slot. So of
///   the calls that end in time, hardly one in thousands costs a timer.
#[derive(Debug)]
pub struct CallPath<W> {
    /// At least twice as many as `limit`, and a power of two.
    slots: Vec<Slot<W>>,
    /// The keys are indexes of slots.
    timers: Timers<usize>,
    in_flight: usize,
    limit: usize,
    last_id: CallId,
    refuses_with: Option<Error>,
    has_greeted: bool,
}

#[derive(Debug)]
struct Slot<W> {
    call: Option<InFlight<W>>,
    timer: Option<(Moment, TimerId)>,
}

#[derive(Debug)]
struct InFlight<W> {
    id: CallId,
    deadline: Moment,
    /// How many items the server may be ahead of the caller.
    window: u32,
    /// How many items may still come.
    credit: u32,
    /// How many items the caller has taken since the server got its last credit.
    taken: u32,
    /// Never looked into.
    waiter: W,
}
// ANCHOR_END: slots

impl<W> CallPath<W> {
    /// Returns a path without calls, for at most `limit` at a time. The first call has the
    /// id behind `last`, and each further one the next whose slot is free.
    #[must_use]
    pub fn new(last: CallId, limit: usize) -> CallPath<W> {
        let slots = (limit.max(1) * 2).next_power_of_two();
        let empty = || Slot {
            call: None,
            timer: None,
        };
        CallPath {
            slots: std::iter::repeat_with(empty).take(slots).collect(),
            timers: Timers::new(),
            in_flight: 0,
            limit,
            last_id: last,
            refuses_with: None,
            has_greeted: false,
        }
    }

    /// Takes a call in that ends at `deadline` if it is still in flight then. The server may
    /// be `window` items ahead of the caller; 0 for a single reply.
    ///
    /// Returns the id to send the call with, and a moment at which [`expire`](CallPath::expire)
    /// is due, if one has come up. Most calls bring none up.
    ///
    /// # Errors
    /// Gives the waiter back when the call must not be sent: the connection is
    /// [`Closed`](Error::Closed), the server is [`Stopping`](Error::Stopping), or there is
    /// [no room](Error::Overloaded). Then nothing has changed: no id is used up.
    pub fn call(
        &mut self,
        deadline: Moment,
        window: u32,
        waiter: W,
    ) -> Result<(CallId, Option<Moment>), (W, Error)> {
        // task p2.4: a call is taken in, or its waiter is given back
        let full = (self.in_flight >= self.limit).then_some(Error::Overloaded);
        if let Some(error) = self.refuses_with.or(full) {
            return Err((waiter, error));
        }
        let id = self.free_id();
        let index = self.index(id);
        let alarm = self.arm(index, deadline);
        self.slots[index].call = Some(InFlight {
            id,
            deadline,
            window,
            credit: window,
            taken: 0,
            waiter,
        });
        self.in_flight += 1;
        Ok((id, alarm))
        // end
    }

    /// Takes in a message from the server.
    ///
    /// - The first one is a hello of our version; no other one is a hello.
    /// - A reply ends its call.
    /// - An item uses up credit; one without credit is a breach.
    /// - A breach ends no call: [`close`](CallPath::close) gives the waiters back.
    /// - [`ToClient::GoAway`] lets the calls in flight end, and refuses further ones.
    pub fn receive(&mut self, message: ToClient) -> Received<'_, W> {
        // task p2.4: what a message means, and which call it ends
        match message {
            ToClient::Hello(hello) if !self.has_greeted && hello == Hello::OURS => {
                self.has_greeted = true;
            }
            ToClient::Hello(_) => return Received::Breach,
            _ if !self.has_greeted => return Received::Breach,
            ToClient::Reply(id, ended) => {
                if let Some(waiter) = self.end(id) {
                    return Received::Reply(waiter, ended);
                }
            }
            ToClient::Item(id) => match self.find(id) {
                Some(InFlight { credit: 0, .. }) => return Received::Breach,
                Some(call) => {
                    call.credit -= 1;
                    return Received::Item(&call.waiter);
                }
                None => {}
            },
            ToClient::GoAway => {
                self.refuses_with.get_or_insert(Error::Stopping);
            }
            ToClient::Pong => {}
        }
        Received::Nothing
        // end
    }

    /// Notes that the caller has taken an item, and returns how much credit the server
    /// must get now: what was taken, once that is half of the window, rounded up or down.
    pub fn taken(&mut self, id: CallId) -> Option<u32> {
        // task p2.4: credit for the server, half a window at a time
        let call = self.find(id)?;
        call.taken += 1;
        if call.taken < call.window.div_ceil(2) {
            return None;
        }
        let credit = std::mem::take(&mut call.taken);
        call.credit += credit;
        Some(credit)
        // end
    }

    /// Takes a call back, with its waiter, if it is in flight: then the server must be told.
    pub fn end(&mut self, id: CallId) -> Option<W> {
        // task p2.4: a call is taken out of its slot
        self.find(id)?;
        // Its slot's timer stays.
        let index = self.index(id);
        self.in_flight -= 1;
        self.slots[index].call.take().map(|call| call.waiter)
        // end
    }

    /// Ends the calls whose deadline is at or before `now`: the server must be told of each.
    pub fn expire(&mut self, now: Moment) -> Vec<(CallId, W)> {
        // task p2.4: the calls whose deadline has come
        let mut ended = Vec::new();
        for index in self.timers.expire(now) {
            self.slots[index].timer = None;
            let Some(InFlight { id, deadline, .. }) = self.slots[index].call else {
                continue;
            };
            if deadline > now {
                self.arm(index, deadline);
            } else if let Some(waiter) = self.end(id) {
                ended.push((id, waiter));
            }
        }
        ended
        // end
    }

    /// Ends all calls: the connection is gone. Further calls end as [`Error::Closed`].
    pub fn close(&mut self) -> Vec<W> {
        // task p2.4: every waiter is given back, and no call is taken in any more
        self.refuses_with = Some(Error::Closed);
        self.timers = Timers::new();
        self.in_flight = 0;
        let calls = self.slots.iter_mut().filter_map(|slot| {
            slot.timer = None;
            slot.call.take()
        });
        calls.map(|call| call.waiter).collect()
        // end
    }

    /// Makes the slot's timer fire at `deadline` or before it. Returns when it fires, if it
    /// did not so far. The slot has one timer: what a new one replaces is cancelled.
    fn arm(&mut self, index: usize, deadline: Moment) -> Option<Moment> {
        // task p2.4: a timer at the deadline or before it
        let slot = &mut self.slots[index];
        match slot.timer {
            Some((fires_at, _)) if fires_at <= deadline => return None,
            Some((_, later)) => drop(self.timers.cancel(later)),
            None => {}
        }
        slot.timer = Some((deadline, self.timers.schedule(deadline, index)));
        Some(deadline)
        // end
    }

    fn find(&mut self, id: CallId) -> Option<&mut InFlight<W>> {
        let index = self.index(id);
        let call = self.slots[index].call.as_mut();
        call.filter(|call| call.id == id)
    }

    /// Returns the next id that is no [`CallId::ONE_WAY`] and whose slot is free; at least half
    /// of the slots are.
    fn free_id(&mut self) -> CallId {
        // task p2.4: an id that no other call had
        loop {
            self.last_id = CallId(self.last_id.0.wrapping_add(1));
            let id = self.last_id;
            if id != CallId::ONE_WAY && self.slots[self.index(id)].call.is_none() {
                return id;
            }
        }
        // end
    }

    fn index(&self, id: CallId) -> usize {
        id.0 as usize & (self.slots.len() - 1)
    }

    /// Returns when [`expire`](CallPath::expire) is due; `None`: no call is in flight.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Moment> {
        self.timers.next_deadline()
    }

    /// Returns why no further call is taken; `None`: it is, if there is room.
    #[must_use]
    pub fn refuses_with(&self) -> Option<Error> {
        self.refuses_with
    }

    /// Returns how many calls are in flight.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.in_flight
    }
}
