//! Calls that wait for their outcomes.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

type Calls<K, T> = HashMap<K, oneshot::Sender<T>>;

/// Calls that wait for a `T`, by their names. The lock is held for one look.
#[derive(Debug)]
pub struct InFlight<K, T>(Mutex<Calls<K, T>>);

/// A call that waits. When it is dropped, nothing of it is left.
#[derive(Debug)]
pub struct Waiting<'a, K: Eq + Hash, T> {
    in_flight: &'a InFlight<K, T>,
    name: K,
    outcome: oneshot::Receiver<T>,
}

impl<K: Eq + Hash + Clone, T> InFlight<K, T> {
    /// Makes a call wait, which must be before it is sent. Another one of its name that waits
    /// gets no outcome any more.
    pub fn wait(&self, name: K) -> Waiting<'_, K, T> {
        let (caller, outcome) = oneshot::channel();
        self.calls().insert(name.clone(), caller);
        Waiting {
            in_flight: self,
            name,
            outcome,
        }
    }
}

impl<K: Eq + Hash, T> InFlight<K, T> {
    /// Ends the call of this name. Returns whether one has waited.
    pub fn end<Q: Eq + Hash + ?Sized>(&self, name: &Q, outcome: T) -> bool
    where
        K: Borrow<Q>,
    {
        let caller = self.calls().remove(name);
        caller.is_some_and(|caller| caller.send(outcome).is_ok())
    }

    /// Returns how many calls wait.
    #[must_use]
    pub fn count(&self) -> usize {
        self.calls().len()
    }

    /// Nothing panics under the lock but an allocation.
    fn calls(&self) -> MutexGuard<'_, Calls<K, T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K, T> Default for InFlight<K, T> {
    fn default() -> InFlight<K, T> {
        InFlight(Mutex::default())
    }
}

impl<K: Eq + Hash, T> Waiting<'_, K, T> {
    /// Returns the outcome; `None`: another call of the name waits now.
    pub async fn outcome(&mut self) -> Option<T> {
        (&mut self.outcome).await.ok()
    }
}

impl<K: Eq + Hash, T> Drop for Waiting<'_, K, T> {
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
    use super::*;

    #[tokio::test]
    async fn an_outcome_ends_the_call_of_its_name_alone() {
        let in_flight = InFlight::<String, _>::default();
        let (mut one, mut other) = (in_flight.wait("one".into()), in_flight.wait("other".into()));
        assert!(!in_flight.end("unknown", "x"));
        assert!(in_flight.end("other", "2"));
        assert!(!in_flight.end("other", "twice"));
        assert!(in_flight.end("one", "1"));
        assert_eq!(other.outcome().await, Some("2"));
        assert_eq!(one.outcome().await, Some("1"));
        assert_eq!(in_flight.count(), 0);
    }

    #[tokio::test]
    async fn a_call_that_is_dropped_leaves_nothing_behind() {
        let in_flight = InFlight::default();
        drop(in_flight.wait(1));
        assert_eq!(in_flight.count(), 0);
        assert!(!in_flight.end(&1, "late"));
        let mut next = in_flight.wait(1);
        in_flight.end(&1, "1");
        assert_eq!(next.outcome().await, Some("1"));
    }

    #[tokio::test]
    async fn of_two_calls_of_a_name_the_later_one_has_the_outcome() {
        let in_flight = InFlight::default();
        let (mut earlier, mut later) = (in_flight.wait(1), in_flight.wait(1));
        assert_eq!(earlier.outcome().await, None);
        drop(earlier);
        assert_eq!(in_flight.count(), 1);
        in_flight.end(&1, "1");
        assert_eq!(later.outcome().await, Some("1"));
    }

    #[tokio::test]
    async fn of_ten_thousand_calls_of_which_half_give_up_none_is_left() {
        let in_flight = InFlight::default();
        let mut calls: Vec<_> = (0..10_000).map(|call| in_flight.wait(call)).collect();
        calls.retain(|waiting| waiting.name % 2 == 0);
        assert_eq!(in_flight.count(), 5_000);
        let ended = (0..10_000).filter(|call| in_flight.end(call, *call));
        assert_eq!(ended.count(), 5_000);
        for mut waiting in calls {
            assert_eq!(waiting.outcome().await, Some(waiting.name));
        }
        assert_eq!(in_flight.count(), 0);
    }
}
