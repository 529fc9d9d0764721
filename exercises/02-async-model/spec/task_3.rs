//! Polling the futures that were woken.

use std::future::{Future, poll_fn};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Poll, Waker};
use std::thread;
use std::time::Duration;

use spec_harness::{case, expect_eq};

use super::part::Executor;

/// Only a loop that does not wait polls a future of these cases so often.
const TOO_OFTEN: usize = 500;
const POLLED_TOO_OFTEN: &str = "polled 500 times: it never waits";

/// How long [`Executor::run`] waits for a wake that was lost.
const PATIENCE: Duration = Duration::from_secs(3);

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("nothing panics under this lock")
}

/// Something to wait for, and how often the future that waits was polled.
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
            assert!(polls < TOO_OFTEN, "{POLLED_TOO_OFTEN}");
            *lock(&event.waker) = Some(context.waker().clone());
            if event.happened.load(Ordering::SeqCst) {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
    }

    /// Wakes the future that waits, though nothing has happened.
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
fn a_future_that_is_not_woken_is_not_polled() {
    case!(
        "A future that waits is polled once. Until it is woken, polling it is work for nothing.",
        || {
            let mut executor = Executor::new();
            let event = Event::new();
            executor.spawn(event.wait());
            expect_eq("run_ready()", executor.run_ready(), 1);
            expect_eq("run_ready() without a wake", executor.run_ready(), 0);
            expect_eq("how often it was polled", event.polls(), 1);
            expect_eq("len()", executor.len(), 1);
        }
    );
}

#[test]
fn a_future_that_is_woken_is_polled_again() {
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
fn only_the_woken_ones_are_polled() {
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
fn two_thousand_waiting_futures_cost_nothing() {
    case!(
        "Two thousand futures wait, and one of them is woken: that costs one poll.",
        || {
            let mut executor = Executor::new();
            let polls = Arc::new(AtomicUsize::new(0));
            for _ in 0..2_000 {
                let polls = Arc::clone(&polls);
                executor.spawn(poll_fn(move |_| {
                    let polls = polls.fetch_add(1, Ordering::SeqCst);
                    assert!(polls < 4_000, "each was polled a second time");
                    Poll::Pending
                }));
            }
            let event = Event::new();
            executor.spawn(event.wait());
            expect_eq(
                "run_ready() with 2,001 new ones",
                executor.run_ready(),
                2_001,
            );
            event.happen();
            expect_eq("run_ready() with one woken", executor.run_ready(), 1);
            expect_eq("len()", executor.len(), 2_000);
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

/// Keeps the waker of each of its polls, and never ends.
fn keeps_wakers(wakers: &Arc<Mutex<Vec<Waker>>>) -> impl Future<Output = ()> + Send + 'static {
    let wakers = Arc::clone(wakers);
    poll_fn(move |context| {
        let mut wakers = lock(&wakers);
        assert!(wakers.len() < TOO_OFTEN, "{POLLED_TOO_OFTEN}");
        wakers.push(context.waker().clone());
        Poll::Pending
    })
}

#[test]
fn all_wakers_of_a_task_are_one() {
    case!(
        "A future may keep the wakers of several polls: each of them wakes it, and all of them together are one wake.",
        || {
            let mut executor = Executor::new();
            let wakers: Arc<Mutex<Vec<Waker>>> = Arc::default();
            executor.spawn(keeps_wakers(&wakers));
            executor.run_ready();
            lock(&wakers)[0].wake_by_ref();
            let what = "run_ready() after a wake by the waker of the first poll";
            expect_eq(what, executor.run_ready(), 1);
            lock(&wakers)[0].wake_by_ref();
            let what = "run_ready() after another one, by the same waker";
            expect_eq(what, executor.run_ready(), 1);
            lock(&wakers).iter().for_each(Waker::wake_by_ref);
            let what = "run_ready() after wakes by the wakers of three polls";
            expect_eq(what, executor.run_ready(), 1);
        }
    );
}

#[test]
fn woken_in_the_poll_and_after_it() {
    case!(
        "A wake during the poll and another one after it, before the next poll, are one wake.",
        || {
            let mut executor = Executor::new();
            let waker: Arc<Mutex<Option<Waker>>> = Arc::default();
            let left_there = Arc::clone(&waker);
            let mut polls = 0;
            executor.spawn(poll_fn(move |context| {
                polls += 1;
                assert!(polls < TOO_OFTEN, "{POLLED_TOO_OFTEN}");
                if polls == 1 {
                    context.waker().wake_by_ref();
                    *lock(&left_there) = Some(context.waker().clone());
                }
                Poll::Pending
            }));
            // It is polled between the first poll of the other one and the second.
            executor.spawn(async move {
                let waker = lock(&waker).take();
                waker.expect("the first was polled first").wake();
            });
            expect_eq("run_ready()", executor.run_ready(), 3);
        }
    );
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
        expect_eq("which were polled, in order", polled, expected);
        let mut executor = Executor::new();
        let log: Arc<Mutex<Vec<&str>>> = Arc::default();
        let events: Vec<Arc<Event>> = (0..3).map(|_| Event::new()).collect();
        for (name, event) in ["a", "b", "c"].into_iter().zip(&events) {
            let (event, log) = (Arc::clone(event), Arc::clone(&log));
            executor.spawn(async move {
                event.wait().await;
                lock(&log).push(name);
            });
        }
        executor.run_ready();
        for last_first in [2, 0, 1] {
            events[last_first].happen();
        }
        executor.run_ready();
        let polled = lock(&log).clone();
        let what = "c, a and b are woken; which went on, in order";
        expect_eq(what, polled, vec!["c", "a", "b"]);
    });
}

#[test]
fn a_finished_future_is_not_polled_again() {
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
            executor.spawn(poll_fn(move |_| {
                let _held_until_dropped = &inside;
                Poll::Ready(())
            }));
            executor.run_ready();
            let holders = Arc::strong_count(&held);
            expect_eq(
                "how many hold it: the case and the future that waits",
                holders,
                2,
            );
        }
    );
}

#[test]
fn a_drop_may_wake() {
    case!(
        "A finished future is dropped at once, and its drop may wake another one, as a closed channel does: that one is polled too.",
        || {
            struct HappensOnDrop(Arc<Event>);

            impl Drop for HappensOnDrop {
                fn drop(&mut self) {
                    self.0.happen();
                }
            }

            let mut executor = Executor::new();
            let closed = Event::new();
            executor.spawn(closed.wait());
            let sender = HappensOnDrop(Arc::clone(&closed));
            executor.spawn(poll_fn(move |_| {
                let _held_until_dropped = &sender;
                Poll::Ready(())
            }));
            expect_eq("run_ready()", executor.run_ready(), 3);
            expect_eq("len()", executor.len(), 0);
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
            expect_eq("how often it was polled", event.polls(), 2);
        }
    );
}

#[test]
fn run_gives_up_on_a_future_that_is_never_woken() {
    case!(
        "`run` gives up when no future is woken for as long as its patience, and returns how many have not finished.",
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
