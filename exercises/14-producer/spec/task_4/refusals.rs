//! What a batch that has failed for good leaves to its parts and to those behind it.

use spec_harness::case;
use wire_protocol::ErrorCode;

use super::super::part::sender::{Effect, Event};
use super::super::part::{Answer, Batch, BatchId, Failure, Order, Outcome, Rules};
use super::failures::REFUSED;
use super::shown::expect_eq;
use super::{NOT_NOW, Play, SURE, UNSURE, batch, delivered, failed, identity, rules, send};

/// Batch 1, in flight, is refused, and the sender gets its next epoch.
fn refuse_the_first(play: &mut Play) -> Vec<Effect> {
    let code = Failure::Refused(ErrorCode::INVALID_RECORD);
    let expected = vec![failed(1, 1, code), Effect::Renew(Some(identity(0)))];
    expect_eq("batch 1 is refused", play.answer(1, 1, REFUSED), expected);
    play.step(Event::Identity(identity(1)))
}

#[test]
fn those_behind_a_refused_batch_do_not_wait() {
    case!(
        "What is behind a refused batch is sent again at once, without what is left of its pause.",
        || {
            let mut play = Play::proven();
            play.give(1, 1);
            play.give(2, 1);
            expect_eq("batch 2: not now", play.answer(2, 1, NOT_NOW), vec![]);
            let effects = refuse_the_first(&mut play);
            expect_eq("the next epoch", effects, vec![send(2, 2, 1, 0)]);
        }
    );
}

#[test]
fn those_behind_a_refused_batch_are_in_no_doubt() {
    case!(
        "What is behind a refused batch cannot be in the log, though its answer was lost.",
        || {
            let mut play = Play::proven();
            play.give(1, 1);
            play.give(2, 1);
            expect_eq("2 has no answer", play.answer(2, 1, Answer::Lost), vec![]);
            refuse_the_first(&mut play);
            expect_eq("attempt 2: not now", play.answer(2, 2, NOT_NOW), vec![]);
            let expected = vec![failed(2, 1, SURE)];
            expect_eq("the deadline", play.tick(1_000), expected);
        }
    );
}

#[test]
fn what_is_settled_behind_a_refused_batch_stays_so() {
    case!(
        "A batch that has expired behind a refused one has had its outcome.",
        || {
            let mut play = Play::proven();
            let expires = Batch {
                deliver_by: super::millis(5),
                ..batch(2, 1)
            };
            play.give(1, 1);
            play.step(Event::Batch(expires));
            play.give(3, 1);
            let expected = vec![Effect::Done(expires, Outcome::Failed(UNSURE))];
            expect_eq("a tick at 5", play.tick(5), expected);
            let effects = refuse_the_first(&mut play);
            expect_eq("the next epoch", effects, vec![send(3, 2, 1, 0)]);
        }
    );
}

#[test]
fn those_behind_one_that_was_given_up_keep_their_numbers() {
    case!(
        "A batch without attempts left may come as a copy yet: those behind it keep their numbers.",
        || {
            let mut play = Play::proven_with(Rules {
                retries: 1,
                ..rules(Order::Sequenced)
            });
            play.give(1, 1);
            play.give(2, 1);
            play.answer(1, 1, NOT_NOW);
            play.answer(2, 1, Answer::OutOfOrder);
            let expected = vec![send(1, 2, 0, 1), send(2, 2, 0, 2)];
            expect_eq("a tick at 10", play.tick(10), expected);
            let expected = vec![failed(1, 1, SURE)];
            expect_eq("1: not now", play.answer(1, 2, NOT_NOW), expected);
            let expected = vec![delivered(2, 1, 2)];
            expect_eq(
                "a copy of 1 came, and 2 is appended",
                play.appended(2, 2, 2),
                expected,
            );
        }
    );
}

#[test]
fn parts_of_a_batch_in_doubt() {
    case!(
        "A batch had no answer, and is cut at its next attempt: its parts may be in the log.",
        || {
            let mut play = Play::proven();
            play.give(1, 2);
            play.answer(1, 1, Answer::Lost);
            play.tick(10);
            let part = |id| batch(id, 1);
            let (head, tail) = (u64::MAX, u64::MAX - 1);
            let expected = vec![
                Effect::Split(BatchId(1), [part(head), part(tail)]),
                send(head, 1, 0, 1),
                send(tail, 1, 0, 2),
            ];
            let effects = play.answer(1, 2, Answer::TooLarge);
            expect_eq("attempt 2: too large", effects, expected);
            play.answer(head, 1, NOT_NOW);
            play.answer(tail, 1, NOT_NOW);
            let expected = vec![failed(head, 1, UNSURE), failed(tail, 1, UNSURE)];
            expect_eq("the deadline", play.tick(1_000), expected);
        }
    );
}

#[test]
fn fatal_though_a_later_batch_was_appended() {
    case!(
        "A fatal answer ends everything, also for a batch that a later one proves to be in the log.",
        || {
            let mut play = Play::proven();
            play.give(1, 1);
            play.give(2, 1);
            play.answer(1, 1, Answer::Lost);
            play.appended(2, 1, 2);
            play.tick(10);
            let code = ErrorCode::CLUSTER_AUTHORIZATION_FAILED;
            let fatal = |id| vec![failed(id, 1, Failure::Fatal(code))];
            expect_eq("fatal", play.answer(1, 2, Answer::Fatal(code)), fatal(1));
            expect_eq("one more", play.give(3, 1), fatal(3));
        }
    );
}
