//! The inbox of a consumer.

mod memory;

use spec_harness::{case, expect, expect_eq};

use self::memory::{Failed, Memory, deliver, inbox, message, message_of};
use super::part::{ATTEMPTS_MAX, Inbox, Outcome};

const DONE: Outcome = Outcome::Done;
const DUPLICATE: Outcome = Outcome::Duplicate;

#[test]
fn each_message_has_its_effect() {
    case!(
        "Messages that are new have their effects, in their order.",
        || {
            let mut memory = Memory::new();
            let messages = [message(1), message(2), message(3)];
            let got = deliver(&inbox(), &mut memory, &messages);
            expect_eq("what became of three messages", got, Ok(vec![DONE; 3]));
            expect_eq(
                "the effects",
                memory.effects(),
                vec!["shop 1", "shop 2", "shop 3"]
                    .into_iter()
                    .map(str::to_owned)
                    .collect(),
            );
        }
    );
}

#[test]
fn a_message_that_comes_again() {
    case!(
        "A message that is delivered again has no second effect.",
        || {
            let mut memory = Memory::new();
            let first = deliver(&inbox(), &mut memory, &[message(1)]);
            expect_eq("the first time", first, Ok(vec![DONE]));
            let again = deliver(&inbox(), &mut memory, &[message(1), message(2)]);
            expect_eq("again, with a new one", again, Ok(vec![DUPLICATE, DONE]));
            expect_effects(&memory, &["shop 1", "shop 2"]);
        }
    );
}

fn expect_effects(memory: &Memory, expected: &[&str]) {
    expect_eq(
        "the effects in the database",
        memory.effects(),
        expected.iter().map(|text| (*text).to_owned()).collect(),
    );
}

#[test]
fn twice_in_one_delivery() {
    case!(
        "A message may be twice among those that are delivered together.",
        || {
            let mut memory = Memory::new();
            let messages = [message(1), message(2), message(1)];
            let got = deliver(&inbox(), &mut memory, &messages);
            expect_eq("1, 2 and 1 again", got, Ok(vec![DONE, DONE, DUPLICATE]));
            expect_effects(&memory, &["shop 1", "shop 2"]);
        }
    );
}

#[test]
fn all_of_a_delivery_is_one_transaction() {
    case!(
        "A hundred messages cost one transaction, so one sync of the disk.",
        || {
            let mut memory = Memory::new();
            let messages: Vec<_> = (0..100).map(message).collect();
            let got = deliver(&inbox(), &mut memory, &messages);
            expect_eq("what became of them", got, Ok(vec![DONE; 100]));
            expect_eq("transactions", memory.transactions, 1);
        }
    );
}

#[test]
fn a_crash_at_any_moment() {
    case!(
        "Whenever the consumer crashes, the message has one effect when it has come again.",
        || {
            for operation in 1.. {
                let mut memory = Memory::new();
                memory.crash_at(operation);
                let crashed = deliver(&inbox(), &mut memory, &[message(1)]);
                if !memory.has_happened() {
                    break;
                }
                expect_eq(
                    "the answer of a process that is gone",
                    crashed,
                    Err(Failed::Crash),
                );
                let mut restarted = memory.another();
                let again = deliver(&inbox(), &mut restarted, &[message(1)]);
                let what = format!("crash at operation {operation}, then delivered again: effects");
                expect_eq(&what, restarted.effects(), vec!["shop 1".to_owned()]);
                expect("it is done when it has come again", again.is_ok());
            }
        }
    );
}

#[test]
fn two_consumers_at_once() {
    case!(
        "Two consumers get the same message; whatever their order, it has one effect.",
        || {
            for operation in 1.. {
                let mut memory = Memory::new();
                let mut other = memory.another();
                memory.before(operation, move || {
                    let got = deliver(&inbox(), &mut other, &[message(1)]);
                    expect("the other consumer is done with it", got.is_ok());
                });
                let got = deliver(&inbox(), &mut memory, &[message(1)]);
                if !memory.has_happened() {
                    break;
                }
                let what = format!("the other consumer before operation {operation}: effects");
                expect_eq(&what, memory.effects(), vec!["shop 1".to_owned()]);
                expect("this consumer is done with it too", got.is_ok());
            }
        }
    );
}

#[test]
fn another_transaction_in_the_way() {
    case!(
        "A transaction that was undone for another one is tried again, and then has its effect.",
        || {
            let mut memory = Memory::new();
            memory.conflicts = ATTEMPTS_MAX - 1;
            let got = deliver(&inbox(), &mut memory, &[message(1), message(2)]);
            expect_eq("after four conflicts", got, Ok(vec![DONE, DONE]));
            expect_effects(&memory, &["shop 1", "shop 2"]);
        }
    );
}

