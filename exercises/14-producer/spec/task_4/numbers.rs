//! Which number a batch gets, and when.

use spec_harness::case;

use super::super::part::sender::{Effect, Event};
use super::super::part::{Answer, Batch, Order, Outcome, Rules};
use super::shown::expect_eq;
use super::{Play, UNSURE, batch, delivered, failed, identity, rules, send};

#[test]
fn a_number_needs_an_identity() {
    case!(
        "Without an identity a batch waits, and one is asked for once.",
        || {
            let mut play = Play::new(rules(Order::Sequenced));
            expect_eq("a batch", play.give(0, 3), vec![Effect::Renew(None)]);
            expect_eq("a second batch", play.give(1, 1), vec![]);
            let effects = play.step(Event::Identity(identity(0)));
            expect_eq("an identity", effects, vec![send(0, 1, 0, 0)]);
        }
    );
}

#[test]
fn one_until_the_first_is_acknowledged() {
    case!(
        "A broker that never heard of a producer takes any first number: so send one.",
        || {
            let mut play = Play::new(rules(Order::Sequenced));
            play.give(0, 3);
            play.give(1, 2);
            play.give(2, 1);
            play.step(Event::Identity(identity(0)));
            let expected = vec![delivered(0, 3, 0), send(1, 1, 0, 3), send(2, 1, 0, 5)];
            expect_eq("the first one's answer", play.appended(0, 1, 0), expected);
        }
    );
}

#[test]
fn numbers_follow_on_each_other() {
    case!(
        "A batch's number is the one behind the last record before it.",
        || {
            let mut play = Play::proven();
            expect_eq("a batch of 10", play.give(1, 10), vec![send(1, 1, 0, 1)]);
            expect_eq("a batch of 1", play.give(2, 1), vec![send(2, 1, 0, 11)]);
            expect_eq("a batch of 5", play.give(3, 5), vec![send(3, 1, 0, 12)]);
        }
    );
}

#[test]
fn zero_follows_on_the_largest_number() {
    case!("0 follows on the largest number.", || {
        let mut play = Play::proven();
        let most = i32::MAX.cast_unsigned() - 2;
        play.give(1, most);
        play.appended(1, 1, 1);
        let sequence = i32::MAX - 1;
        expect_eq("2 records", play.give(2, 2), vec![send(2, 1, 0, sequence)]);
        expect_eq("4 records", play.give(3, 4), vec![send(3, 1, 0, 0)]);
        expect_eq("1 record", play.give(4, 1), vec![send(4, 1, 0, 4)]);
    });
}

#[test]
fn a_batch_keeps_its_number() {
    case!(
        "A batch is sent again with its number, and those behind it follow in order.",
        || {
            let mut play = Play::proven();
            play.give(1, 2);
            play.give(2, 1);
            play.answer(1, 1, super::NOT_NOW);
            expect_eq(
                "the next",
                play.answer(2, 1, super::Answer::OutOfOrder),
                vec![],
            );
            expect_eq("a new batch has to wait", play.give(3, 1), vec![]);
            let expected = vec![send(1, 2, 0, 1), send(2, 2, 0, 3), send(3, 1, 0, 4)];
            expect_eq("a tick at 10", play.tick(10), expected);
        }
    );
}

#[test]
fn five_from_the_oldest_on() {
    case!(
        "The broker remembers five batches: a batch that is not settled is among them.",
        || {
            let mut play = Play::proven();
            for id in 1..=6 {
                play.give(id, 1);
            }
            for id in 2..=5_u64 {
                let offset = id.cast_signed();
                let expected = vec![delivered(id, 1, offset)];
                let what = format!("batch {id} is answered, and 1 is not");
                expect_eq(&what, play.appended(id, 1, offset), expected);
            }
            let expected = vec![delivered(1, 1, 1), send(6, 1, 0, 6)];
            expect_eq("batch 1 is answered", play.appended(1, 1, 1), expected);
        }
    );
}

