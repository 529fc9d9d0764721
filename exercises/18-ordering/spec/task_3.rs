//! Several workers on one partition.

mod explore;
mod world;

use std::time::Duration;

use message_model::{Moment, Offset};
use spec_harness::{case, expect_eq};

use super::part::schedule::{Effect, Event};
use super::part::{Key, Limits, Scheduler};

fn millis(millis: u64) -> Moment {
    Moment::after_start(Duration::from_millis(millis))
}

/// Two workers, a window of 10, two tries with 5 ms between them.
const LIMITS: Limits = Limits {
    workers: 2,
    window_max: 10,
    tries_max: 2,
    backoff: Duration::from_millis(5),
};

/// A scheduler, and what time it is there.
struct Play {
    scheduler: Scheduler,
    now: u64,
}

impl Play {
    fn new(limits: Limits) -> Play {
        Play::at(0, limits)
    }

    fn at(start: i64, limits: Limits) -> Play {
        Play {
            scheduler: Scheduler::new(Offset(start), limits),
            now: 0,
        }
    }

    /// What must be done, in words.
    fn step(&mut self, event: Event) -> Vec<String> {
        let mut effects = Vec::new();
        self.scheduler.step(millis(self.now), event, &mut effects);
        effects.iter().map(line).collect()
    }

    fn record(&mut self, offset: i64, key: u64) -> Vec<String> {
        self.step(Event::Record {
            offset: Offset(offset),
            key: Some(Key(key)),
        })
    }

    fn done(&mut self, offset: i64) -> Vec<String> {
        self.step(Event::Done(Offset(offset)))
    }

    fn failed(&mut self, offset: i64) -> Vec<String> {
        self.step(Event::Failed(Offset(offset)))
    }

    fn tick(&mut self, now: u64) -> Vec<String> {
        self.now = now;
        self.step(Event::Tick)
    }

    fn frontier(&self) -> i64 {
        self.scheduler.frontier().0
    }
}

fn line(effect: &Effect) -> String {
    match effect {
        Effect::Start { offset, attempt } => format!("start {offset}, attempt {attempt}"),
        Effect::GiveUp(offset) => format!("give up {offset}"),
        Effect::Drained => "drained".to_owned(),
    }
}

const NOTHING: [&str; 0] = [];

/// Compares what must be done with what should be.
fn expect_effects(what: &str, got: Vec<String>, expected: &[&str]) {
    let expected: Vec<String> = expected.iter().map(|&line| line.to_owned()).collect();
    expect_eq(what, got, expected);
}

#[test]
fn a_record_is_started_and_done() {
    case!(
        "A record goes to a worker, and what is done may be committed.",
        || {
            let mut play = Play::at(100, LIMITS);
            expect_eq("the frontier at first", play.frontier(), 100);
            expect_effects("record 100", play.record(100, 1), &["start 100, attempt 1"]);
            expect_eq("the frontier, while it is in hand", play.frontier(), 100);
            expect_effects("100 is done", play.done(100), &NOTHING);
            expect_eq("the frontier", play.frontier(), 101);
        }
    );
}

#[test]
fn two_keys_at_once() {
    case!("Records of two keys are in hand at the same time.", || {
        let mut play = Play::new(LIMITS);
        expect_effects("0 of key 1", play.record(0, 1), &["start 0, attempt 1"]);
        expect_effects("1 of key 2", play.record(1, 2), &["start 1, attempt 1"]);
    });
}

#[test]
fn one_key_one_at_a_time() {
    case!(
        "The next record of a key waits until the one before it is done, though a worker is idle.",
        || {
            let mut play = Play::new(LIMITS);
            play.record(0, 1);
            expect_effects("1 of the same key", play.record(1, 1), &NOTHING);
            expect_effects("2 of the same key", play.record(2, 1), &NOTHING);
            expect_effects("0 is done", play.done(0), &["start 1, attempt 1"]);
            expect_effects("1 is done", play.done(1), &["start 2, attempt 1"]);
        }
    );
}

#[test]
fn no_more_than_there_are_workers() {
    case!(
        "As many records are in hand as there are workers, and no more.",
        || {
            let mut play = Play::new(LIMITS);
            play.record(0, 1);
            play.record(1, 2);
            expect_effects("a third key", play.record(2, 3), &NOTHING);
            expect_effects("1 is done", play.done(1), &["start 2, attempt 1"]);
        }
    );
}

