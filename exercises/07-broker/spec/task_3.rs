//! The waiting.

mod alarms;
mod interleavings;
mod leaving;
mod model;
mod sleeper;
mod step;
mod thousand;
mod threads;
mod world;

use std::cell::Cell;
use std::rc::Rc;
use std::sync::{Arc, mpsc};
use std::task::{Poll, Waker};

use message_model::Offset;
use spec_harness::{case, expect_eq};

use super::part::Woken;
use alarms::{each_deadline_is_heard, what_the_look_finds};
use interleavings::{Scenario, every_order};
use leaving::{a_panic, a_thousand_at_once, a_waker_that_drops};
use model::random_histories;
use sleeper::{Numbered, Sleeper, boards, notes, passes, silent};
use step::at;
use thousand::a_thousand_at_a_hundred;
use threads::no_lock_is_held;

#[test]
fn an_end_that_moves_wakes() {
    case!(
        "A fetch that waits for offset 10 sleeps, and is woken when the end has moved to 11.",
        || {
            let (waits, partitions) = (silent(), boards(1));
            let mut fetch = Sleeper::asleep(&waits, &partitions);
            expect_eq("before", fetch.poll(), Poll::Pending);
            partitions[0].moved(&"end", Offset(11));
            expect_eq("how often it is woken", fetch.rung(), 1);
            let moved = Poll::Ready(Woken::Moved);
            expect_eq("after moved(end, 11)", fetch.poll(), moved);
        }
    );
}

#[test]
fn an_end_that_has_not_passed() {
    case!(
        "An end at offset 10 has not passed it: the fetch sleeps on.",
        || {
            let (waits, partitions) = (silent(), boards(1));
            let mut fetch = Sleeper::asleep(&waits, &partitions);
            partitions[0].moved(&"end", Offset(10));
            partitions[0].moved(&"another end", Offset(20));
            expect_eq("how often it is woken", fetch.rung(), 0);
            expect_eq("it sleeps", fetch.poll(), Poll::Pending);
        }
    );
}

#[test]
fn the_second_look() {
    case!(
        "An end that moved before the note was left wakes nothing. So the fetch looks again, and does not sleep.",
        || {
            let (waits, partitions) = (silent(), boards(1));
            let (seen, board) = (Rc::new(Cell::new(0)), Arc::clone(&partitions[0]));
            let at_the_look = Rc::clone(&seen);
            let look_again = move || {
                at_the_look.set(board.len());
                false
            };
            let conditions = [passes(&partitions[0], 10)];
            let mut fetch = Sleeper::new(&waits, 500, conditions, look_again);
            let moved = Poll::Ready(Woken::Moved);
            expect_eq("it returns", fetch.poll(), moved);
            expect_eq("notes at the second look", seen.get(), 1);
            expect_eq("notes that are left", notes(&partitions), 0);
            expect_eq("timers that are left", waits.len(), 0);
        }
    );
}

#[test]
fn one_of_many_partitions() {
    case!(
        "A fetch that waits at twenty partitions is woken by any of them, and takes its other notes back when it leaves.",
        || {
            for moves in 0..20 {
                let (waits, partitions) = (silent(), boards(20));
                let mut fetch = Sleeper::asleep(&waits, &partitions);
                partitions[moves].moved(&"end", Offset(11));
                let what = format!("when partition {moves} of 20 has moved");
                expect_eq(&what, fetch.poll(), Poll::Ready(Woken::Moved));
                drop(fetch);
                expect_eq("notes that are left", notes(&partitions), 0);
                expect_eq("timers that are left", waits.len(), 0);
            }
        }
    );
}

#[test]
fn a_partition_that_is_named_twice() {
    case!(
        "A request may name a partition twice, at two offsets: it is woken once, by the lower one.",
        || {
            let (waits, partitions) = (silent(), boards(1));
            let conditions = [passes(&partitions[0], 20), passes(&partitions[0], 10)];
            let mut fetch = Sleeper::new(&waits, 500, conditions, || true);
            let _ = fetch.poll();
            partitions[0].moved(&"end", Offset(11));
            expect_eq("how often moved(end, 11) wakes it", fetch.rung(), 1);
            partitions[0].moved(&"end", Offset(30));
            expect_eq("how often it is woken in all", fetch.rung(), 1);
            let moved = Poll::Ready(Woken::Moved);
            expect_eq("it returns", fetch.poll(), moved);
            drop(fetch);
            expect_eq("notes that are left", notes(&partitions), 0);
        }
    );
}

