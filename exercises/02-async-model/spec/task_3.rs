//! Polling those who were woken.

use std::future::{Future, poll_fn};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Poll, Waker};
use std::thread;
use std::time::Duration;

use spec_harness::{case, expect, expect_eq};

use super::part::Executor;

/// Nobody polls a future of these cases so often, but for a loop that does not wait.
const TOO_OFTEN: usize = 500;

/// How long [`Executor::run`] waits for a wake that was lost.
const PATIENCE: Duration = Duration::from_secs(3);

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("nobody panics under this lock")
}

/// Something to wait for, and what became of who waited.
#[derive(Default)]
struct Event {
    happened: AtomicBool,
    polls: AtomicUsize,
    waker: Mutex<Option<Waker>>,
}

impl Event {
    fn new() -> Arc<Event> {
        Arc::new(Event::default())
    }

    /// Ends when the event has happened; each poll leaves its waker there.
    fn wait(self: &Arc<Event>) -> impl Future<Output = ()> + Send + 'static {
        let event = Arc::clone(self);
        poll_fn(move |context| {
            let polls = event.polls.fetch_add(1, Ordering::SeqCst);
            assert!(
                polls < TOO_OFTEN,
                "polled {TOO_OFTEN} times: it never waits"
            );
            *lock(&event.waker) = Some(context.waker().clone());
            if event.happened.load(Ordering::SeqCst) {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
    }

    /// Wakes whoever waits, though nothing has happened.
    fn wake(&self) {
        let waker = lock(&self.waker).clone();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn happen(&self) {
        self.happened.store(true, Ordering::SeqCst);
        self.wake();
    }

    fn polls(&self) -> usize {
        self.polls.load(Ordering::SeqCst)
    }
}

#[test]
fn a_spawned_future_is_polled() {
    case!(
        "A future that was spawned is polled, and may end at once.",
        || {
            let mut executor = Executor::new();
            let event = Event::new();
            event.happen();
            executor.spawn(event.wait());
            expect_eq("run_ready()", executor.run_ready(), 1);
            expect_eq("how often it was polled", event.polls(), 1);
            expect_eq("len()", executor.len(), 0);
            expect_eq("is_empty()", executor.is_empty(), true);
        }
    );
}

#[test]
fn who_is_not_woken_is_not_polled() {
    case!(
        "A future that waits is polled once. Until it is woken, polling it is work for nothing.",
        || {
            let mut executor = Executor::new();
            let event = Event::new();
            executor.spawn(event.wait());
            expect_eq("run_ready()", executor.run_ready(), 1);
            expect_eq("run_ready(), nobody was woken", executor.run_ready(), 0);
            expect_eq("how often it was polled", event.polls(), 1);
            expect_eq("len()", executor.len(), 1);
        }
    );
}

#[test]
fn who_is_woken_is_polled_again() {
    case!(
        "A wake brings one poll, and the future may end in it.",
        || {
            let mut executor = Executor::new();
            let event = Event::new();
            executor.spawn(event.wait());
            executor.run_ready();
            event.happen();
            expect_eq("run_ready() after a wake", executor.run_ready(), 1);
            expect_eq("len()", executor.len(), 0);
        }
    );
}

#[test]
fn a_needless_wake() {
    case!(
        "A wake promises nothing: a future that still waits goes on waiting, and can be woken again.",
        || {
            let mut executor = Executor::new();
            let event = Event::new();
            executor.spawn(event.wait());
            executor.run_ready();
            event.wake();
            expect_eq("run_ready() after a wake", executor.run_ready(), 1);
            expect_eq("run_ready() without one", executor.run_ready(), 0);
            event.happen();
            expect_eq("run_ready() after the next", executor.run_ready(), 1);
            expect_eq("len()", executor.len(), 0);
        }
    );
}

#[test]
fn only_those_who_were_woken() {
    case!(
        "Of many futures only those are polled that were woken.",
        || {
            let mut executor = Executor::new();
            let events: Vec<Arc<Event>> = (0..5).map(|_| Event::new()).collect();
            for event in &events {
                executor.spawn(event.wait());
            }
            expect_eq("run_ready() with five new ones", executor.run_ready(), 5);
            events[1].happen();
            events[3].happen();
            expect_eq("run_ready() with two woken", executor.run_ready(), 2);
            let polls: Vec<usize> = events.iter().map(|event| event.polls()).collect();
            expect_eq("how often each was polled", polls, vec![1, 2, 1, 2, 1]);
            expect_eq("len()", executor.len(), 3);
        }
    );
}

#[test]
fn many_wakes_one_poll() {
    case!("Wakes that come before the poll are one wake.", || {
        let mut executor = Executor::new();
        let event = Event::new();
        executor.spawn(event.wait());
        executor.run_ready();
        for _ in 0..100 {
            event.wake();
        }
        expect_eq("run_ready() after 100 wakes", executor.run_ready(), 1);
    });
}

/// Is woken by itself during its first `times` polls, and writes each into `log`.
fn yields(
    name: &'static str,
    times: usize,
    log: &Arc<Mutex<Vec<&'static str>>>,
) -> impl Future<Output = ()> + Send + 'static {
    let log = Arc::clone(log);
    let mut polls = 0;
    poll_fn(move |context| {
        lock(&log).push(name);
        polls += 1;
        if polls > times {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
}

#[test]
fn a_wake_during_the_poll_is_not_lost() {
    case!(
        "What a future waits for may happen while it is polled: that wake counts, it is polled once more.",
        || {
            let mut executor = Executor::new();
            let log = Arc::default();
            executor.spawn(yields("a", 1, &log));
            expect_eq("run_ready()", executor.run_ready(), 2);
            expect_eq("len()", executor.len(), 0);
        }
    );
}

#[test]
fn first_woken_first_polled() {
    case!("They are polled in the order of their wakes.", || {
        let mut executor = Executor::new();
        let log: Arc<Mutex<Vec<&str>>> = Arc::default();
        for (name, times) in [("a", 2), ("b", 1), ("c", 0)] {
            executor.spawn(yields(name, times, &log));
        }
        executor.run_ready();
        let polled = lock(&log).clone();
        let expected = vec!["a", "b", "c", "a", "b", "a"];
        expect_eq("who was polled, in order", polled, expected);
    });
}

#[test]
fn who_has_finished_is_not_polled_again() {
    case!(
        "A waker may outlive its future: waking one that has finished changes nothing.",
        || {
            let mut executor = Executor::new();
            let finished = Event::new();
            let waits = Event::new();
            finished.happen();
            executor.spawn(finished.wait());
            executor.spawn(waits.wait());
            executor.run_ready();
            finished.wake();
            expect_eq("run_ready() after a late wake", executor.run_ready(), 0);
            let polls = finished.polls();
            expect_eq("how often the finished one was polled", polls, 1);
            waits.happen();
            expect_eq("run_ready() for the other one", executor.run_ready(), 1);
        }
    );
}

#[test]
fn a_late_wake_among_others() {
    case!(
        "A finished future's wake does not keep those behind it from being polled.",
        || {
            let mut executor = Executor::new();
            let finished = Event::new();
            let waits = Event::new();
            finished.happen();
            executor.spawn(finished.wait());
            executor.spawn(waits.wait());
            executor.run_ready();
            finished.wake();
            waits.happen();
            expect_eq("run_ready()", executor.run_ready(), 1);
            expect_eq("len()", executor.len(), 0);
        }
    );
}

#[test]
fn a_finished_future_is_dropped() {
    case!(
        "What a future holds is let go when it has finished, not when the executor is.",
        || {
            let mut executor = Executor::new();
            let held = Arc::new(());
            let inside = Arc::clone(&held);
            let waits = Event::new().wait();
            executor.spawn(async move {
                waits.await;
                drop(inside);
            });
            let inside = Arc::clone(&held);
            executor.spawn(async move { drop(Arc::clone(&inside)) });
            executor.run_ready();
            let holders = Arc::strong_count(&held);
            expect_eq("who holds it: the case and the one that waits", holders, 2);
        }
    );
}

#[test]
fn a_wake_from_another_thread() {
    case!(
        "Any thread may wake: `run` sleeps meanwhile, and goes on when one does.",
        || {
            let mut executor = Executor::new();
            let event = Event::new();
            executor.spawn(event.wait());
            executor.run_ready();
            let happens = Arc::clone(&event);
            let other = thread::spawn(move || happens.happen());
            expect_eq("run()", executor.run(PATIENCE), 0);
            other.join().unwrap();
            expect("it was polled two times", event.polls() == 2);
        }
    );
}

#[test]
fn whom_nobody_wakes() {
    case!(
        "`run` gives up on those whom nobody wakes for as long as it has patience, and says how many there are.",
        || {
            let mut executor = Executor::new();
            executor.spawn(Event::new().wait());
            executor.spawn(async {});
            expect_eq("run(no patience)", executor.run(Duration::ZERO), 1);
            expect_eq("is_empty()", executor.is_empty(), false);
        }
    );
}

#[test]
fn another_thread_wakes_during_the_poll() {
    case!(
        "Another thread may wake while the future is being polled: that wake is not lost either.",
        || {
            let mut executor = Executor::new();
            let mut polls = 0;
            executor.spawn(poll_fn(move |context| {
                polls += 1;
                if polls > 100 {
                    return Poll::Ready(());
                }
                let waker = context.waker().clone();
                thread::spawn(move || waker.wake()).join().unwrap();
                Poll::Pending
            }));
            expect_eq("run_ready()", executor.run_ready(), 101);
            expect_eq("len()", executor.len(), 0);
        }
    );
}

#[test]
fn fifty_futures_in_a_row() {
    case!(
        "Fifty futures, each of which waits for the one before it.",
        || {
            let mut executor = Executor::new();
            let events: Vec<Arc<Event>> = (0..=50).map(|_| Event::new()).collect();
            for pair in events.windows(2) {
                let (before, this) = (Arc::clone(&pair[0]), Arc::clone(&pair[1]));
                executor.spawn(async move {
                    before.wait().await;
                    this.happen();
                });
            }
            expect_eq("run_ready() with nothing to do", executor.run_ready(), 50);
            events[0].happen();
            expect_eq("run()", executor.run(PATIENCE), 0);
        }
    );
}
