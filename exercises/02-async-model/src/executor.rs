//! What is behind `await`: futures, and an executor that polls them.

use std::collections::{HashMap, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

/// The number of a task of one executor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct TaskId(u64);

/// The tasks that have been woken, in the order of their wakes.
#[derive(Debug, Default)]
struct Ready {
    queue: Mutex<VecDeque<TaskId>>,
    not_empty: Condvar,
}

impl Ready {
    fn push(&self, id: TaskId) {
        self.lock().push_back(id);
        self.not_empty.notify_one();
    }

    /// Returns the task that was woken first, which is taken out.
    fn pop(&self) -> Option<TaskId> {
        self.lock().pop_front()
    }

    /// Returns whether a task is woken; sleeps until one is, for at most `limit`.
    fn wait(&self, limit: Duration) -> bool {
        let queue = self.lock();
        let (queue, _) = self
            .not_empty
            .wait_timeout_while(queue, limit, |queue| queue.is_empty())
            .unwrap_or_else(PoisonError::into_inner);
        !queue.is_empty()
    }

    /// Nothing panics under this lock; if something did, the queue would be whole.
    fn lock(&self) -> MutexGuard<'_, VecDeque<TaskId>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// ANCHOR: wake
/// The state that all wakers of a task share: any thread may wake, at any time, any
/// number of times. `Waker::from` makes a waker of an `Arc<Alarm>`, and
/// `Context::from_waker` what a poll takes.
struct Alarm {
    id: TaskId,
    /// The task is in the queue: another wake adds nothing.
    is_queued: AtomicBool,
    ready: Arc<Ready>,
}

impl Alarm {
    /// Makes the next wake put the task into the queue again.
    fn reset(&self) {
        // Not a store: what a wake that found `true` has written before it must be seen.
        self.is_queued.swap(false, Ordering::AcqRel);
    }
}

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        if !self.is_queued.swap(true, Ordering::AcqRel) {
            self.ready.push(self.id);
        }
    }
}
// ANCHOR_END: wake

struct Task {
    future: Pin<Box<dyn Future<Output = ()> + Send>>,
    alarm: Arc<Alarm>,
}

/// Runs futures on the thread that calls [`run`](Executor::run).
///
/// # Invariants
/// - A future is polled once after it was spawned, and then only after a wake.
/// - A wake is never lost: after it the future is polled once more.
/// - A future that has finished is dropped, and never polled again.
#[derive(Default)]
pub struct Executor {
    tasks: HashMap<TaskId, Task>,
    ready: Arc<Ready>,
    next_id: u64,
}

impl Executor {
    /// Returns an executor without tasks.
    #[must_use]
    pub fn new() -> Executor {
        Executor::default()
    }

    /// Adds a future as a task that is woken already. [`run`](Executor::run) and
    /// [`run_ready`](Executor::run_ready) poll it, not this.
    pub fn spawn(&mut self, future: impl Future<Output = ()> + Send + 'static) {
        let id = TaskId(self.next_id);
        self.next_id += 1;
        let alarm = Arc::new(Alarm {
            id,
            is_queued: AtomicBool::new(false),
            ready: Arc::clone(&self.ready),
        });
        Arc::clone(&alarm).wake();
        let future = Box::pin(future);
        self.tasks.insert(id, Task { future, alarm });
    }

    /// Returns the number of polls that it took to poll the tasks that were woken, in
    /// the order of their wakes, until no woken task is left. Does not wait.
    pub fn run_ready(&mut self) -> usize {
        // task 2.3: poll each task that was woken, lose no wake, and drop each future that has finished
        todo!(
            "2.3: poll each task that was woken, lose no wake, and drop each future that has finished"
        )
        // end
    }

    // ANCHOR: run
    /// Returns how many tasks have not finished. Polls until all have, and sleeps while
    /// none is ready; gives up when none is woken for as long as `patience`.
    pub fn run(&mut self, patience: Duration) -> usize {
        while !self.tasks.is_empty() && self.ready.wait(patience) {
            self.run_ready();
        }
        self.tasks.len()
    }
    // ANCHOR_END: run

    /// Returns how many tasks have not finished.
    #[must_use]
    pub fn len(&self) -> usize {
        self.tasks.len()
    }

    /// Returns whether every task has finished.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tasks.is_empty()
    }
}