#[test]
fn others_in_the_way_for_ever() {
    case!(
        "After five attempts the caller hears of the conflict, and nothing has happened.",
        || {
            let mut memory = Memory::new();
            memory.conflicts = ATTEMPTS_MAX;
            let got = deliver(&inbox(), &mut memory, &[message(1)]);
            expect_eq("after five conflicts", got, Err(Failed::Conflict));
            expect_eq("attempts", memory.transactions, 5);
            expect_effects(&memory, &[]);
        }
    );
}

#[test]
fn a_handler_that_fails() {
    case!(
        "If the effect fails, the message is not noted: it may come again, and succeed.",
        || {
            let mut memory = Memory::new();
            let mut calls = 0;
            let failed = inbox().process(&mut memory, &[message(1)], |_, _| {
                calls += 1;
                Err(Failed::Handler)
            });
            expect_eq("the caller hears of it", failed, Err(Failed::Handler));
            expect_eq("and the handler was asked once", calls, 1);
            let again = deliver(&inbox(), &mut memory, &[message(1)]);
            expect_eq("the message comes again", again, Ok(vec![DONE]));
            expect_effects(&memory, &["shop 1"]);
        }
    );
}

#[test]
fn a_failure_in_the_middle() {
    case!(
        "If one effect of a delivery fails, no message of the delivery has had any.",
        || {
            let mut memory = Memory::new();
            let messages = [message(1), message(2), message(3)];
            let failed =
                inbox().process(&mut memory, &messages, |transaction, text| match &**text {
                    "shop 2" => Err(Failed::Handler),
                    other => transaction.book(other),
                });
            expect_eq("the caller hears of it", failed, Err(Failed::Handler));
            expect_effects(&memory, &[]);
            let again = deliver(&inbox(), &mut memory, &messages);
            expect_eq("all three come again", again, Ok(vec![DONE; 3]));
            expect_effects(&memory, &["shop 1", "shop 2", "shop 3"]);
        }
    );
}

#[test]
fn two_handlers_of_one_database() {
    case!(
        "Two handlers have an effect of their own for the same message.",
        || {
            let mut memory = Memory::new();
            let outcomes = ["accounts", "letters", "accounts"]
                .map(|handler| deliver(&Inbox::new(handler), &mut memory, &[message(1)]));
            let expected = [DONE, DONE, DUPLICATE].map(|outcome| Ok(vec![outcome]));
            expect_eq("accounts, letters, accounts again", outcomes, expected);
        }
    );
}

#[test]
fn two_producers_with_the_same_numbers() {
    case!(
        "Each producer counts for itself: number 1 of another one is another message.",
        || {
            let mut memory = Memory::new();
            let messages = [
                message_of("shop", 1),
                message_of("bank", 1),
                message_of("shop", 1),
            ];
            let got = deliver(&inbox(), &mut memory, &messages);
            expect_eq(
                "shop 1, bank 1, shop 1",
                got,
                Ok(vec![DONE, DONE, DUPLICATE]),
            );
        }
    );
}

#[test]
fn five_hundred_histories() {
    case!(
        "Two consumers, crashes and conflicts at random: each message has one effect.",
        || {
            for seed in 0..500 {
                history(seed);
            }
        }
    );
}

/// Delivers ten messages, in groups, until each was answered without an error.
fn history(seed: u64) {
    let mut random = fastrand::Rng::with_seed(seed);
    let first = Memory::new();
    let mut at = 0;
    while at < 10 {
        let count = random.i64(1..4).min(10 - at);
        let messages: Vec<_> = (at..at + count).map(message).collect();
        let mut memory = first.another();
        memory.conflicts = random.u32(0..3);
        if random.bool() {
            memory.crash_at(random.usize(1..12));
        } else {
            let (mut other, messages) = (first.another(), messages.clone());
            other.crash_at(random.usize(1..12));
            memory.before(random.usize(1..8), move || {
                let _ = deliver(&inbox(), &mut other, &messages);
            });
        }
        // Now and then a whole group comes again, although it was done.
        if deliver(&inbox(), &mut memory, &messages).is_ok() && random.u8(0..3) > 0 {
            at += count;
        }
    }
    let mut effects = first.effects();
    effects.sort();
    let expected: Vec<_> = (0..10).map(|number| message(number).1).collect();
    expect_eq(&format!("seed {seed}: the effects"), effects, expected);
}