#[test]
fn the_first_reason_counts() {
    case!(
        "A fetch that was woken, and has not run yet, is not woken again: neither by another partition nor by the deadline.",
        || {
            let (waits, partitions) = (silent(), boards(2));
            let mut fetch = Sleeper::asleep(&waits, &partitions);
            partitions[0].moved(&"end", Offset(11));
            partitions[1].moved(&"end", Offset(11));
            waits.expire(at(500));
            expect_eq("how often it is woken", fetch.rung(), 1);
            let moved = Poll::Ready(Woken::Moved);
            expect_eq("it returns", fetch.poll(), moved);
        }
    );
}

#[test]
fn first_come_first_woken() {
    case!(
        "Fetches that wait at one partition are woken in the order in which they came.",
        || {
            let (waits, partitions) = (silent(), boards(1));
            let (order, woken) = mpsc::channel();
            let sleep = |(number, offset)| {
                let conditions = [passes(&partitions[0], offset)];
                let mut fetch = Sleeper::new(&waits, 500, conditions, || true);
                let numbered = Arc::new(Numbered(number, order.clone()));
                let _ = fetch.poll_with(&Waker::from(numbered));
                fetch
            };
            let offsets = [7, 3, 9, 7, 5].into_iter().enumerate();
            let _sleeping: Vec<Sleeper> = offsets.map(sleep).collect();
            partitions[0].moved(&"end", Offset(8));
            expect_eq(
                "fetches that wait for 7, 3, 9, 7, 5, in the order in which moved(end, 8) wakes them",
                woken.try_iter().collect::<Vec<_>>(),
                vec![0, 1, 3, 4],
            );
        }
    );
}

#[test]
fn its_time_is_over() {
    case!(
        "A fetch whose deadline is over is woken, and the driver is told when to come again.",
        || {
            let (waits, partitions) = (silent(), boards(1));
            let mut fetch = Sleeper::asleep(&waits, &partitions);
            let conditions = [passes(&partitions[0], 10)];
            let mut later = Sleeper::new(&waits, 900, conditions, || true);
            let _ = later.poll();
            expect_eq("expire(499 ms)", waits.expire(at(499)), Some(at(500)));
            expect_eq("how often it is woken by then", fetch.rung(), 0);
            expect_eq("expire(500 ms)", waits.expire(at(500)), Some(at(900)));
            let rung = (fetch.rung(), later.rung());
            expect_eq("how often it and a later one are woken", rung, (1, 0));
            let expired = Poll::Ready(Woken::Expired);
            expect_eq("it returns", fetch.poll(), expired);
            drop(fetch);
            expect_eq("notes that are left", notes(&partitions), 1);
            expect_eq("expire(900 ms)", waits.expire(at(900)), None);
        }
    );
}

#[test]
fn the_driver_learns_of_each_deadline() {
    case!(
        "The alarm is called with each deadline once its timer is set: a driver that expires it at once ends the wait.",
        each_deadline_is_heard
    );
}

#[test]
fn what_the_look_finds_counts() {
    case!(
        "A deadline may pass before the second look. The fetch looks all the same, and what the look finds counts.",
        what_the_look_finds
    );
}

#[test]
fn a_client_that_is_gone() {
    case!(
        "When the client is gone, its future is dropped: no note is left at any partition, and no timer.",
        || {
            let (waits, partitions) = (silent(), boards(20));
            let fetch = Sleeper::asleep(&waits, &partitions);
            expect_eq("notes while it sleeps", notes(&partitions), 20);
            expect_eq("timers while it sleeps", waits.len(), 1);
            let is_empty = (partitions[7].is_empty(), waits.is_empty());
            expect_eq(
                "is_empty() of a board and of the waits",
                is_empty,
                (false, false),
            );
            let bell = Arc::clone(&fetch.bell);
            drop(fetch);
            expect_eq("notes that are left", notes(&partitions), 0);
            expect_eq("timers that are left", waits.len(), 0);
            let is_empty = (partitions[7].is_empty(), waits.is_empty());
            expect_eq("is_empty() of both then", is_empty, (true, true));
            partitions[7].moved(&"end", Offset(11));
            expect_eq("how often it is woken", bell.rung(), 0);
        }
    );
}

#[test]
fn another_task_goes_on() {
    case!(
        "A future may move to another task while it sleeps: the last one that polled is woken.",
        || {
            let (waits, partitions) = (silent(), boards(1));
            let mut fetch = Sleeper::asleep(&waits, &partitions);
            let first = std::mem::take(&mut fetch.bell);
            let _ = fetch.poll();
            partitions[0].moved(&"end", Offset(11));
            let rung = (first.rung(), fetch.rung());
            expect_eq("how often each of the two tasks is woken", rung, (0, 1));
        }
    );
}

