//! Timers and the clock, transfers and the executor.

mod driver;
mod executor;
mod lane;
mod laws;
mod traces;
mod transfer;

use std::time::Duration;

use async_model::{Clock, Timers};
use message_model::{Moment, Timestamp};

fn at(millis: u64) -> Moment {
    Moment::after_start(Duration::from_millis(millis))
}

#[test]
fn keys_come_out_by_deadline_and_then_in_the_order_they_went_in() {
    let mut timers = Timers::new();
    for (deadline, key) in [(30, "d"), (10, "a"), (20, "b"), (20, "c"), (40, "e")] {
        timers.schedule(at(deadline), key);
    }
    assert_eq!(timers.expire(at(30)), ["a", "b", "c", "d"]);
    assert_eq!(timers.expire(at(40)), ["e"]);
    assert!(timers.is_empty());
}

#[test]
fn a_key_is_due_at_its_deadline_not_before() {
    let mut timers = Timers::new();
    timers.schedule(at(10), ());
    assert_eq!(timers.expire(at(9)), []);
    assert_eq!(timers.expire(at(10)), [()]);
}

#[test]
fn a_cancelled_key_does_not_come_out() {
    let mut timers = Timers::new();
    let first = timers.schedule(at(10), "first");
    let twin = timers.schedule(at(10), "twin");
    assert_eq!(timers.cancel(first), Some("first"));
    assert_eq!(timers.cancel(first), None);
    assert_eq!(timers.expire(at(10)), ["twin"]);
    assert_eq!(timers.cancel(twin), None, "it has come out");
}

#[test]
fn the_next_deadline_is_the_earliest_of_those_that_wait() {
    let mut timers = Timers::new();
    assert_eq!(timers.next_deadline(), None);
    timers.schedule(at(20), "late");
    let early = timers.schedule(at(10), "early");
    assert_eq!(timers.next_deadline(), Some(at(10)));
    timers.cancel(early);
    assert_eq!(timers.next_deadline(), Some(at(20)));
    assert_eq!(timers.len(), 1);
}

/// A cancelled deadline may still be slept for; then no key is due, and the
/// sleeper learns of the right one.
#[test]
fn after_a_needless_wake_the_next_deadline_is_right() {
    let mut timers = Timers::new();
    let early = timers.schedule(at(70), "early");
    timers.schedule(at(75), "late");
    timers.cancel(early);
    assert_eq!(timers.next_deadline(), Some(at(70)), "both lie in one slot");
    assert_eq!(timers.expire(at(70)), [""; 0]);
    assert_eq!(timers.next_deadline(), Some(at(75)));
}

/// Sixty-four times as long a wait costs one move more.
#[test]
fn a_key_is_moved_once_per_level_at_most() {
    let mut timers = Timers::new();
    let hour = 3_600_000;
    timers.schedule(at(hour), "far");
    for now in 0..hour / 10 {
        assert_eq!(timers.expire(at(now * 10)), [""; 0]);
    }
    assert_eq!(timers.expire(at(hour)), ["far"]);
    assert!(timers.moves() <= 4, "{} moves", timers.moves());
}

/// Whatever is scheduled, cancelled and expired in whatever order, each key
/// is returned exactly once.
#[test]
fn every_key_comes_out_once() {
    let mut timers = Timers::new();
    let mut ids = Vec::new();
    let mut came_out = vec![0; 1_000];
    let mut random = fastrand::Rng::with_seed(1);
    for key in 0..1_000_usize {
        let now = key as u64;
        ids.push(timers.schedule(at(now + random.u64(..50)), key));
        if random.u8(..3) == 0 {
            let cancelled = timers.cancel(ids[random.usize(..ids.len())]);
            cancelled.into_iter().for_each(|key| came_out[key] += 1);
        }
        if random.u8(..5) == 0 {
            timers
                .expire(at(now))
                .into_iter()
                .for_each(|key| came_out[key] += 1);
        }
    }
    timers
        .expire(at(2_000))
        .into_iter()
        .for_each(|key| came_out[key] += 1);
    assert_eq!(came_out, vec![1; 1_000]);
}

#[tokio::test(start_paused = true)]
async fn the_clock_is_tokios_and_sleeps_until_a_moment() {
    let clock = Clock::start();
    let deadline = clock.now().plus(Duration::from_secs(3600));
    clock.sleep_until(deadline).await;
    assert_eq!(clock.now(), deadline);
    clock.sleep_until(at(5)).await;
    assert_eq!(clock.now(), deadline, "it does not sleep for what is over");
}

#[tokio::test(start_paused = true)]
async fn a_calendar_with_a_beginning_follows_the_stopwatch() {
    let clock = Clock::start_at(Timestamp(1_000));
    assert_eq!(clock.wall(), Timestamp(1_000));
    clock.sleep_until(at(250)).await;
    assert_eq!((clock.now(), clock.wall()), (at(250), Timestamp(1_250)));
}

#[test]
fn the_wall_clock_is_later_than_this_was_written() {
    assert!(Clock::start().wall() > Timestamp(1_700_000_000_000));
}