#[test]
fn without_a_key() {
    case!("Records without a key wait for no other.", || {
        let mut play = Play::new(LIMITS);
        for offset in [0, 1] {
            let record = Event::Record {
                offset: Offset(offset),
                key: None,
            };
            let start = format!("start {offset}, attempt 1");
            expect_effects(&format!("{offset}"), play.step(record), &[&start]);
        }
    });
}

#[test]
fn the_frontier_waits_for_the_lowest() {
    case!(
        "The frontier stays at the lowest record that is not done.",
        || {
            let mut play = Play::new(LIMITS);
            play.record(0, 1);
            play.record(1, 2);
            play.record(2, 3);
            play.done(1);
            expect_eq("the frontier, 1 done", play.frontier(), 0);
            play.done(2);
            expect_eq("the frontier, 1 and 2 done", play.frontier(), 0);
            play.done(0);
            expect_eq("the frontier, all done", play.frontier(), 3);
        }
    );
}

#[test]
fn gaps_between_offsets() {
    case!(
        "Not every offset has a record; behind the last one the partition can be read further.",
        || {
            let mut play = Play::new(LIMITS);
            play.record(3, 1);
            play.record(7, 2);
            expect_eq("the frontier, none done", play.frontier(), 3);
            play.done(3);
            expect_eq("the frontier, 3 done", play.frontier(), 7);
            play.step(Event::ReadUpTo(Offset(20)));
            expect_eq("the frontier, read up to 20", play.frontier(), 7);
            play.done(7);
            expect_eq("the frontier, 7 done", play.frontier(), 20);
            play.step(Event::ReadUpTo(Offset(15)));
            expect_eq("the frontier, read up to 15", play.frontier(), 20);
        }
    );
}

#[test]
fn a_full_window() {
    case!(
        "What is done above a slow record counts too: the window is full, and stays bounded.",
        || {
            let mut play = Play::new(Limits {
                window_max: 3,
                ..LIMITS
            });
            for offset in 0..3 {
                let has_room = play.scheduler.has_room();
                expect_eq(&format!("room for {offset}"), has_room, true);
                play.record(offset, offset.unsigned_abs());
            }
            play.done(1);
            play.done(2);
            expect_eq("room, 1 and 2 done", play.scheduler.has_room(), false);
            play.done(0);
            expect_eq("room, 0 done too", play.scheduler.has_room(), true);
        }
    );
}

#[test]
fn a_hot_key_takes_turns() {
    case!(
        "A key with many records has one turn, then each other that waits has one.",
        || {
            let mut play = Play::new(Limits {
                workers: 1,
                ..LIMITS
            });
            for offset in 0..4 {
                play.record(offset, 1);
            }
            play.record(4, 2);
            play.record(5, 3);
            let order = [(0, 4), (4, 5), (5, 1), (1, 2), (2, 3)];
            for (done, next) in order {
                let start = format!("start {next}, attempt 1");
                expect_effects(&format!("{done} is done"), play.done(done), &[&start]);
            }
        }
    );
}

#[test]
fn a_failed_record_is_not_done() {
    case!(
        "A record that fails is tried again after the pause, and never committed before it is done.",
        || {
            let mut play = Play::new(LIMITS);
            play.record(0, 1);
            play.now = 3;
            expect_effects("0 fails at 3", play.failed(0), &NOTHING);
            expect_eq("the frontier", play.frontier(), 0);
            let next = play.scheduler.next_deadline();
            expect_eq("the next deadline", next, Some(millis(8)));
            expect_effects("a tick at 7", play.tick(7), &NOTHING);
            expect_effects("a tick at 8", play.tick(8), &["start 0, attempt 2"]);
            expect_eq("the next deadline", play.scheduler.next_deadline(), None);
            play.done(0);
            expect_eq("the frontier, 0 done", play.frontier(), 1);
        }
    );
}

