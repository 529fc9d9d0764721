//! The calls of a caller that wait for their replies.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rpc::{Error, Outcome};
use tokio::sync::oneshot;

/// Calls that wait, by their names. The lock is held for one look.
#[derive(Debug, Default)]
pub(crate) struct InFlight(Mutex<HashMap<Arc<str>, oneshot::Sender<Outcome>>>);

/// A call that waits. When it is dropped, nothing of it is left.
#[derive(Debug)]
pub(crate) struct Waiting<'a> {
    in_flight: &'a InFlight,
    name: Arc<str>,
    outcome: oneshot::Receiver<Outcome>,
}

impl InFlight {
    /// Makes a call wait. Another one of its name that waits ends as [`Error::Closed`].
    pub(crate) fn wait(&self, name: Arc<str>) -> Waiting<'_> {
        let (caller, outcome) = oneshot::channel();
        self.calls().insert(Arc::clone(&name), caller);
        Waiting {
            in_flight: self,
            name,
            outcome,
        }
    }

    /// Ends the call of this name. If none waits, nothing happens.
    pub(crate) fn end(&self, name: &str, outcome: Outcome) {
        let caller = self.calls().remove(name);
        // A caller that has just given up needs no outcome.
        caller.map(|caller| caller.send(outcome));
    }

    pub(crate) fn len(&self) -> usize {
        self.calls().len()
    }

    /// Nothing panics under the lock but an allocation.
    fn calls(&self) -> MutexGuard<'_, HashMap<Arc<str>, oneshot::Sender<Outcome>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting<'_> {
    pub(crate) async fn outcome(&mut self) -> Outcome {
        (&mut self.outcome).await.unwrap_or(Err(Error::Closed))
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.outcome.close();
        let mut calls = self.in_flight.calls();
        // Another call of the name may have taken the place.
        if calls
            .get(&self.name)
            .is_some_and(oneshot::Sender::is_closed)
        {
            calls.remove(&self.name);
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use rpc::Side;

    use super::*;

    fn reply(text: &'static str) -> Outcome {
        Ok((Side::Value, Bytes::from(text)))
    }

    #[tokio::test]
    async fn a_reply_ends_the_call_of_its_name_alone() {
        let in_flight = InFlight::default();
        let (mut one, mut other) = (in_flight.wait("one".into()), in_flight.wait("other".into()));
        in_flight.end("unknown", reply("x"));
        in_flight.end("other", reply("2"));
        in_flight.end("other", reply("twice"));
        in_flight.end("one", reply("1"));
        assert_eq!(other.outcome().await, reply("2"));
        assert_eq!(one.outcome().await, reply("1"));
        assert_eq!(in_flight.len(), 0);
    }

    #[tokio::test]
    async fn a_call_that_is_dropped_leaves_nothing_behind() {
        let in_flight = InFlight::default();
        drop(in_flight.wait("one".into()));
        assert_eq!(in_flight.len(), 0);
        in_flight.end("one", reply("late"));
        let mut next = in_flight.wait("one".into());
        in_flight.end("one", reply("1"));
        assert_eq!(next.outcome().await, reply("1"));
    }

    #[tokio::test]
    async fn of_two_calls_of_a_name_the_later_one_has_the_reply() {
        let in_flight = InFlight::default();
        let mut earlier = in_flight.wait("one".into());
        let mut later = in_flight.wait("one".into());
        assert_eq!(earlier.outcome().await, Err(Error::Closed));
        drop(earlier);
        assert_eq!(in_flight.len(), 1);
        in_flight.end("one", reply("1"));
        assert_eq!(later.outcome().await, reply("1"));
    }
}
