//! Waking from one thread what another one goes on with.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError, Weak, mpsc};
use std::task::{Wake, Waker};
use std::thread;
use std::time::Duration;

use message_model::Offset;
use spec_harness::expect_eq;

use super::super::part::{Waits, Woken};
use super::sleeper::{Names, boards, passes, poll, silent};
use super::step::at;

type Wait = Mutex<Pin<Box<dyn Future<Output = Woken> + Send>>>;

/// The locks that a woken fetch needs, in the order in which another thread takes them.
const LOCKS: [&str; 3] = [
    "the lock of the waits",
    "the lock of the board",
    "the lock of the ticket",
];

/// Wakes a fetch by `moved`, and one by `expire`.
pub(super) fn no_lock_is_held() {
    let (waits, board) = (silent(), boards(1).remove(0));
    let (held, is_held) = mpsc::channel();
    let sleep = |deadline, offset| TakesLocks::asleep(&waits, &board, (deadline, offset), &held);
    let _sleeping = (sleep(900, 10), sleep(500, 20));
    board.moved(&"end", Offset(11));
    let moved = is_held.try_recv().unwrap_or("nothing was woken");
    expect_eq("what is held while moved wakes", moved, "no lock");
    waits.expire(at(500));
    let expired = is_held.try_recv().unwrap_or("nothing was woken");
    expect_eq("what is held while expire wakes", expired, "no lock");
}

/// When it is woken, another thread takes the locks and polls the wait; sends which lock
/// keeps it from doing so before the wake ends.
struct TakesLocks {
    waits: Arc<Waits>,
    board: Names,
    wait: Weak<Wait>,
    held: mpsc::Sender<&'static str>,
}

impl TakesLocks {
    /// A wait until millisecond `deadline` for `offset`, which sleeps.
    fn asleep(
        waits: &Arc<Waits>,
        board: &Names,
        (deadline, offset): (u64, i64),
        held: &mpsc::Sender<&'static str>,
    ) -> Arc<Wait> {
        let (mine, condition) = (Arc::clone(waits), passes(board, offset));
        let wait = async move {
            let wait = mine.any_passes(at(deadline), [condition], || true);
            wait.await
        };
        let wait: Arc<Wait> = Arc::new(Mutex::new(Box::pin(wait)));
        let waker = Waker::from(Arc::new(TakesLocks {
            waits: Arc::clone(waits),
            board: Arc::clone(board),
            wait: Arc::downgrade(&wait),
            held: held.clone(),
        }));
        poll_shared(&wait, &waker);
        wait
    }
}

fn poll_shared(wait: &Wait, waker: &Waker) {
    let mut wait = wait.lock().unwrap_or_else(PoisonError::into_inner);
    let _ = poll(wait.as_mut(), waker);
}

impl Wake for TakesLocks {
    fn wake(self: Arc<Self>) {
        let (taken, is_taken) = mpsc::channel();
        let held = self.held.clone();
        thread::spawn(move || {
            let _ = taken.send(self.waits.len());
            let _ = taken.send(self.board.len());
            if let Some(wait) = self.wait.upgrade() {
                poll_shared(&wait, Waker::noop());
            }
            let _ = taken.send(0);
        });
        let patience = Duration::from_secs(2);
        let is_held = |_: &&&str| is_taken.recv_timeout(patience).is_err();
        let _ = held.send(LOCKS.iter().find(is_held).copied().unwrap_or("no lock"));
    }
}
