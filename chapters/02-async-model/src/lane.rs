//! Work that blocks a thread, bounded and fair.

use std::fmt;
use std::future::pending;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;

use tokio::sync::oneshot;

use crate::fair_queue::{FairQueue, Ticket};

/// Where a lane's threads come from: called with what one thread is to do.
pub type Pool = Arc<dyn Fn(Box<dyn FnOnce() + Send>) + Send + Sync>;

/// Blocking work on tokio's blocking pool: at most `width` pieces at a time, fair between keys.
///
/// A job is a closure that does one bounded piece of its work per call. Keys take
/// turns: before a key has its second piece, each other key that waits has one.
/// A job that waits is an entry in a queue; no thread waits for its turn.
///
/// A lane belongs to one runtime.
#[derive(Debug)]
pub struct Lane<K> {
    shared: Arc<Shared<K>>,
}

struct Shared<K> {
    width: usize,
    pool: Pool,
    state: Mutex<State<K>>,
}

#[derive(Debug)]
struct State<K> {
    queue: FairQueue<K, Piece>,
    /// Threads of the pool that take pieces out of the queue, at most `width`.
    running: usize,
}

/// Runs one piece; returns the next one, if the job has not ended. Never panics.
struct Piece(Box<dyn FnOnce() -> Option<Piece> + Send>);

/// Withdraws its job when the caller's future is dropped, or has its result.
struct Withdraws<'a, K: Ord + Clone> {
    shared: &'a Shared<K>,
    ticket: Ticket,
}

impl<K: Ord + Clone + Send + 'static> Lane<K> {
    /// A lane without work.
    ///
    /// # Panics
    /// If `width` is 0.
    #[must_use]
    pub fn new(width: usize) -> Lane<K> {
        Lane::on(
            width,
            Arc::new(|work| drop(tokio::task::spawn_blocking(work))),
        )
    }

    /// A lane without work whose threads are those of `pool`. A simulation has a pool
    /// without threads, and then everything happens in an order that it knows.
    ///
    /// # Panics
    /// If `width` is 0.
    #[must_use]
    pub fn on(width: usize, pool: Pool) -> Lane<K> {
        assert!(width > 0, "a lane of no width never ends anything");
        let state = State {
            queue: FairQueue::new(),
            running: 0,
        };
        Lane {
            shared: Arc::new(Shared {
                width,
                pool,
                state: Mutex::new(state),
            }),
        }
    }

    // ANCHOR: run
    /// Returns what `piece` returned in `Some`. Until then it is called again and
    /// again, each time as one turn of `key`.
    ///
    /// With its future dropped a job that waits is dropped too, and one that
    /// runs gets no further turn. `piece` is dropped before this returns.
    ///
    /// # Panics
    /// If `piece` does: its panic goes on here, and the lane with other jobs.
    pub async fn run<T: Send + 'static>(
        &self,
        key: K,
        piece: impl FnMut() -> Option<T> + Send + 'static,
    ) -> T {
        let (result, ended) = oneshot::channel();
        let _withdraws = self.shared.add(key, pieces(piece, result));
        match ended.await {
            Ok(Ok(done)) => done,
            Ok(Err(panic)) => resume_unwind(panic),
            // The runtime is shutting down, and drops this task too.
            Err(_) => pending().await,
        }
    }
    // ANCHOR_END: run
}

/// One piece after the other of a job; the last one sends the result.
fn pieces<T: Send + 'static>(
    mut piece: impl FnMut() -> Option<T> + Send + 'static,
    result: oneshot::Sender<thread::Result<T>>,
) -> Piece {
    Piece(Box::new(move || {
        let run_one = move || match piece() {
            Some(done) => ControlFlow::Break(done),
            None => ControlFlow::Continue(piece),
        };
        // An error of `send` means that the caller is gone, and wants no result.
        match catch_unwind(AssertUnwindSafe(run_one)) {
            Ok(ControlFlow::Continue(piece)) => return Some(pieces(piece, result)),
            Ok(ControlFlow::Break(done)) => drop(result.send(Ok(done))),
            Err(panic) => drop(result.send(Err(panic))),
        }
        None
    }))
}

impl<K: Ord + Clone + Send + 'static> Shared<K> {
    /// Puts a job into the queue, and lets one more thread take pieces if it may.
    fn add(self: &Arc<Self>, key: K, first: Piece) -> Withdraws<'_, K> {
        let mut state = self.lock();
        let ticket = state.queue.add(key, first);
        let withdraws = Withdraws {
            shared: self,
            ticket,
        };
        if state.running < self.width {
            state.running += 1;
            drop(state);
            let shared = Arc::clone(self);
            (self.pool)(Box::new(move || shared.run_pieces()));
        }
        withdraws
    }

    /// Runs pieces until none waits.
    fn run_pieces(&self) {
        let mut unfinished = None;
        while let Some((ticket, piece)) = self.next(unfinished) {
            unfinished = (piece.0)().map(|next| (ticket, next));
        }
    }

    /// Puts an unfinished job back, and takes the piece whose turn it is. After
    /// `None` the thread must end: it does not count as running any more.
    fn next(&self, unfinished: Option<(Ticket, Piece)>) -> Option<(Ticket, Piece)> {
        // Dropped after the lock: what a withdrawn job owns may take long to drop.
        let _withdrawn;
        let mut state = self.lock();
        _withdrawn = unfinished.and_then(|(ticket, piece)| state.queue.put_back(ticket, piece));
        let next = state.queue.take();
        if next.is_none() {
            state.running -= 1;
        }
        next
    }
}

impl<K> Shared<K> {
    fn lock(&self) -> MutexGuard<'_, State<K>> {
        self.state.lock().expect("nothing panics under this lock")
    }
}

impl<K: Ord + Clone> Drop for Withdraws<'_, K> {
    fn drop(&mut self) {
        // While a panic goes on the lock may be poisoned; then nothing is left to withdraw from.
        let withdrawn = match self.shared.state.lock() {
            Ok(mut state) => state.queue.withdraw(self.ticket),
            Err(_) => None,
        };
        // After the lock, as above.
        drop(withdrawn);
    }
}

impl<K: fmt::Debug> fmt::Debug for Shared<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("width", &self.width)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Piece {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Piece")
    }
}