#[test]
fn as_many_as_the_setting_says() {
    case!(
        "No more batches than the setting says are in flight.",
        || {
            let mut play = Play::new(Rules {
                in_flight_max: 2,
                ..rules(Order::Sequenced)
            });
            play.step(Event::Identity(identity(0)));
            play.give(0, 1);
            play.appended(0, 1, 0);
            expect_eq("batch 1", play.give(1, 1), vec![send(1, 1, 0, 1)]);
            expect_eq("batch 2", play.give(2, 1), vec![send(2, 1, 0, 2)]);
            expect_eq("batch 3", play.give(3, 1), vec![]);
        }
    );
}

#[test]
fn numbers_that_nobody_checks() {
    case!(
        "Batches have numbers, and one is in flight, as long as no broker checks them.",
        || {
            let mut play = Play::new(Rules {
                numbered: true,
                ..rules(Order::OneAtATime)
            });
            play.step(Event::Identity(identity(0)));
            expect_eq("batch 0", play.give(0, 3), vec![send(0, 1, 0, 0)]);
            expect_eq("batch 1", play.give(1, 1), vec![]);
            let expected = vec![delivered(0, 3, 0), send(1, 1, 0, 3)];
            expect_eq("its answer", play.appended(0, 1, 0), expected);
            expect_eq("batch 2", play.give(2, 1), vec![]);
        }
    );
}

/// A numbered sender: batch 1 is in flight, batch 2 expires at 5 ms, and batch 3 at 1,000.
fn with_one_that_expires() -> (Play, Batch) {
    let mut play = Play::proven();
    let expires = Batch {
        deliver_by: super::millis(5),
        ..batch(2, 1)
    };
    play.give(1, 1);
    play.step(Event::Batch(expires));
    play.give(3, 1);
    (play, expires)
}

#[test]
fn a_hole_behind_a_batch_in_flight() {
    case!(
        "A batch in the middle fails: behind it no new number is given.",
        || {
            let (mut play, expires) = with_one_that_expires();
            let expected = vec![Effect::Done(expires, Outcome::Failed(UNSURE))];
            expect_eq("a tick at 5", play.tick(5), expected);
            let expected = vec![Effect::Renew(Some(identity(0)))];
            let what = "a new batch, while batch 1 is in flight";
            expect_eq(what, play.give(4, 1), expected);
            play.step(Event::Identity(identity(1)));
            expect_eq(
                "batch 1 is appended",
                play.appended(1, 1, 1),
                vec![delivered(1, 1, 1)],
            );
            let expected = vec![delivered(3, 1, 2), send(4, 1, 1, 0)];
            expect_eq("batch 3 is appended", play.appended(3, 1, 2), expected);
        }
    );
}

#[test]
fn no_hole_before_what_was_appended() {
    case!(
        "If the batch behind the failed one was appended, there is no hole.",
        || {
            let (mut play, _) = with_one_that_expires();
            play.tick(5);
            expect_eq(
                "batch 3 is appended",
                play.appended(3, 1, 3),
                vec![delivered(3, 1, 3)],
            );
            expect_eq("a new batch", play.give(4, 1), vec![send(4, 1, 0, 4)]);
        }
    );
}

#[test]
fn a_failed_batch_proves_nothing() {
    case!(
        "A failed batch behind it does not say that a batch is in the log.",
        || {
            let (mut play, _) = with_one_that_expires();
            play.tick(5);
            let expected = vec![failed(1, 1, UNSURE), failed(3, 1, UNSURE)];
            expect_eq("a tick at 1,000", play.tick(1_000), expected);
        }
    );
}

#[test]
fn refused_and_yet_in_the_log() {
    case!(
        "A batch is in the log if a later one is, whatever its second attempt gets.",
        || {
            for answer in [
                Answer::OutOfOrder,
                Answer::TooLarge,
                super::failures::REFUSED,
            ] {
                let mut play = Play::proven();
                play.give(1, 1);
                play.give(2, 1);
                play.answer(1, 1, Answer::Lost);
                play.appended(2, 1, 2);
                play.tick(10);
                let expected = vec![Effect::Done(batch(1, 1), Outcome::Delivered(None))];
                expect_eq(&format!("{answer:?}"), play.answer(1, 2, answer), expected);
            }
        }
    );
}