#[test]
fn a_partition_that_goes_offline() {
    case!(
        "When a partition goes offline, everything that waits there is woken, whatever it waits for.",
        || {
            let (waits, partitions) = (silent(), boards(1));
            let mut fetch = Sleeper::asleep(&waits, &partitions);
            partitions[0].wake_all();
            expect_eq("how often it is woken", fetch.rung(), 1);
            let moved = Poll::Ready(Woken::Moved);
            expect_eq("it returns", fetch.poll(), moved);
        }
    );
}

#[test]
fn a_broker_that_stops() {
    case!(
        "When the broker stops, every wait ends, and none begins any more.",
        || {
            let (waits, partitions) = (silent(), boards(1));
            let mut fetch = Sleeper::asleep(&waits, &partitions);
            waits.stop();
            let stopped = Poll::Ready(Woken::Stopped);
            expect_eq("it returns", fetch.poll(), stopped);
            drop(fetch);
            let conditions = [passes(&partitions[0], 10)];
            let mut late = Sleeper::new(&waits, 500, conditions, || true);
            expect_eq("the next one returns", late.poll(), stopped);
            expect_eq("notes that are left", notes(&partitions), 0);
        }
    );
}

#[test]
fn a_panic_is_a_way_to_leave() {
    case!(
        "What the caller passes may panic, and so may the alarm: no note of the fetch is left at any partition, and no timer.",
        a_panic
    );
}

#[test]
fn a_waker_that_drops_another_fetch() {
    case!(
        "A fetch that is woken may make another one leave that is about to be woken too: that one is not woken any more.",
        a_waker_that_drops
    );
}

#[test]
fn a_thousand_at_one_moment() {
    case!(
        "A thousand fetches wait at one partition until one deadline: one append wakes all of them, and so does the deadline.",
        a_thousand_at_once
    );
}

#[test]
fn no_lock_is_held_over_a_wake() {
    case!(
        "A fetch is woken outside of the locks: another thread may go on with it before the wake is over.",
        no_lock_is_held
    );
}

#[test]
fn every_order_of_a_fetch_and_two_appends() {
    case!(
        "One fetch at two partitions, two appends, the deadline, a client that vanishes: in every order, the steps of the fetch among them.",
        || every_order(Scenario {
            fetches: vec![vec![0, 1]],
            appends: vec![0, 1],
            expires: true,
            vanishes: true,
            between: true,
        })
    );
}

#[test]
fn every_order_of_a_fetch_and_three_appends() {
    case!(
        "One fetch and three appends to its partition: in every order, the steps of the fetch among them.",
        || every_order(Scenario {
            fetches: vec![vec![0]],
            appends: vec![0, 0, 0],
            expires: false,
            vanishes: false,
            between: true,
        })
    );
}

#[test]
fn every_order_of_two_fetches_and_an_append() {
    case!(
        "Two fetches, an append, and clients that vanish: in every order, the steps of the fetches among them.",
        || every_order(Scenario {
            fetches: vec![vec![0, 1], vec![1]],
            appends: vec![1],
            expires: false,
            vanishes: true,
            between: true,
        })
    );
}

#[test]
fn every_order_of_three_fetches_and_three_appends() {
    case!(
        "Three fetches and three appends at two partitions, in every order.",
        || every_order(Scenario {
            fetches: vec![vec![0, 1], vec![0], vec![1]],
            appends: vec![0, 1, 0],
            expires: false,
            vanishes: false,
            between: false,
        })
    );
}

#[test]
fn every_order_of_deadlines_and_appends() {
    case!(
        "Two fetches whose deadlines pass and whose clients vanish, and two appends, in every order.",
        || every_order(Scenario {
            fetches: vec![vec![0, 1], vec![0]],
            appends: vec![0, 1],
            expires: true,
            vanishes: true,
            between: false,
        })
    );
}

#[test]
fn ten_thousand_histories() {
    case!(
        "10,000 random histories of six fetches at three partitions: each wakes what the slow way wakes, and leaves what that leaves.",
        || random_histories(10_000)
    );
}

#[test]
fn a_thousand_consumers() {
    case!(
        "A thousand consumers wait at a hundred partitions each. An append to one, at which ten of them wait, touches ten notes.",
        a_thousand_at_a_hundred
    );
}
