//! What time ends.

use spec_harness::{case, expect_eq};

use super::part::State;
use super::world::{ANSWER, BACKOFF, EXPIRATION, TIMEOUT, World, instance, stored};
use super::{expect_answer, expect_disk, expect_state, expect_work};

#[test]
fn a_transaction_that_is_open_for_too_long() {
    case!(
        "A transaction that is open for longer than its timeout is aborted, with an epoch that nobody gets: its producer is fenced.",
        || {
            let mut world = World::open(&[0]);
            world.wait(TIMEOUT - 1);
            expect_work(&world, &[]);
            world.wait(1);
            expect_work(&world, &["store PrepareAbort of 7/1 in 0"]);
            world.settle();
            expect_disk(&world, "CompleteAbort of 7/1");
            let call = world.commit(instance(7, 0));
            expect_answer(&world, "EndTxn of 7/0", call, "Fenced");
            let call = world.init(None);
            world.settle();
            expect_answer(&world, "InitProducerId", call, "Ok 7/2");
        }
    );
}

#[test]
fn the_timeout_of_the_instance() {
    case!(
        "The timeout is the one that the instance came with.",
        || {
            let mut world = World::new();
            world.init_of(0, 5_000, None);
            world.settle();
            world.add(instance(7, 0), &[0]);
            world.settle();
            world.wait(4_999);
            expect_work(&world, &[]);
            world.wait(1);
            expect_work(&world, &["store PrepareAbort of 7/1 in 0"]);
        }
    );
}

#[test]
fn the_timeout_begins_with_the_transaction() {
    case!(
        "The timeout begins with the first partition, and more partitions make it no longer.",
        || {
            let mut world = World::open(&[0]);
            world.wait(TIMEOUT / 2);
            world.add(instance(7, 0), &[1]);
            world.settle();
            world.wait(TIMEOUT / 2 - 1);
            expect_work(&world, &[]);
            world.wait(1);
            expect_work(&world, &["store PrepareAbort of 7/1 in 0 1"]);
        }
    );
}

#[test]
fn the_next_transaction_has_the_whole_timeout() {
    case!(
        "The timeout of the next transaction begins with its own first partition.",
        || {
            let mut world = World::open(&[0]);
            world.wait(TIMEOUT / 2);
            world.commit(instance(7, 0));
            world.settle();
            world.add(instance(7, 0), &[0]);
            world.settle();
            world.wait(TIMEOUT - 1);
            expect_work(&world, &[]);
            world.wait(1);
            expect_work(&world, &["store PrepareAbort of 7/1 in 0"]);
        }
    );
}

#[test]
fn nothing_is_due_while_something_is_under_way() {
    case!(
        "While a commit is being stored the timeout does not abort the transaction. What is decided has no timeout.",
        || {
            let mut world = World::open(&[0]);
            world.commit(instance(7, 0));
            world.wait(2 * TIMEOUT);
            expect_work(&world, &["store PrepareCommit of 7/0 in 0"]);
            world.store_one(true);
            world.wait(2 * TIMEOUT);
            world.settle();
            expect_disk(&world, "CompleteCommit of 7/0");
        }
    );
}

#[test]
fn what_was_due_meanwhile() {
    case!(
        "What became due while something was under way is done when that has ended.",
        || {
            let mut world = World::open(&[0]);
            world.add(instance(7, 0), &[1]);
            world.wait(2 * TIMEOUT);
            expect_work(&world, &["store Ongoing of 7/0 in 0 1"]);
            world.settle();
            let is_due = world.deadline().is_some_and(|due| due <= world.now);
            expect_eq("it is due", is_due, true);
            world.wait(0);
            expect_work(&world, &["store PrepareAbort of 7/1 in 0 1"]);
        }
    );
}

#[test]
fn the_abort_could_not_be_stored() {
    case!(
        "If the abort of a transaction could not be stored, it is tried again after the backoff, with the same epoch.",
        || {
            let mut world = World::open(&[0]);
            world.wait(TIMEOUT);
            world.store_one(false);
            expect_state(&world, State::Ongoing);
            world.wait(BACKOFF - 1);
            expect_work(&world, &[]);
            world.wait(1);
            expect_work(&world, &["store PrepareAbort of 7/1 in 0"]);
        }
    );
}

#[test]
fn an_id_that_nobody_uses() {
    case!(
        "A transactional id that nobody has used for long enough is deleted on disk, and then it is dead.",
        || {
            for state in [State::Empty, State::CompleteCommit, State::CompleteAbort] {
                let mut world = World::restored(stored(state, 0, &[]), 0);
                world.wait(EXPIRATION - 1);
                expect_work(&world, &[]);
                world.wait(1);
                expect_work(&world, &["store nothing"]);
                expect_state(&world, state);
                let call = world.init(None);
                let expected = "ConcurrentTransactions";
                expect_answer(&world, "InitProducerId", call, expected);
                world.store_one(true);
                expect_state(&world, State::Dead);
                expect_eq("is_nothing", world.id.is_nothing(), true);
                expect_eq("the next deadline", world.deadline(), None);
            }
        }
    );
}

#[test]
fn each_change_is_a_use() {
    case!(
        "Each change of the id begins the time anew: a new instance, and a transaction that ends.",
        || {
            let mut world = World::restored(stored(State::Empty, 0, &[]), 0);
            world.wait(EXPIRATION - 1);
            world.init(None);
            world.settle();
            world.wait(EXPIRATION - 1);
            world.add(instance(7, 1), &[0]);
            world.settle();
            world.commit(instance(7, 1));
            world.settle();
            world.wait(EXPIRATION - 1);
            expect_work(&world, &[]);
            world.wait(1);
            expect_work(&world, &["store nothing"]);
        }
    );
}

#[test]
fn the_deletion_could_not_be_stored() {
    case!(
        "If the id could not be deleted, that is tried again after the backoff.",
        || {
            let mut world = World::restored(stored(State::Empty, 0, &[]), 0);
            world.wait(EXPIRATION);
            world.store_one(false);
            expect_state(&world, State::Empty);
            world.wait(BACKOFF);
            expect_work(&world, &["store nothing"]);
        }
    );
}

#[test]
fn a_dead_id_is_not_used() {
    case!(
        "A dead transactional id is of no producer. A new process asks again, and finds a new one.",
        || {
            let mut world = World::restored(stored(State::Empty, 0, &[]), 0);
            world.wait(EXPIRATION);
            world.settle();
            let call = world.init(None);
            expect_answer(&world, "InitProducerId", call, "ConcurrentTransactions");
            for producer in [instance(7, 0), instance(-1, -1)] {
                let call = world.add(producer, &[0]);
                let expected = "InvalidProducerIdMapping";
                expect_answer(&world, "AddPartitionsToTxn", call, expected);
                let call = world.commit(producer);
                expect_answer(&world, "EndTxn", call, expected);
            }
            expect_work(&world, &[]);
        }
    );
}

#[test]
fn two_things_at_once() {
    case!(
        "A marker that has failed and an answer that has waited are due at the same moment, and both are done.",
        || {
            let mut world = World::open(&[0]);
            let call = world.commit(instance(7, 0));
            world.store_one(true);
            world.wait(ANSWER - BACKOFF);
            world.mark_one(false);
            world.wait(BACKOFF);
            expect_answer(&world, "EndTxn", call, "Ok 7/0");
            expect_work(&world, &["Commit 7/0 in 0"]);
            expect_eq("the next deadline", world.deadline(), None);
        }
    );
}
