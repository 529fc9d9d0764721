//! The calls that wait for a reply on one connection.

use std::collections::BTreeMap;

use async_model::{TimerId, Timers};
use message_model::Moment;

/// Travels with a call and comes back with its reply; Kafka's correlation id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId(pub i32);

/// What happens to the map.
#[derive(Debug, PartialEq, Eq)]
pub enum Event<W> {
    /// A caller makes a call, and gives up at `deadline`.
    Call {
        /// When the call ends without a reply.
        deadline: Moment,
        /// Comes back when the call ends; never looked into.
        waiter: W,
    },
    /// A reply came in.
    Reply(CallId),
    /// The caller does not want the reply any more.
    Cancel(CallId),
    /// Time has passed.
    Tick,
    /// The connection is gone.
    Close,
}

/// What the owner of the map must do.
#[derive(Debug, PartialEq, Eq)]
pub enum Effect<W> {
    /// Send the call with this id.
    Send(CallId),
    /// Tell the waiter how its call ended.
    End(W, Ended),
}

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Its reply is the one being handled.
    Replied,
    /// The caller took it back; a reply that comes later is dropped.
    Cancelled,
    /// No reply came before its deadline; one that comes later is dropped.
    DeadlinePassed,
    /// The connection closed; whether the peer acted on the call is unknown.
    Closed,
    /// It was never sent: too many calls were in flight.
    Refused,
}

/// Pairs replies with calls. Pure: no clock and no socket.
///
/// # Invariants
/// - Every waiter that is put in is returned once, whatever happens to its call.
/// - At most `limit` calls are in flight, each with its own id and one timer.
/// - A reply that no call waits for changes nothing.
#[derive(Debug)]
pub struct InFlight<W> {
    calls: BTreeMap<CallId, (TimerId, W)>,
    /// One timer per call: `schedule(deadline, id)` makes it; `expire(now)` takes out
    /// those whose `deadline <= now`, and gives their ids, the earliest deadline first.
    deadlines: Timers<CallId>,
    next_id: CallId,
    limit: usize,
    closed: bool,
}

impl<W> InFlight<W> {
    /// No calls; at most `limit` at a time.
    #[must_use]
    pub fn new(limit: usize) -> InFlight<W> {
        InFlight::starting_at(CallId(0), limit)
    }

    /// No calls; at most `limit` at a time, the first of them with the id `first`.
    #[must_use]
    pub fn starting_at(first: CallId, limit: usize) -> InFlight<W> {
        InFlight {
            calls: BTreeMap::new(),
            deadlines: Timers::new(),
            next_id: first,
            limit,
            closed: false,
        }
    }

    /// Takes in what happened at `now` and says what must be done, in order.
    ///
    /// A deadline has passed when `deadline <= now`; only [`Event::Tick`] looks
    /// at deadlines. Calls after [`Event::Close`] end as [`Ended::Closed`].
    pub fn step(&mut self, now: Moment, event: Event<W>) -> Vec<Effect<W>> {
        // task 3.2: let every call end once: by reply, deadline, close or refusal
        match event {
            Event::Call { waiter, .. } if self.closed => vec![Effect::End(waiter, Ended::Closed)],
            Event::Call { waiter, .. } if self.calls.len() >= self.limit => {
                vec![Effect::End(waiter, Ended::Refused)]
            }
            Event::Call { deadline, waiter } => {
                let id = self.free_id();
                let timer = self.deadlines.schedule(deadline, id);
                self.calls.insert(id, (timer, waiter));
                vec![Effect::Send(id)]
            }
            Event::Reply(id) => self.end(id, Ended::Replied).into_iter().collect(),
            Event::Cancel(id) => self.end(id, Ended::Cancelled).into_iter().collect(),
            Event::Tick => {
                let overdue = self.deadlines.expire(now);
                overdue
                    .into_iter()
                    .filter_map(|id| self.end(id, Ended::DeadlinePassed))
                    .collect()
            }
            Event::Close => {
                self.closed = true;
                self.deadlines = Timers::new();
                std::mem::take(&mut self.calls)
                    .into_values()
                    .map(|(_, waiter)| Effect::End(waiter, Ended::Closed))
                    .collect()
            }
        }
        // end
    }

    /// Takes a call out of the map, with its timer if that has not come out yet; `None`
    /// if the call has ended already.
    fn end(&mut self, id: CallId, how: Ended) -> Option<Effect<W>> {
        let (timer, waiter) = self.calls.remove(&id)?;
        self.deadlines.cancel(timer);
        Some(Effect::End(waiter, how))
    }

    /// The next id that no call in flight has; ids wrap around after `i32::MAX`.
    fn free_id(&mut self) -> CallId {
        loop {
            let id = self.next_id;
            self.next_id = CallId(id.0.checked_add(1).unwrap_or(0));
            if !self.calls.contains_key(&id) {
                return id;
            }
        }
    }

    /// When the next call runs out of time.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Moment> {
        self.deadlines.next_deadline()
    }

    /// How many calls wait for a reply.
    #[must_use]
    pub fn len(&self) -> usize {
        self.calls.len()
    }

    /// Whether no call waits for a reply.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }
}
