//! A batch from the accumulator to its outcome.

mod broker;
mod explore;
mod scenario;
mod shown;
mod world;

use std::time::Duration;

use message_model::{Moment, Offset, ProducerEpoch, ProducerId};
use spec_harness::case;
use wire_protocol::ErrorCode;

use super::part::sender::{Effect, Event};
use super::part::{
    Answer, Batch, BatchId, Failure, Identity, Number, Order, Outcome, Rules, Sender, Slot,
};
use shown::expect_eq;

fn millis(millis: u64) -> Moment {
    Moment::after_start(Duration::from_millis(millis))
}

fn identity(epoch: i16) -> Identity {
    Identity {
        id: ProducerId(7),
        epoch: ProducerEpoch(epoch),
    }
}

/// In flight: five at most. Sent again: ever, each time after 10 ms.
fn rules(order: Order) -> Rules {
    Rules {
        order,
        numbered: order == Order::Sequenced,
        in_flight_max: 5,
        retries: u32::MAX,
        backoff: Duration::from_millis(10),
    }
}

/// A batch of partition 0, with 100 bytes a record, for which 1,000 ms are left.
fn batch(id: u64, records: u32) -> Batch {
    Batch {
        id: BatchId(id),
        slot: Slot(0),
        records,
        bytes: 100 * records as usize,
        deliver_by: millis(1_000),
    }
}

/// A sender, and what time it is there.
struct Play {
    sender: Sender,
    now: u64,
}

impl Play {
    fn new(rules: Rules) -> Play {
        Play {
            sender: Sender::new(rules),
            now: 0,
        }
    }

    /// A sender with numbers that has its identity, and whose first batch, number 0, of
    /// one record, was delivered.
    fn proven() -> Play {
        Play::proven_with(rules(Order::Sequenced))
    }

    fn proven_with(rules: Rules) -> Play {
        let mut play = Play::new(rules);
        play.give(0, 1);
        play.step(Event::Identity(identity(0)));
        play.appended(0, 1, 0);
        play
    }

    fn step(&mut self, event: Event) -> Vec<Effect> {
        let mut effects = Vec::new();
        self.sender.step(millis(self.now), event, &mut effects);
        effects
    }

    fn give(&mut self, id: u64, records: u32) -> Vec<Effect> {
        self.step(Event::Batch(batch(id, records)))
    }

    fn answer(&mut self, id: u64, attempt: u32, answer: Answer) -> Vec<Effect> {
        self.step(Event::Answer {
            batch: BatchId(id),
            slot: Slot(0),
            attempt,
            answer,
        })
    }

    fn appended(&mut self, id: u64, attempt: u32, offset: i64) -> Vec<Effect> {
        self.answer(id, attempt, Answer::Appended(Some(Offset(offset))))
    }

    fn tick(&mut self, now: u64) -> Vec<Effect> {
        self.now = now;
        self.step(Event::Tick)
    }
}

const NOT_NOW: Answer = Answer::NotNow(ErrorCode::NOT_LEADER_OR_FOLLOWER);

/// An attempt to send a batch without a number.
fn plain(id: u64, attempt: u32) -> Effect {
    Effect::Send {
        batch: BatchId(id),
        slot: Slot(0),
        attempt,
        number: None,
        deliver_by: millis(1_000),
    }
}

/// An attempt to send a batch with a number.
fn send(id: u64, attempt: u32, epoch: i16, sequence: i32) -> Effect {
    Effect::Send {
        batch: BatchId(id),
        slot: Slot(0),
        attempt,
        number: Some(Number {
            identity: identity(epoch),
            sequence,
        }),
        deliver_by: millis(1_000),
    }
}

fn delivered(id: u64, records: u32, offset: i64) -> Effect {
    let outcome = Outcome::Delivered(Some(Offset(offset)));
    Effect::Done(batch(id, records), outcome)
}

fn failed(id: u64, records: u32, failure: Failure) -> Effect {
    Effect::Done(batch(id, records), Outcome::Failed(failure))
}

const SURE: Failure = Failure::Expired {
    may_be_in_log: false,
};
const UNSURE: Failure = Failure::Expired {
    may_be_in_log: true,
};

#[test]
fn a_batch_is_delivered() {
    case!(
        "A batch is sent, and delivered when the broker says so.",
        || {
            let mut play = Play::new(rules(Order::OneAtATime));
            expect_eq("a batch", play.give(0, 3), vec![plain(0, 1)]);
            expect_eq("is_idle()", play.sender.is_idle(), false);
            expect_eq(
                "its answer",
                play.appended(0, 1, 70),
                vec![delivered(0, 3, 70)],
            );
            expect_eq("is_idle()", play.sender.is_idle(), true);
        }
    );
}

#[test]
fn one_at_a_time() {
    case!(
        "If no broker checks the numbers, one batch is in flight.",
        || {
            let mut play = Play::new(rules(Order::OneAtATime));
            play.give(0, 1);
            expect_eq("a second batch", play.give(1, 1), vec![]);
            let expected = vec![delivered(0, 1, 0), plain(1, 1)];
            expect_eq("the first one's answer", play.appended(0, 1, 0), expected);
        }
    );
}

