//! Batches that are not delivered, and what follows for those behind them.

use spec_harness::case;
use wire_protocol::ErrorCode;

use super::super::part::sender::{Effect, Event};
use super::super::part::{Answer, Batch, BatchId, Failure, Order, Outcome, Rules};
use super::shown::expect_eq;
use super::{NOT_NOW, Play, SURE, UNSURE, batch, delivered, failed, identity, plain, rules, send};

pub(super) const REFUSED: Answer = Answer::Refused(ErrorCode::INVALID_RECORD);

#[test]
fn retries_come_to_an_end() {
    case!(
        "A batch that was sent as often as it may be has failed.",
        || {
            let mut play = Play::new(Rules {
                retries: 1,
                ..rules(Order::OneAtATime)
            });
            play.give(0, 1);
            play.answer(0, 1, NOT_NOW);
            expect_eq("a tick at 10", play.tick(10), vec![plain(0, 2)]);
            expect_eq(
                "not now",
                play.answer(0, 2, NOT_NOW),
                vec![failed(0, 1, SURE)],
            );
        }
    );
}

#[test]
fn a_deadline_ends_everything() {
    case!(
        "At its deadline a batch fails; the answer that comes later changes nothing.",
        || {
            let mut play = Play::new(rules(Order::OneAtATime));
            play.give(0, 1);
            play.give(1, 1);
            expect_eq(
                "the next deadline",
                play.sender.next_deadline(),
                Some(super::millis(1_000)),
            );
            expect_eq("a tick at 999", play.tick(999), vec![]);
            let expected = vec![failed(0, 1, UNSURE), failed(1, 1, SURE)];
            expect_eq("a tick at 1,000", play.tick(1_000), expected);
            expect_eq("the answer", play.appended(0, 1, 0), vec![]);
        }
    );
}

#[test]
fn whether_it_may_be_in_the_log() {
    case!(
        "A batch whose attempts were all refused for now is not in the log.",
        || {
            for (answer, failure) in [(NOT_NOW, SURE), (Answer::Lost, UNSURE)] {
                let mut play = Play::new(rules(Order::OneAtATime));
                play.give(0, 1);
                play.answer(0, 1, answer);
                play.tick(10);
                play.answer(0, 2, NOT_NOW);
                let what = format!("attempt 1: {answer:?}, attempt 2: not now, the deadline");
                expect_eq(&what, play.tick(1_000), vec![failed(0, 1, failure)]);
            }
        }
    );
}

#[test]
fn what_expires_unsent_leaves_no_gap() {
    case!(
        "A batch that expires before it is sent had no number: the next one gets it.",
        || {
            let mut play = Play::proven();
            play.give(1, 1);
            play.answer(1, 1, NOT_NOW);
            let expires = Batch {
                deliver_by: super::millis(5),
                ..batch(2, 4)
            };
            play.step(Event::Batch(expires));
            let expected = vec![Effect::Done(expires, Outcome::Failed(SURE))];
            expect_eq("a tick at 5", play.tick(5), expected);
            play.give(3, 1);
            let expected = vec![send(1, 2, 0, 1), send(3, 1, 0, 2)];
            expect_eq("a tick at 10", play.tick(10), expected);
        }
    );
}

#[test]
fn behind_a_hole_a_new_epoch_begins() {
    case!(
        "A numbered batch that fails may leave a hole: the next one needs a new epoch.",
        || {
            let mut play = Play::proven();
            let expires = Batch {
                deliver_by: super::millis(5),
                ..batch(1, 1)
            };
            play.step(Event::Batch(expires));
            let expected = vec![Effect::Done(expires, Outcome::Failed(UNSURE))];
            expect_eq("a tick at 5: it is in flight", play.tick(5), expected);
            let expected = vec![Effect::Renew(Some(identity(0)))];
            expect_eq("the next batch", play.give(2, 1), expected);
            expect_eq("one more", play.give(3, 1), vec![]);
            let effects = play.step(Event::Identity(identity(1)));
            expect_eq("the next epoch", effects, vec![send(2, 1, 1, 0)]);
            let expected = vec![delivered(2, 1, 2), send(3, 1, 1, 1)];
            expect_eq("its answer", play.appended(2, 1, 2), expected);
        }
    );
}