#[test]
fn a_failed_record_is_not_passed() {
    case!(
        "While a record pauses, others of its key wait, and other keys go on.",
        || {
            let mut play = Play::new(LIMITS);
            play.record(0, 1);
            play.record(1, 1);
            expect_effects("0 fails", play.failed(0), &NOTHING);
            expect_effects("2 of key 2", play.record(2, 2), &["start 2, attempt 1"]);
            expect_effects("the pause is over", play.tick(5), &["start 0, attempt 2"]);
            expect_effects("0 is done", play.done(0), &["start 1, attempt 1"]);
        }
    );
}

#[test]
fn a_pause_needs_no_worker() {
    case!("A record that pauses leaves its worker to another.", || {
        let mut play = Play::new(Limits {
            workers: 1,
            ..LIMITS
        });
        play.record(0, 1);
        play.record(1, 2);
        expect_effects("0 fails", play.failed(0), &["start 1, attempt 1"]);
        expect_effects("the pause is over", play.tick(5), &NOTHING);
        expect_effects("1 is done", play.done(1), &["start 0, attempt 2"]);
    });
}

#[test]
fn a_failed_record_waits_its_turn() {
    case!(
        "A record whose pause is over goes behind those that wait for a worker already.",
        || {
            let mut play = Play::new(Limits {
                workers: 1,
                ..LIMITS
            });
            for offset in 0..3 {
                play.record(offset, offset.unsigned_abs());
            }
            expect_effects("0 fails", play.failed(0), &["start 1, attempt 1"]);
            expect_effects("the pause is over", play.tick(5), &NOTHING);
            expect_effects("1 is done", play.done(1), &["start 2, attempt 1"]);
            expect_effects("2 is done", play.done(2), &["start 0, attempt 2"]);
        }
    );
}

#[test]
fn two_pauses_and_a_late_tick() {
    case!(
        "Of two pauses that are over, the one that was over first comes first.",
        || {
            let mut play = Play::new(LIMITS);
            play.record(0, 1);
            play.record(1, 2);
            play.record(2, 3);
            expect_effects("1 fails at 0", play.failed(1), &["start 2, attempt 1"]);
            play.now = 3;
            expect_effects("0 fails at 3", play.failed(0), &NOTHING);
            expect_effects("3 of key 4", play.record(3, 4), &["start 3, attempt 1"]);
            expect_effects("both pauses are over", play.tick(10), &NOTHING);
            expect_effects("2 is done", play.done(2), &["start 1, attempt 2"]);
            expect_effects("3 is done", play.done(3), &["start 0, attempt 2"]);
        }
    );
}

#[test]
fn the_last_attempt() {
    case!(
        "After its last attempt a record is given up, and counts when it is safe somewhere else.",
        || {
            let mut play = Play::new(LIMITS);
            play.record(0, 1);
            play.record(1, 1);
            play.failed(0);
            play.tick(5);
            expect_effects("0 fails again", play.failed(0), &["give up 0"]);
            expect_eq("the next deadline", play.scheduler.next_deadline(), None);
            expect_eq("the frontier", play.frontier(), 0);
            let settled = play.step(Event::Settled(Offset(0)));
            expect_effects("0 is safe", settled, &["start 1, attempt 1"]);
            expect_eq("the frontier, 0 safe", play.frontier(), 1);
        }
    );
}

#[test]
fn one_attempt_only() {
    case!("With one attempt a record is given up at once.", || {
        let mut play = Play::new(Limits {
            tries_max: 1,
            ..LIMITS
        });
        play.record(0, 1);
        expect_effects("0 fails", play.failed(0), &["give up 0"]);
    });
}

#[test]
fn news_of_nothing() {
    case!(
        "What is said of a record that is not in hand, or not given up, changes nothing.",
        || {
            let mut play = Play::new(LIMITS);
            play.record(0, 1);
            play.record(1, 1);
            play.record(2, 2);
            play.done(2);
            let before = play.scheduler.clone();
            let news = [
                Event::Done(Offset(1)),
                Event::Failed(Offset(1)),
                Event::Done(Offset(2)),
                Event::Failed(Offset(2)),
                Event::Done(Offset(7)),
                Event::Settled(Offset(0)),
            ];
            for event in news {
                expect_effects(&format!("{event:?}"), play.step(event), &NOTHING);
                let is_equal = play.scheduler == before;
                expect_eq(&format!("{event:?}: nothing has changed"), is_equal, true);
            }
        }
    );
}

