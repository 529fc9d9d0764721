//! What is behind `await`: futures, and who polls them when.

use std::collections::{HashMap, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

/// Names a task.
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

    /// The task that was woken first; it is taken out.
    fn pop(&self) -> Option<TaskId> {
        self.lock().pop_front()
    }

    /// Sleeps until a task is woken, but not longer than `limit`; whether one was.
    fn wait(&self, limit: Duration) -> bool {
        let queue = self.lock();
        let (queue, _) = self
            .not_empty
            .wait_timeout_while(queue, limit, |queue| queue.is_empty())
            .unwrap_or_else(PoisonError::into_inner);
        !queue.is_empty()
    }

    /// Nobody panics under this lock; if somebody did, the queue is whole.
    fn lock(&self) -> MutexGuard<'_, VecDeque<TaskId>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// ANCHOR: wake
/// What a task's wakers share: any thread may wake, at any time, any number of times.
/// `Waker::from` makes a waker of an `Arc` of it, `Context::from_waker` what a poll takes.
struct Alarm {
    id: TaskId,
    /// The task is in the queue: another wake adds nothing.
    is_queued: AtomicBool,
    ready: Arc<Ready>,
}

impl Alarm {
    /// From here on a wake puts the task into the queue again.
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
    /// No tasks.
    #[must_use]
    pub fn new() -> Executor {
        Executor::default()
    }

    /// Takes a future in. It is polled by [`run`](Executor::run) or
    /// [`run_ready`](Executor::run_ready), not here.
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

    /// Polls the tasks that have been woken, in that order, until none is left
    /// that has. Returns how many polls that took. Does not wait.
    pub fn run_ready(&mut self) -> usize {
        // task 2.3: poll who was woken, lose no wake, and let go of who has finished
        todo!("2.3: poll who was woken, lose no wake, and let go of who has finished")
        // end
    }

    // ANCHOR: run
    /// Runs until every task has finished, and sleeps while none is ready.
    /// Returns how many have not finished: it gives up when for `patience`
    /// nobody has woken one.
    pub fn run(&mut self, patience: Duration) -> usize {
        while !self.tasks.is_empty() && self.ready.wait(patience) {
            self.run_ready();
        }
        self.tasks.len()
    }
    // ANCHOR_END: run

    /// How many tasks have not finished.
    #[must_use]
    pub fn len(&self) -> usize {
        self.tasks.len()
    }

    /// Whether every task has finished.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tasks.is_empty()
    }
}
