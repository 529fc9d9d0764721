//! Calls that a test holds up.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A broken test fails after so long, instead of hanging.
const DEADLINE: Duration = Duration::from_secs(20);

/// A kind of call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    /// `open`.
    Open,
    /// `create`.
    Create,
    /// `remove`.
    Remove,
    /// `rename`, by the new name.
    Rename,
    /// `create_dir_all`.
    CreateDir,
    /// `remove_dir_all`.
    RemoveDir,
    /// `list`.
    List,
    /// `sync_dir`.
    SyncDir,
    /// `read_at`. While reads are parked, `read_cached_at` returns `None`.
    Read,
    /// `write_all_at`.
    Write,
    /// `set_len`.
    SetLength,
    /// `sync_data`.
    Sync,
}

/// Holds up calls until it is released or dropped; see
/// [`SimDisk::park_next`](crate::SimDisk::park_next). Clones are the same.
#[derive(Debug, Clone)]
pub struct Parking(Arc<Held>);

#[derive(Debug)]
struct Held {
    spot: Arc<Spot>,
}

/// What the test and the parked calls share.
#[derive(Debug)]
pub(crate) struct Spot {
    call: Call,
    under: PathBuf,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    /// How many calls may still be parked.
    left: usize,
    /// How many calls were parked so far.
    parked: usize,
    released: bool,
    /// A parked call went on because nobody had released it.
    is_overdue: bool,
}

impl Parking {
    pub(crate) fn new(call: Call, under: &Path, calls_max: usize) -> (Parking, Arc<Spot>) {
        let spot = Arc::new(Spot {
            call,
            under: under.to_owned(),
            state: Mutex::new(State {
                left: calls_max,
                parked: 0,
                released: false,
                is_overdue: false,
            }),
            changed: Condvar::new(),
        });
        let held = Held {
            spot: Arc::clone(&spot),
        };
        (Parking(Arc::new(held)), spot)
    }

    /// Blocks until a call is parked. In an async test, call it on the blocking pool.
    ///
    /// # Panics
    /// When none is after 20 seconds.
    pub fn wait(&self) {
        self.0
            .spot
            .wait_until("a call is parked", |state| state.parked > 0);
    }

    /// How many calls were parked so far.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.spot.state().parked
    }

    /// Lets the parked calls go on, and parks no more.
    ///
    /// # Panics
    /// When a call has been parked for 20 seconds: then it went on by itself, and what the test
    /// has seen is not what it means to see. The same when the parking is dropped.
    pub fn release(&self) {
        self.0.spot.release();
        self.0.spot.check();
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.spot.release();
        if !std::thread::panicking() {
            self.spot.check();
        }
    }
}

impl Spot {
    /// Whether calls of this kind on `path` are held up now.
    pub(crate) fn is_for(&self, call: Call, path: &Path) -> bool {
        let state = self.state();
        self.call == call && path.starts_with(&self.under) && !state.released && state.left > 0
    }

    /// Holds the caller up.
    ///
    /// # Panics
    /// When it is not released within 20 seconds. The parking says so, too: what panics on a thread
    /// of a pool may be seen by nobody.
    pub(crate) fn park(&self) {
        {
            let mut state = self.state();
            if state.left == 0 || state.released {
                return;
            }
            state.left -= 1;
            state.parked += 1;
        }
        self.changed.notify_all();
        self.wait_until("a parked call is released", |state| state.released);
    }

    fn release(&self) {
        self.state().released = true;
        self.changed.notify_all();
    }

    fn check(&self) {
        let is_overdue = self.state().is_overdue;
        assert!(
            !is_overdue,
            "a parked call is not released within {DEADLINE:?}"
        );
    }

    fn wait_until(&self, what: &str, is_so: impl Fn(&State) -> bool) {
        let state = self.state();
        let waited = self
            .changed
            .wait_timeout_while(state, DEADLINE, |state| !is_so(state));
        let (mut state, waited) = waited.unwrap_or_else(PoisonError::into_inner);
        state.is_overdue |= waited.timed_out();
        drop(state);
        assert!(!waited.timed_out(), "{what} within {DEADLINE:?}");
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