#[test]
fn those_in_flight_behind_a_hole_keep_their_numbers() {
    case!(
        "What was sent behind a hole may be in the log: it keeps its number.",
        || {
            let mut play = Play::proven();
            let expires = Batch {
                deliver_by: super::millis(5),
                ..batch(1, 1)
            };
            play.step(Event::Batch(expires));
            play.give(2, 1);
            let expected = vec![Effect::Done(expires, Outcome::Failed(UNSURE))];
            expect_eq("a tick at 5: it is in flight", play.tick(5), expected);
            expect_eq(
                "a new one, behind the one that expired",
                play.give(3, 1),
                vec![Effect::Renew(Some(identity(0)))],
            );
            expect_eq(
                "the next epoch",
                play.step(Event::Identity(identity(1))),
                vec![],
            );
            expect_eq(
                "out of order",
                play.answer(2, 1, Answer::OutOfOrder),
                vec![],
            );
            expect_eq("a tick at 15", play.tick(15), vec![send(2, 2, 0, 2)]);
            let expected = vec![delivered(2, 1, 2), send(3, 1, 1, 0)];
            expect_eq("appended after all", play.appended(2, 2, 2), expected);
        }
    );
}

#[test]
fn a_later_batch_proves_that_there_is_no_hole() {
    case!(
        "If a later batch was appended, the expired one is in the log.",
        || {
            let mut play = Play::proven();
            let expires = Batch {
                deliver_by: super::millis(5),
                ..batch(1, 1)
            };
            play.step(Event::Batch(expires));
            play.give(2, 1);
            expect_eq(
                "the second is appended",
                play.appended(2, 1, 2),
                vec![delivered(2, 1, 2)],
            );
            let expected = vec![Effect::Done(expires, Outcome::Delivered(None))];
            expect_eq("the first one's deadline", play.tick(5), expected);
            expect_eq("a third one", play.give(3, 1), vec![send(3, 1, 0, 3)]);
            let mut play = Play::proven_with(Rules {
                retries: 1,
                ..rules(Order::Sequenced)
            });
            play.give(1, 1);
            play.give(2, 1);
            play.answer(1, 1, Answer::Lost);
            play.appended(2, 1, 2);
            play.tick(10);
            let expected = vec![Effect::Done(batch(1, 1), Outcome::Delivered(None))];
            expect_eq(
                "the second is appended, the first one's last attempt is lost",
                play.answer(1, 2, Answer::Lost),
                expected,
            );
        }
    );
}

#[test]
fn a_batch_that_is_too_large_is_cut() {
    case!(
        "A batch that is too large becomes two, with the numbers that it had.",
        || {
            let mut play = Play::proven();
            play.give(1, 5);
            play.give(2, 1);
            let part = |id, records, bytes| Batch {
                bytes,
                ..batch(id, records)
            };
            let parts = [part(u64::MAX, 3, 250), part(u64::MAX - 1, 2, 250)];
            let expected = vec![
                Effect::Split(BatchId(1), parts),
                send(u64::MAX, 1, 0, 1),
                send(u64::MAX - 1, 1, 0, 4),
            ];
            expect_eq("too large", play.answer(1, 1, Answer::TooLarge), expected);
            let done = |part, offset| {
                let offset = Some(super::Offset(offset));
                vec![Effect::Done(part, Outcome::Delivered(offset))]
            };
            expect_eq(
                "part 0 is appended",
                play.appended(u64::MAX, 1, 1),
                done(parts[0], 1),
            );
            expect_eq(
                "part 1 is appended",
                play.appended(u64::MAX - 1, 1, 4),
                done(parts[1], 4),
            );
            play.give(3, 5);
            let parts = [part(u64::MAX - 2, 3, 250), part(u64::MAX - 3, 2, 250)];
            let expected = vec![
                Effect::Split(BatchId(3), parts),
                send(u64::MAX - 2, 1, 0, 7),
                send(u64::MAX - 3, 1, 0, 10),
            ];
            expect_eq(
                "another one is too large",
                play.answer(3, 1, Answer::TooLarge),
                expected,
            );
        }
    );
}