#[test]
fn one_at_a_time_without_retries() {
    case!(
        "Without retries one is in flight too: the parts of a batch come before the next batch.",
        || {
            let mut play = Play::new(Rules {
                retries: 0,
                ..rules(Order::OneAtATime)
            });
            play.give(0, 2);
            expect_eq("a second batch", play.give(1, 1), vec![]);
            let (head, tail) = (u64::MAX, u64::MAX - 1);
            let expected = vec![
                Effect::Split(BatchId(0), [batch(head, 1), batch(tail, 1)]),
                plain(head, 1),
            ];
            let effects = play.answer(0, 1, Answer::TooLarge);
            expect_eq("the first is too large", effects, expected);
            let expected = vec![delivered(head, 1, 0), plain(tail, 1)];
            expect_eq("part 0 is appended", play.appended(head, 1, 0), expected);
            let expected = vec![delivered(tail, 1, 1), plain(1, 1)];
            expect_eq("part 1 is appended", play.appended(tail, 1, 1), expected);
            let expected = vec![failed(1, 1, UNSURE)];
            let effects = play.answer(1, 1, Answer::Lost);
            expect_eq("the second has no answer", effects, expected);
        }
    );
}

#[test]
fn sent_again_after_a_pause() {
    case!(
        "A batch that the broker does not take now is sent again after a pause.",
        || {
            let mut play = Play::new(rules(Order::OneAtATime));
            play.give(0, 1);
            play.give(1, 1);
            play.now = 5;
            expect_eq("not now", play.answer(0, 1, NOT_NOW), vec![]);
            expect_eq(
                "the next deadline",
                play.sender.next_deadline(),
                Some(millis(15)),
            );
            expect_eq("a tick at 14", play.tick(14), vec![]);
            expect_eq("a tick at 15", play.tick(15), vec![plain(0, 2)]);
            expect_eq("no answer at all", play.answer(0, 2, Answer::Lost), vec![]);
            expect_eq("a tick at 25", play.tick(25), vec![plain(0, 3)]);
        }
    );
}

#[test]
fn an_answer_to_an_earlier_attempt() {
    case!(
        "The answer to an attempt that was given up settles nothing.",
        || {
            let mut play = Play::new(rules(Order::OneAtATime));
            play.give(0, 1);
            play.answer(0, 1, Answer::Lost);
            expect_eq(
                "it waits, and attempt 1 is answered",
                play.answer(0, 1, NOT_NOW),
                vec![],
            );
            play.tick(10);
            expect_eq(
                "attempt 1 is answered again",
                play.appended(0, 1, 0),
                vec![],
            );
            expect_eq(
                "attempt 2 is answered",
                play.appended(0, 2, 0),
                vec![delivered(0, 1, 0)],
            );
        }
    );
}

#[test]
fn partitions_do_not_wait_for_each_other() {
    case!(
        "A batch that waits holds up nothing in other partitions.",
        || {
            let mut play = Play::new(rules(Order::OneAtATime));
            play.give(0, 1);
            play.answer(0, 1, NOT_NOW);
            let other = Batch {
                slot: Slot(3),
                ..batch(1, 1)
            };
            let expected = Effect::Send {
                batch: BatchId(1),
                slot: Slot(3),
                attempt: 1,
                number: None,
                deliver_by: millis(1_000),
            };
            expect_eq(
                "a batch of another",
                play.step(Event::Batch(other)),
                vec![expected],
            );
        }
    );
}

#[test]
fn without_any_order() {
    case!(
        "With nothing that keeps the order, a later batch passes one that waits, and proves nothing.",
        || {
            let mut play = Play::new(Rules {
                in_flight_max: 4,
                ..rules(Order::Nothing)
            });
            play.give(0, 1);
            expect_eq("a second batch", play.give(1, 1), vec![plain(1, 1)]);
            play.answer(0, 1, NOT_NOW);
            expect_eq("a third batch", play.give(2, 1), vec![plain(2, 1)]);
            let delivered = vec![delivered(1, 1, 0)];
            expect_eq("the second is answered", play.appended(1, 1, 0), delivered);
            let code = Failure::Refused(ErrorCode::INVALID_RECORD);
            expect_eq("a fourth one", play.give(3, 1), vec![plain(3, 1)]);
            play.appended(3, 1, 1);
            let refused = play.answer(2, 1, failures::REFUSED);
            expect_eq("the third is refused", refused, vec![failed(2, 1, code)]);
            expect_eq("a tick at 10", play.tick(10), vec![plain(0, 2)]);
            let expected = vec![failed(0, 1, SURE)];
            expect_eq(
                "the deadline, after a refusal",
                {
                    play.answer(0, 2, NOT_NOW);
                    play.tick(1_000)[..1].to_vec()
                },
                expected,
            );
        }
    );
}

#[test]
fn it_stops() {
    case!(
        "When the sender is stopped, every batch has its outcome at once.",
        || {
            let mut play = Play::new(rules(Order::OneAtATime));
            expect_eq("a batch", play.give(0, 1), vec![plain(0, 1)]);
            play.give(1, 1);
            let closed = |id| failed(id, 1, Failure::Closed);
            let effects = play.step(Event::Stop(Failure::Closed));
            expect_eq("stop", effects, vec![closed(0), closed(1)]);
            expect_eq("the answer comes after all", play.appended(0, 1, 0), vec![]);
            expect_eq("one more batch", play.give(2, 1), vec![closed(2)]);
        }
    );
}

mod numbers;

mod failures;

mod refusals;

mod histories;
