//! Every order of what can happen to a few batches.

use std::time::Duration;

use spec_harness::{case, expect};

use super::super::part::{Failure, Order, Outcome, Rules};
use super::explore::every_order;
use super::scenario::Scenario;
use super::world::World;

/// Three batches of one record, up to three in flight, and nothing goes wrong.
fn sequenced() -> Scenario {
    Scenario {
        rules: Rules {
            order: Order::Sequenced,
            numbered: true,
            in_flight_max: 3,
            retries: u32::MAX,
            backoff: Duration::from_millis(100),
        },
        checks: true,
        ordered: true,
        batches: vec![1, 1, 1],
        deliver_by: None,
        waits: 1,
        losses: 0,
        copies: 0,
        not_now: 0,
        refused: None,
        records_max: 10,
    }
}

fn one_at_a_time(numbered: bool) -> Scenario {
    let rules = Rules {
        order: Order::OneAtATime,
        numbered,
        ..sequenced().rules
    };
    Scenario {
        rules,
        ..sequenced()
    }
}

fn all_are_delivered(worlds: &[World]) {
    let mut outcomes = worlds.iter().flat_map(World::outcomes);
    let all = outcomes.all(|one| matches!(one, Outcome::Delivered(_)));
    expect("every record is delivered, whatever happened", all);
}

#[test]
fn lost_answers() {
    case!(
        "Up to two answers are lost, and requests come late.",
        || {
            all_are_delivered(&every_order(&Scenario {
                losses: 2,
                ..sequenced()
            }));
        }
    );
}

#[test]
fn copied_requests() {
    case!(
        "An answer is lost, and the network copies a request.",
        || {
            all_are_delivered(&every_order(&Scenario {
                losses: 1,
                copies: 1,
                ..sequenced()
            }));
        }
    );
}

#[test]
fn a_broker_that_is_not_ready() {
    case!(
        "An answer is lost, and the broker says \"not now\" to two requests.",
        || {
            all_are_delivered(&every_order(&Scenario {
                losses: 1,
                not_now: 2,
                ..sequenced()
            }));
        }
    );
}

#[test]
fn more_batches_than_in_flight() {
    case!(
        "Four batches, two in flight, and an answer is lost.",
        || {
            let mut scenario = sequenced();
            scenario.rules.in_flight_max = 2;
            scenario.batches = vec![1, 2, 1, 1];
            scenario.losses = 1;
            all_are_delivered(&every_order(&scenario));
        }
    );
}

#[test]
fn a_batch_too_large() {
    case!(
        "The middle batch is too large, and an answer is lost.",
        || {
            all_are_delivered(&every_order(&Scenario {
                batches: vec![1, 3, 1],
                records_max: 2,
                losses: 1,
                waits: 0,
                ..sequenced()
            }));
        }
    );
}

#[test]
fn refused_batches() {
    case!(
        "The broker refuses the first batch, or the second; and an answer is lost.",
        || {
            for refused in [0, 1] {
                every_order(&Scenario {
                    refused: Some(refused),
                    losses: 1,
                    deliver_by: Some(250),
                    ..sequenced()
                });
            }
        }
    );
}

#[test]
fn a_refused_batch_and_a_copy() {
    case!(
        "The broker refuses the second batch, and the network copies a request.",
        || {
            let ends = every_order(&Scenario {
                refused: Some(1),
                copies: 1,
                ..sequenced()
            });
            let mut outcomes = ends.iter().flat_map(World::outcomes);
            let others = |one| {
                matches!(
                    one,
                    Outcome::Delivered(_) | Outcome::Failed(Failure::Refused(_))
                )
            };
            expect("the other batches are delivered", outcomes.all(others));
        }
    );
}

#[test]
fn batches_that_expire() {
    case!(
        "Batches expire while others are in flight, and an answer is lost.",
        || {
            every_order(&Scenario {
                losses: 1,
                deliver_by: Some(150),
                waits: 3,
                ..sequenced()
            });
        }
    );
}

#[test]
fn batches_that_expire_and_a_copy() {
    case!("Batches expire, and the network copies a request.", || {
        every_order(&Scenario {
            copies: 1,
            deliver_by: Some(150),
            waits: 3,
            ..sequenced()
        });
    });
}

#[test]
fn numbered_and_one_at_a_time() {
    case!(
        "One in flight, with numbers that the broker checks.",
        || {
            all_are_delivered(&every_order(&Scenario {
                losses: 2,
                copies: 1,
                ..one_at_a_time(true)
            }));
        }
    );
}

#[test]
fn one_at_a_time_and_a_broker_that_is_not_ready() {
    case!(
        "One in flight, without numbers: \"not now\" changes no order.",
        || {
            all_are_delivered(&every_order(&Scenario {
                not_now: 2,
                ..one_at_a_time(false)
            }));
        }
    );
}

#[test]
fn one_at_a_time_repeats() {
    case!(
        "One in flight, without numbers: a lost answer can repeat a batch.",
        || {
            let ends = every_order(&Scenario {
                losses: 1,
                ordered: false,
                ..one_at_a_time(false)
            });
            all_are_delivered(&ends);
            let repeats = |world: &World| world.broker.log.len() > 3;
            expect(
                "a history ends with a record twice",
                ends.iter().any(repeats),
            );
            expect("another one does not", !ends.iter().all(repeats));
        }
    );
}

#[test]
fn without_order_batches_change_places() {
    case!(
        "Several in flight, without numbers: \"not now\" makes batches change places.",
        || {
            let mut scenario = one_at_a_time(false);
            scenario.rules.order = Order::Nothing;
            scenario.ordered = false;
            scenario.not_now = 1;
            let ends = every_order(&scenario);
            all_are_delivered(&ends);
            let is_mixed = |world: &World| !world.broker.log.is_sorted();
            expect(
                "a history ends with records in another order",
                ends.iter().any(is_mixed),
            );
            let lengths = ends.iter().all(|world| world.broker.log.len() == 3);
            expect("none ends with a record too many or too few", lengths);
        }
    );
}