#[test]
fn one_record_that_is_too_large() {
    case!(
        "One record that is too large fails, and those behind it get new numbers.",
        || {
            let mut play = Play::proven();
            play.give(1, 1);
            play.give(2, 1);
            let expected = vec![
                failed(1, 1, Failure::TooLarge),
                Effect::Renew(Some(identity(0))),
            ];
            expect_eq("too large", play.answer(1, 1, Answer::TooLarge), expected);
            let effects = play.step(Event::Identity(identity(1)));
            expect_eq("the next epoch", effects, vec![send(2, 2, 1, 0)]);
            let stale = play.answer(2, 1, Answer::OutOfOrder);
            expect_eq("the answer to its first attempt", stale, vec![]);
        }
    );
}

#[test]
fn a_refused_batch_in_doubt() {
    case!(
        "A refused batch that may be in the log leaves the numbers as they are.",
        || {
            let mut play = Play::proven();
            play.give(1, 1);
            play.give(2, 1);
            play.answer(1, 1, Answer::Lost);
            play.tick(10);
            let code = Failure::Refused(ErrorCode::INVALID_RECORD);
            let expected = vec![failed(1, 1, code)];
            expect_eq("attempt 2 is refused", play.answer(1, 2, REFUSED), expected);
            let expected = vec![delivered(2, 1, 2)];
            expect_eq("the next is appended", play.appended(2, 1, 2), expected);
            expect_eq(
                "so there is no hole",
                play.give(3, 1),
                vec![send(3, 1, 0, 3)],
            );
        }
    );
}

#[test]
fn without_numbers_a_refusal_concerns_one_batch() {
    case!(
        "Without numbers a refused batch has failed, and the next one is sent.",
        || {
            let mut play = Play::new(rules(Order::OneAtATime));
            play.give(0, 1);
            play.give(1, 1);
            let code = Failure::Refused(ErrorCode::INVALID_RECORD);
            let expected = vec![failed(0, 1, code), plain(1, 1)];
            expect_eq("refused", play.answer(0, 1, REFUSED), expected);
        }
    );
}

#[test]
fn out_of_order_without_a_reason() {
    case!(
        "If all before it was acknowledged, the broker has lost some of it: stop.",
        || {
            let mut play = Play::proven();
            play.give(1, 1);
            play.give(2, 1);
            let lost = |id| failed(id, 1, Failure::BrokerLost);
            let effects = play.answer(1, 1, Answer::OutOfOrder);
            expect_eq("out of order", effects, vec![lost(1), lost(2)]);
            expect_eq("one more", play.give(3, 1), vec![lost(3)]);
        }
    );
}

#[test]
fn out_of_order_since_it_was_sent_early() {
    case!(
        "An attempt that was sent before the others were settled may be out of order.",
        || {
            let mut play = Play::proven();
            play.give(1, 1);
            play.give(2, 1);
            play.appended(1, 1, 1);
            expect_eq(
                "out of order",
                play.answer(2, 1, Answer::OutOfOrder),
                vec![],
            );
            expect_eq("a tick at 10", play.tick(10), vec![send(2, 2, 0, 2)]);
        }
    );
}

#[test]
fn a_fatal_answer() {
    case!(
        "A fatal answer ends everything, in every partition.",
        || {
            let mut play = Play::proven();
            play.give(1, 1);
            let other = Batch {
                slot: super::Slot(1),
                ..batch(2, 1)
            };
            play.step(Event::Batch(other));
            let failure = Failure::Fatal(ErrorCode::CLUSTER_AUTHORIZATION_FAILED);
            let expected = vec![
                failed(1, 1, failure),
                Effect::Done(other, Outcome::Failed(failure)),
            ];
            let answer = Answer::Fatal(ErrorCode::CLUSTER_AUTHORIZATION_FAILED);
            expect_eq("fatal", play.answer(1, 1, answer), expected);
            expect_eq("one more", play.give(3, 1), vec![failed(3, 1, failure)]);
        }
    );
}
