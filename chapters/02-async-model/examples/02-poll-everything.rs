//! What does it cost to poll futures that nobody has woken?
//!
//! Each future waits for one answer. The first comes after 50 ms, the last after
//! 100 ms, the others evenly spread between them. Everything is polled in a loop,
//! without a pause and with one of 1 ms; then this chapter's executor polls what was
//! woken. Time is simulated: a poll takes a microsecond.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use async_model::{Executor, Timers};
use message_model::Moment;

/// The first answer comes after this time, and the last one after twice as much.
const SPREAD: Duration = Duration::from_millis(50);
/// What a poll takes.
const POLL: Duration = Duration::from_micros(1);

const EVERYTHING: &str = "poll everything";
const WITH_A_PAUSE: &str = "poll everything, sleep 1 ms";
const WOKEN: &str = "poll what was woken";

/// The time, the answers that are still to come, and what was counted.
#[derive(Default)]
struct World {
    now: Moment,
    answers: Timers<Waker>,
    polls: u32,
    finished: u32,
    late: Duration,
}

type Shared = Arc<Mutex<World>>;

fn lock(world: &Shared) -> MutexGuard<'_, World> {
    world.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Ends at the first poll after `answered`; its first poll leaves the waker.
fn waits(world: Shared, answered: Moment) -> impl Future<Output = ()> + Send {
    let mut has_left_waker = false;
    poll_fn(move |context| {
        let mut world = lock(&world);
        world.polls += 1;
        world.now = world.now.plus(POLL);
        if world.now >= answered {
            world.finished += 1;
            let late = world.now.since(answered);
            world.late += late;
            return Poll::Ready(());
        }
        if !has_left_waker {
            world.answers.schedule(answered, context.waker().clone());
            has_left_waker = true;
        }
        Poll::Pending
    })
}

/// The moments of all answers.
fn answered(in_flight: u32) -> impl Iterator<Item = Moment> {
    (1..=in_flight).map(move |number| Moment::after_start(SPREAD + SPREAD * number / in_flight))
}

type Futures = Vec<Pin<Box<dyn Future<Output = ()>>>>;

// ANCHOR: everything
fn poll_everything(mut futures: Futures, sleep_a_while: impl Fn()) {
    let mut context = Context::from_waker(Waker::noop());
    while !futures.is_empty() {
        futures.retain_mut(|future| future.as_mut().poll(&mut context).is_pending());
        sleep_a_while();
    }
}
// ANCHOR_END: everything

fn poll_what_was_woken(world: &Shared, mut executor: Executor) {
    while !executor.is_empty() {
        executor.run_ready();
        let due = sleep_until_next(&mut lock(world));
        due.into_iter().for_each(Waker::wake);
    }
}

/// Lets time pass until the next answer, unless it has come during the last polls.
fn sleep_until_next(world: &mut World) -> Vec<Waker> {
    let next = world.answers.next_deadline();
    world.now = next.map_or(world.now, |next| world.now.max(next));
    world.answers.expire(world.now)
}

fn main() {
    println!("as many answers as futures, the first after 50 ms, the last after 100 ms\n");
    println!(
        "{:27} {:>7} {:>8} {:>14} {:>12} {:>9}",
        "", "futures", "polls", "found nothing", "thread busy", "late by"
    );
    for name in [EVERYTHING, WITH_A_PAUSE, WOKEN] {
        for in_flight in [4, 4_000] {
            try_it(name, in_flight);
        }
    }
}

fn try_it(name: &str, in_flight: u32) {
    let world = Shared::default();
    let futures = answered(in_flight).map(|answered| waits(Arc::clone(&world), answered));
    if name == WOKEN {
        let mut executor = Executor::new();
        futures.for_each(|future| executor.spawn(future));
        poll_what_was_woken(&world, executor);
    } else {
        let pause = if name == EVERYTHING { 0 } else { 1 };
        poll_everything(
            futures.map(|future| Box::pin(future) as _).collect(),
            || {
                let now = lock(&world).now;
                lock(&world).now = now.plus(Duration::from_millis(pause));
            },
        );
    }
    let world = lock(&world);
    assert_eq!(world.finished, in_flight, "all have ended");
    let polls = world.polls;
    let seconds = world.now.since(Moment::START).as_secs_f64();
    let busy = f64::from(polls) * POLL.as_secs_f64() / seconds * 100.0;
    let late = world.late.as_secs_f64() * 1e6 / f64::from(in_flight);
    println!(
        "{name:27} {in_flight:>7} {polls:>8} {:>14} {busy:>10.1} % {late:>6.0} µs",
        polls - in_flight
    );
}
