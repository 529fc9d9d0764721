//! Those who wait for an end of a partition to pass an offset.

use std::sync::{Mutex, MutexGuard};

use async_model::Clock;
use message_model::{Moment, Offset, TopicPartition};
use tokio::sync::{Notify, oneshot};

use crate::ends::{End, Ends};
use crate::part::{Purgatory, WaitId};

/// The purgatory under its lock, with sleepers and a clock around it.
#[derive(Debug)]
pub struct Waits {
    clock: Clock,
    state: Mutex<State>,
    /// A wait has a deadline before all others: [`Waits::expire`] must not oversleep it.
    earlier: Notify,
}

#[derive(Debug)]
struct State {
    purgatory: Purgatory<(TopicPartition, End), oneshot::Sender<()>>,
    stopped: bool,
}

/// Withdraws a wait when it is dropped; of one that has come out that changes nothing.
struct Registered<'a> {
    waits: &'a Waits,
    id: WaitId,
}

impl Drop for Registered<'_> {
    fn drop(&mut self) {
        // While a panic goes on there is nothing to tidy up for.
        if let Ok(mut state) = self.waits.state.lock() {
            state.purgatory.cancel(self.id);
        }
    }
}

impl Waits {
    /// Nobody waits.
    #[must_use]
    pub fn new(clock: Clock) -> Waits {
        Waits {
            clock,
            state: Mutex::new(State {
                purgatory: Purgatory::new(),
                stopped: false,
            }),
            earlier: Notify::new(),
        }
    }

    /// Waits until one of the ends has passed its offset, or until `deadline`
    /// (for which [`Waits::expire`] must be running). Returns whether another
    /// wait makes sense: no longer when the broker stops.
    ///
    /// `still_needed` is asked once more after the wait is registered: an end may
    /// have passed in between. A wait that is dropped leaves nothing behind.
    // ANCHOR: any_passes
    pub async fn any_passes(
        &self,
        deadline: Moment,
        conditions: Vec<((TopicPartition, End), Offset)>,
        still_needed: impl FnOnce() -> bool,
    ) -> bool {
        let (wake, woken) = oneshot::channel();
        let Some(_registered) = self.register(deadline, conditions, wake) else {
            return false;
        };
        // An error means that the other half was dropped: the broker stops.
        !still_needed() || woken.await.is_ok()
    }
    // ANCHOR_END: any_passes

    fn register(
        &self,
        deadline: Moment,
        conditions: Vec<((TopicPartition, End), Offset)>,
        wake: oneshot::Sender<()>,
    ) -> Option<Registered<'_>> {
        let mut state = self.lock();
        if state.stopped {
            return None;
        }
        let next = state.purgatory.next_deadline();
        let id = state.purgatory.watch(deadline, conditions, wake);
        if next.is_none_or(|next| deadline < next) {
            self.earlier.notify_one();
        }
        Some(Registered { waits: self, id })
    }

    /// A partition's ends have moved: wakes those who waited for that.
    pub fn moved(&self, partition: &TopicPartition, ends: Ends) {
        self.complete(partition, |end| ends.get(end));
    }

    /// A partition is gone: wakes everyone who waits for it.
    pub fn gone(&self, partition: &TopicPartition) {
        self.complete(partition, |_| Offset(i64::MAX));
    }

    fn complete(&self, partition: &TopicPartition, offset: impl Fn(End) -> Offset) {
        let mut woken = Vec::new();
        {
            let mut state = self.lock();
            if state.purgatory.is_empty() {
                return;
            }
            for end in End::ALL {
                let key = (partition.clone(), end);
                woken.extend(state.purgatory.complete(&key, offset(end)));
            }
        }
        wake(woken);
    }

    /// The broker stops: ends every wait, now and from now on.
    pub fn stop(&self) {
        let woken = {
            let mut state = self.lock();
            state.stopped = true;
            std::mem::take(&mut state.purgatory)
        };
        drop(woken);
    }

    // ANCHOR: expire
    /// Ends waits whose time has passed, for ever; the broker runs it as a task.
    pub async fn expire(&self) {
        loop {
            let next = self.lock().purgatory.next_deadline();
            match next {
                None => self.earlier.notified().await,
                Some(deadline) => tokio::select! {
                    () = self.clock.sleep_until(deadline) => {}
                    () = self.earlier.notified() => {}
                },
            }
            let due = self.lock().purgatory.expire(self.clock.now());
            wake(due);
        }
    }
    // ANCHOR_END: expire

    /// How many wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lock().purgatory.len()
    }

    /// Whether nobody waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nobody panics under this lock")
    }
}

/// Outside of the lock: whoever is woken may want it.
fn wake(waiters: Vec<oneshot::Sender<()>>) {
    for waiter in waiters {
        // An error says that nobody waits any more, which is fine.
        let _ = waiter.send(());
    }
}
