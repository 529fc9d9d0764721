//! The calls that wait for results.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use super::Counts;

/// Calls that wait for a `T`, by their numbers. The lock is held for one look.
#[derive(Debug)]
pub(crate) struct PendingResults<T>(Mutex<Calls<T>>);

#[derive(Debug)]
struct Calls<T> {
    next: u64,
    waiting: HashMap<u64, oneshot::Sender<T>>,
    late: u64,
}

/// A call that waits. When it is dropped, nothing of it is left.
#[derive(Debug)]
pub(crate) struct Waiting<'a, T> {
    pending: &'a PendingResults<T>,
    pub(crate) call: u64,
    result: oneshot::Receiver<T>,
}

impl<T> Default for PendingResults<T> {
    fn default() -> PendingResults<T> {
        PendingResults(Mutex::new(Calls {
            next: 0,
            waiting: HashMap::new(),
            late: 0,
        }))
    }
}

impl<T> PendingResults<T> {
    /// Makes a call wait. It must wait before its order is sent.
    pub(crate) fn register(&self) -> Waiting<'_, T> {
        let (caller, result) = oneshot::channel();
        let mut calls = self.calls();
        let call = calls.next;
        calls.next += 1;
        calls.waiting.insert(call, caller);
        Waiting {
            pending: self,
            call,
            result,
        }
    }

    /// Gives a result to its call. If that does not wait any more, the result is late.
    pub(crate) fn complete(&self, call: u64, result: T) {
        let mut calls = self.calls();
        let caller = calls.waiting.remove(&call);
        let is_late = caller.is_none_or(|caller| caller.send(result).is_err());
        calls.late += u64::from(is_late);
    }

    pub(crate) fn counts(&self) -> Counts {
        let calls = self.calls();
        Counts {
            waiting: calls.waiting.len(),
            late: calls.late,
        }
    }

    /// Nothing panics under the lock but an allocation.
    fn calls(&self) -> MutexGuard<'_, Calls<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Waiting<'_, T> {
    /// Returns the result. Waits for ever if it is missing: the caller has a deadline.
    pub(crate) async fn result(&mut self) -> T {
        match (&mut self.result).await {
            Ok(result) => result,
            // Numbers are used once, so nothing takes the sender away.
            Err(_) => std::future::pending().await,
        }
    }
}

impl<T> Drop for Waiting<'_, T> {
    fn drop(&mut self) {
        self.pending.calls().waiting.remove(&self.call);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(waiting: usize, late: u64) -> Counts {
        Counts { waiting, late }
    }

    #[tokio::test]
    async fn a_result_wakes_its_own_call() {
        let pending = PendingResults::default();
        let (mut one, mut other) = (pending.register(), pending.register());
        pending.complete(other.call, "other's");
        pending.complete(one.call, "one's");
        assert_eq!(one.result().await, "one's");
        assert_eq!(other.result().await, "other's");
        assert_eq!(pending.counts(), counts(0, 0));
    }

    #[test]
    fn a_result_that_is_late_or_comes_twice_is_counted_and_dropped() {
        let pending = PendingResults::default();
        let (given_up, waits) = (pending.register(), pending.register());
        let call = given_up.call;
        drop(given_up);
        assert_eq!(pending.counts(), counts(1, 0));
        pending.complete(call, 1);
        pending.complete(waits.call, 2);
        pending.complete(waits.call, 3);
        assert_eq!(pending.counts(), counts(0, 2));
    }

    #[test]
    fn of_ten_thousand_calls_of_which_half_give_up_none_is_left() {
        let pending = PendingResults::default();
        let mut calls: Vec<_> = (0..10_000).map(|_| pending.register()).collect();
        calls.retain(|waiting| waiting.call % 2 == 0);
        assert_eq!(pending.counts(), counts(5_000, 0));
        (0..10_000).for_each(|call| pending.complete(call, call));
        assert_eq!(pending.counts(), counts(0, 5_000));
        for mut waiting in calls {
            assert_eq!(waiting.result.try_recv(), Ok(waiting.call));
        }
    }
}
