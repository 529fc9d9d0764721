//! Ways to leave that are easily forgotten.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::task::{Wake, Waker};
use std::thread;
use std::time::Duration;

use message_model::Offset;
use spec_harness::expect_eq;

use super::super::part::{Waits, Woken};
use super::sleeper::{Bell, Names, Sleeper, boards, notes, passes, poll, silent};
use super::step::at;

/// A deadline at which no alarm panics.
const QUIET: u64 = 900;

/// What the caller passes panics in each of three places, beside a fetch that sleeps on.
pub(super) fn a_panic() {
    for place in ["the alarm", "the third condition", "the look"] {
        let panics = move |here| {
            if here == place {
                resume_unwind(Box::new(place));
            }
        };
        let waits = Arc::new(Waits::new(move |deadline| {
            if deadline != at(QUIET) {
                panics("the alarm");
            }
        }));
        let partitions = boards(4);
        let all: Vec<_> = partitions.iter().map(|one| passes(one, 10)).collect();
        let mut other = Sleeper::new(&waits, QUIET, all, || true);
        let _ = other.poll();

        let mine = partitions.clone();
        let conditions = (0..4).map(move |number| {
            if number == 2 {
                panics("the third condition");
            }
            passes(&mine[number], 10)
        });
        let look = move || {
            panics("the look");
            true
        };
        let mut fetch = Sleeper::new(&waits, 500, conditions, look);
        let panicked = catch_unwind(AssertUnwindSafe(|| fetch.poll())).is_err();
        expect_eq(&format!("{place} is reached, and panics"), panicked, true);
        drop(fetch);
        let what = format!("{place} has panicked: notes of the other fetch, and no more");
        expect_eq(&what, notes(&partitions), 4);
        let what = format!("{place} has panicked: the timer of the other fetch, and no more");
        expect_eq(&what, waits.len(), 1);
    }
}

type Wait = Pin<Box<dyn Future<Output = Woken> + Send>>;

/// When it is woken, drops a wait, on another thread, since a lock may keep it from that.
#[derive(Default)]
struct Drops {
    wait: Mutex<Option<Wait>>,
    is_held_up: AtomicBool,
}

impl Drops {
    fn wait(&self) -> MutexGuard<'_, Option<Wait>> {
        self.wait.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wake for Drops {
    fn wake(self: Arc<Self>) {
        let victim = self.wait().take();
        let (gone, is_gone) = mpsc::channel();
        thread::spawn(move || {
            drop(victim);
            let _ = gone.send(());
        });
        let is_held_up = is_gone.recv_timeout(Duration::from_secs(2)).is_err();
        self.is_held_up.store(is_held_up, Ordering::Relaxed);
    }
}

fn wait(waits: &Arc<Waits>, board: &Names) -> Wait {
    let (waits, condition) = (Arc::clone(waits), passes(board, 10));
    Box::pin(async move {
        let wait = waits.any_passes(at(500), [condition], || true);
        wait.await
    })
}

fn moves(_waits: &Waits, board: &Names) {
    board.moved(&"end", Offset(11));
}

fn expires(waits: &Waits, _board: &Names) {
    waits.expire(at(500));
}

/// Ends waits.
type End = fn(&Waits, &Names);

/// What ends waits, by its name.
const ENDS: [(&str, End); 2] = [("moved", moves), ("expire", expires)];

/// Two fetches are woken together, and the first one's waker drops the second.
pub(super) fn a_waker_that_drops() {
    for (what, end) in ENDS {
        let (waits, board) = (silent(), boards(1).remove(0));
        let (mut first, mut second) = (wait(&waits, &board), wait(&waits, &board));
        let (drops, bell) = (Arc::new(Drops::default()), Arc::new(Bell::default()));
        let _ = poll(first.as_mut(), &Waker::from(Arc::clone(&drops)));
        let _ = poll(second.as_mut(), &Waker::from(Arc::clone(&bell)));
        *drops.wait() = Some(second);
        end(&waits, &board);
        let is_gone = drops.wait().is_none();
        expect_eq(&format!("{what} wakes the first fetch"), is_gone, true);
        let is_held_up = drops.is_held_up.load(Ordering::Relaxed);
        let held_up = format!("a lock holds up the second one, which leaves while {what} wakes");
        expect_eq(&held_up, is_held_up, false);
        let what = format!("how often {what} wakes the second one, which has left by then");
        expect_eq(&what, bell.rung(), 0);
        drop(first);
        expect_eq("notes that are left", board.len(), 0);
        expect_eq("timers that are left", waits.len(), 0);
    }
}

/// A thousand fetches wait at one partition until one deadline.
pub(super) fn a_thousand_at_once() {
    for (what, end) in ENDS {
        let (waits, partitions) = (silent(), boards(1));
        let sleep = || Sleeper::asleep(&waits, &partitions);
        let fetches: Vec<Sleeper> = std::iter::repeat_with(sleep).take(1_000).collect();
        end(&waits, &partitions[0]);
        let woken = fetches.iter().map(Sleeper::rung).sum::<usize>();
        let what = format!("how many of 1,000 fetches {what} wakes");
        expect_eq(&what, woken, 1_000);
    }
}
