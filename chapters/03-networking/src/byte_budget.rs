//! A bound on the memory that requests take, over all connections.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};

use crate::budget::{Age, Budget};

/// How many bytes of requests may be in memory at a time, over all connections
/// that share it.
///
/// Bytes are taken as they arrive, those of small requests included, never as
/// they are announced. From a connection for which there is no room, nothing is
/// read but the length of its next frame. The frame that began to arrive first may always go on, so that many
/// halves cannot hold each other up; so at most twice the budget is taken, or
/// one frame that is larger than that, and one read of each worker thread.
///
/// Cheap to clone.
#[derive(Debug, Clone)]
pub struct ByteBudget(Arc<Mutex<Shared>>);

#[derive(Debug)]
struct Shared {
    budget: Budget,
    /// Of those that wait.
    wakers: BTreeMap<Age, Waker>,
}

impl ByteBudget {
    /// A budget of this many bytes.
    #[must_use]
    pub fn new(bytes: usize) -> ByteBudget {
        ByteBudget(Arc::new(Mutex::new(Shared {
            budget: Budget::new(bytes),
            wakers: BTreeMap::new(),
        })))
    }

    /// How many bytes are held.
    #[must_use]
    pub fn taken(&self) -> usize {
        self.lock().budget.taken()
    }

    /// Whether a connection waits for room.
    pub(crate) fn is_short(&self) -> bool {
        self.lock().budget.is_short()
    }

    /// Does one step, and wakes the connection that may read on after it.
    fn step<T>(&self, step: impl FnOnce(&mut Budget) -> T) -> T {
        ByteBudget::step_in(self.lock(), step)
    }

    fn step_in<T>(mut shared: MutexGuard<'_, Shared>, step: impl FnOnce(&mut Budget) -> T) -> T {
        let result = step(&mut shared.budget);
        let next = shared.budget.next_to_wake();
        let waker = next.and_then(|age| shared.wakers.remove(&age));
        drop(shared);
        if let Some(waker) = waker {
            waker.wake();
        }
        result
    }

    fn forget_waker(&self, age: Option<Age>) {
        if let Some(age) = age {
            self.lock().wakers.remove(&age);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.0.lock().expect("nothing panics under this lock")
    }
}

/// What one connection has of a [`ByteBudget`]: the bytes of frames that are not whole yet.
#[derive(Debug)]
pub(crate) struct Arriving {
    budget: ByteBudget,
    age: Option<Age>,
    /// There was no room when it last asked.
    waits: bool,
}

impl Arriving {
    pub(crate) fn new(budget: ByteBudget) -> Arriving {
        Arriving {
            budget,
            age: None,
            waits: false,
        }
    }

    /// Ready when the connection may read on. Read in the same poll, then say
    /// what came with [`arrive`](Arriving::arrive) or [`pass_on`](Arriving::pass_on).
    pub(crate) fn poll_room(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let mut shared = self.budget.lock();
        if shared.budget.may_read(&mut self.age) {
            if let Some(age) = self.age {
                shared.wakers.remove(&age);
            }
            self.waits = false;
            return Poll::Ready(());
        }
        self.waits = true;
        if let Some(age) = self.age {
            shared.wakers.insert(age, context.waker().clone());
        }
        Poll::Pending
    }

    /// Whether there was no room when it last asked.
    pub(crate) fn waits(&self) -> bool {
        self.waits
    }

    /// Whether others wait for room.
    pub(crate) fn is_short(&self) -> bool {
        self.budget.is_short()
    }

    /// Bytes have arrived.
    pub(crate) fn arrive(&mut self, count: usize) {
        self.budget
            .step(|budget| budget.arrive(&mut self.age, count));
    }

    /// It had room and did not read, or does not want to read: the next one may.
    pub(crate) fn pass_on(&mut self) {
        let Some(age) = self.age else { return };
        self.budget.forget_waker(self.age);
        self.budget.step(|budget| budget.stop_waiting(age));
    }

    /// The first `count` bytes of what has arrived are a whole frame.
    pub(crate) fn complete(&mut self, count: usize) -> Share {
        self.budget.forget_waker(self.age);
        self.budget
            .step(|budget| budget.complete(&mut self.age, count));
        Share {
            budget: self.budget.clone(),
            held: count,
        }
    }
}

impl Drop for Arriving {
    fn drop(&mut self) {
        self.budget.forget_waker(self.age);
        self.budget.step(|budget| budget.leave(&mut self.age));
    }
}

/// What a whole frame holds of a [`ByteBudget`]. Dropping it gives it back.
#[derive(Debug)]
pub struct Share {
    budget: ByteBudget,
    held: usize,
}

impl Share {
    /// How many bytes it holds.
    #[must_use]
    pub fn held(&self) -> usize {
        self.held
    }

    /// Takes `count` bytes more, for what decoding makes of the frame.
    ///
    /// It does not wait for room. Two requests that are being decoded, each
    /// waiting for the room of the other, would wait for ever; so a whole frame
    /// goes on, and what arrives later waits until there is room again.
    pub fn grow(&mut self, count: usize) {
        self.held += count;
        self.budget.step(|budget| budget.grow(count));
    }

    /// Takes `count` bytes more for an answer that is to be made, when there is room: when less
    /// than the budget is taken, or when nothing else would give any back.
    ///
    /// Requests that wait here never wait for each other: what they hold does not count
    /// then, and the first to come goes on alone. A peer that takes its answers too slowly
    /// meanwhile is closed.
    pub async fn grow_for_answer(&mut self, count: usize) {
        let mut answering = Answering {
            budget: self.budget.clone(),
            age: None,
            held: self.held,
        };
        poll_fn(|context| answering.poll_grow(context, count)).await;
        self.held += count;
    }

    /// Gives back what it holds beyond `count` bytes.
    pub fn shrink_to(&mut self, count: usize) {
        let given_back = self.held.saturating_sub(count);
        self.held -= given_back;
        self.budget.step(|budget| budget.release(given_back));
    }
}

/// A whole frame that waits for room for its answer.
struct Answering {
    budget: ByteBudget,
    age: Option<Age>,
    held: usize,
}

impl Answering {
    fn poll_grow(&mut self, context: &mut Context<'_>, count: usize) -> Poll<()> {
        let mut shared = self.budget.lock();
        if let Some(age) = self.age {
            shared.wakers.remove(&age);
        }
        if !shared.budget.may_answer(&mut self.age, self.held) {
            if let Some(age) = self.age {
                shared.wakers.insert(age, context.waker().clone());
            }
            // What this one holds may have been all that the first in the line waited for.
            ByteBudget::step_in(shared, |_| ());
            return Poll::Pending;
        }
        ByteBudget::step_in(shared, |budget| budget.grow(count));
        Poll::Ready(())
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.budget.forget_waker(self.age);
        self.budget
            .step(|budget| budget.stop_answering(&mut self.age));
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.shrink_to(0);
    }
}