#[test]
fn what_was_not_begun_is_forgotten() {
    case!(
        "After a revocation nothing is begun above the last record that was started.",
        || {
            let mut play = Play::new(LIMITS);
            for (offset, key) in [(0, 1), (1, 2), (2, 1), (3, 3)] {
                play.record(offset, key);
            }
            expect_effects("revoke", play.step(Event::Revoke), &NOTHING);
            expect_eq("room", play.scheduler.has_room(), false);
            expect_effects("0 is done", play.done(0), &NOTHING);
            expect_eq("the frontier, 0 done", play.frontier(), 1);
            expect_effects("1 is done", play.done(1), &["drained"]);
            expect_eq("the frontier, 1 done", play.frontier(), 2);
            expect_effects("1 is done again", play.done(1), &NOTHING);
            expect_effects("a tick", play.tick(100), &NOTHING);
        }
    );
}

#[test]
fn what_is_below_is_finished() {
    case!(
        "What is below a record that was started is finished, or that record would be done twice.",
        || {
            let mut play = Play::new(LIMITS);
            for (offset, key) in [(0, 1), (1, 1), (2, 2), (3, 2)] {
                play.record(offset, key);
            }
            play.done(2);
            play.record(4, 3);
            expect_effects(
                "revoke, with 0 and 3 in hand",
                play.step(Event::Revoke),
                &NOTHING,
            );
            expect_effects("3 is done", play.done(3), &NOTHING);
            expect_eq("the frontier, 2 and 3 done", play.frontier(), 0);
            expect_effects("0 is done", play.done(0), &["start 1, attempt 1"]);
            expect_effects("1 is done", play.done(1), &["drained"]);
            expect_eq("the frontier", play.frontier(), 4);
        }
    );
}

#[test]
fn a_key_on_both_sides() {
    case!(
        "A key of which a record is forgotten finishes those that are kept.",
        || {
            let mut play = Play::new(LIMITS);
            for (offset, key) in [(0, 1), (1, 1), (2, 2), (3, 1)] {
                play.record(offset, key);
            }
            let revoked = play.step(Event::Revoke);
            expect_effects("revoke, with 0 and 2 in hand", revoked, &NOTHING);
            expect_effects("2 is done", play.done(2), &NOTHING);
            expect_effects("0 is done", play.done(0), &["start 1, attempt 1"]);
            expect_effects("1 is done", play.done(1), &["drained"]);
            expect_eq("the frontier", play.frontier(), 3);
        }
    );
}

#[test]
fn revoked_with_nothing_begun() {
    case!(
        "If nothing was begun, the partition is drained at once.",
        || {
            let mut play = Play::at(7, LIMITS);
            expect_effects("revoke", play.step(Event::Revoke), &["drained"]);
            expect_effects("revoke again", play.step(Event::Revoke), &NOTHING);
            expect_eq("the frontier", play.frontier(), 7);
            play.step(Event::ReadUpTo(Offset(20)));
            expect_eq("the frontier, read up to 20", play.frontier(), 7);
        }
    );
}

#[test]
fn reading_on_moves_nothing_when_revoked() {
    case!(
        "What was forgotten is not passed: the frontier ends where the next owner begins.",
        || {
            let mut play = Play::new(Limits {
                workers: 1,
                ..LIMITS
            });
            play.record(0, 1);
            play.record(5, 2);
            play.step(Event::ReadUpTo(Offset(9)));
            play.step(Event::Revoke);
            expect_effects("0 is done", play.done(0), &["drained"]);
            expect_eq("the frontier", play.frontier(), 5);
        }
    );
}

#[test]
fn a_failure_after_a_revocation() {
    case!(
        "What fails after a revocation is tried again, or given up, as before.",
        || {
            let mut play = Play::new(LIMITS);
            play.record(0, 1);
            play.step(Event::Revoke);
            expect_effects("0 fails", play.failed(0), &NOTHING);
            expect_effects("the pause is over", play.tick(5), &["start 0, attempt 2"]);
            expect_effects("0 fails again", play.failed(0), &["give up 0"]);
            let settled = play.step(Event::Settled(Offset(0)));
            expect_effects("0 is safe", settled, &["drained"]);
            expect_eq("the frontier", play.frontier(), 1);
        }
    );
}

mod histories;
