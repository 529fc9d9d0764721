//! A transaction ends.

use spec_harness::{case, expect_eq};

use super::part::{Outcome, State};
use super::world::{ANSWER, BACKOFF, EPOCH, World, instance, p, short, stored};
use super::{expect_answer, expect_disk, expect_state, expect_work};

#[test]
fn a_commit() {
    case!(
        "What is decided is stored. Then markers are written to all partitions. When all are, the producer hears of it, and the transaction is complete.",
        || {
            let mut world = World::open(&[0, 1]);
            let call = world.commit(instance(7, 0));
            expect_work(&world, &["store PrepareCommit of 7/0 in 0 1"]);
            expect_state(&world, State::Ongoing);
            world.store_one(true);
            expect_work(&world, &["Commit 7/0 in 0", "Commit 7/0 in 1"]);
            expect_state(&world, State::PrepareCommit);
            world.mark_one(true);
            expect_answer(&world, "EndTxn behind one marker", call, "parked");
            expect_eq(
                "the partitions that need one",
                &world.id.metadata().partitions,
                &[p(1)].into(),
            );
            world.mark_one(true);
            expect_answer(&world, "EndTxn", call, "Ok 7/0");
            expect_work(&world, &["store CompleteCommit of 7/0"]);
            expect_state(&world, State::CompleteCommit);
        }
    );
}

#[test]
fn an_abort() {
    case!(
        "An abort that the producer asks for ends in the same way, with the producer's own epoch.",
        || {
            let mut world = World::open(&[0]);
            let call = world.abort(instance(7, 0));
            world.store_one(true);
            expect_work(&world, &["Abort 7/0 in 0"]);
            world.settle();
            expect_answer(&world, "EndTxn", call, "Ok 7/0");
            expect_disk(&world, "CompleteAbort of 7/0");
        }
    );
}

#[test]
fn the_producer_goes_on() {
    case!(
        "Behind its answer the producer begins the next transaction at once, although it is not on disk yet that the last one is complete. The stores are in order.",
        || {
            let mut world = World::open(&[0]);
            world.commit(instance(7, 0));
            world.store_one(true);
            world.mark_one(true);
            let call = world.add(instance(7, 0), &[1]);
            let expected = ["store CompleteCommit of 7/0", "store Ongoing of 7/0 in 1"];
            expect_work(&world, &expected);
            world.settle();
            expect_answer(&world, "AddPartitionsToTxn", call, "Ok 7/0");
        }
    );
}

#[test]
fn complete_could_not_be_stored() {
    case!(
        "If the complete state could not be stored, nobody waits for it: the next store says the same, and more.",
        || {
            let mut world = World::open(&[0]);
            world.commit(instance(7, 0));
            world.store_one(true);
            world.mark_one(true);
            world.store_one(false);
            expect_state(&world, State::CompleteCommit);
            expect_disk(&world, "PrepareCommit of 7/0 in 0");
            world.add(instance(7, 0), &[1]);
            world.settle();
            expect_disk(&world, "Ongoing of 7/0 in 1");
        }
    );
}

#[test]
fn what_is_decided_stays() {
    case!(
        "The same outcome again is answered as the first time. Another outcome is refused.",
        || {
            for (state, same, other) in [
                (State::CompleteCommit, Outcome::Commit, Outcome::Abort),
                (State::CompleteAbort, Outcome::Abort, Outcome::Commit),
            ] {
                let mut world = World::restored(stored(state, 0, &[]), 0);
                let call = world.end(instance(7, 0), same);
                expect_answer(&world, &format!("{same:?} while {state:?}"), call, "Ok 7/0");
                let call = world.end(instance(7, 0), other);
                let what = format!("{other:?} while {state:?}");
                expect_answer(&world, &what, call, "InvalidTransactionState");
                expect_work(&world, &[]);
            }
        }
    );
}

#[test]
fn while_markers_are_written() {
    case!(
        "While markers are being written, the same outcome has to be asked for again later. Another one is refused now.",
        || {
            for (state, same, other) in [
                (State::PrepareCommit, Outcome::Commit, Outcome::Abort),
                (State::PrepareAbort, Outcome::Abort, Outcome::Commit),
            ] {
                let mut world = World::restored(stored(state, 0, &[0]), 0);
                let call = world.end(instance(7, 0), same);
                let what = format!("{same:?} while {state:?}");
                expect_answer(&world, &what, call, "ConcurrentTransactions");
                let call = world.end(instance(7, 0), other);
                let what = format!("{other:?} while {state:?}");
                expect_answer(&world, &what, call, "InvalidTransactionState");
            }
        }
    );
}

#[test]
fn nothing_has_begun() {
    case!("Where nothing has begun, nothing can end.", || {
        let mut world = World::restored(stored(State::Empty, 0, &[]), 0);
        for outcome in [Outcome::Commit, Outcome::Abort] {
            let call = world.end(instance(7, 0), outcome);
            let what = format!("{outcome:?}");
            expect_answer(&world, &what, call, "InvalidTransactionState");
        }
    });
}

#[test]
fn of_another_instance() {
    case!(
        "Whether a call is of the instance that counts is asked before the state: a zombie is told that it is fenced, and not that its transaction has another state.",
        || {
            for state in [
                State::Empty,
                State::Ongoing,
                State::PrepareAbort,
                State::CompleteAbort,
                State::CompleteCommit,
            ] {
                let mut world = World::restored(stored(state, 3, &[0]), 0);
                for (other, expected) in [
                    (instance(8, 3), "InvalidProducerIdMapping"),
                    (instance(7, 2), "Fenced"),
                    (instance(7, 4), "Fenced"),
                ] {
                    let call = world.commit(other);
                    let who = short(other);
                    let what = format!("EndTxn of {who} while {state:?}");
                    expect_answer(&world, &what, call, expected);
                }
            }
        }
    );
}

#[test]
fn one_at_a_time() {
    case!(
        "While a decision is being stored, no other one is taken.",
        || {
            let mut world = World::open(&[0]);
            let first = world.commit(instance(7, 0));
            let second = world.abort(instance(7, 0));
            expect_answer(&world, "the abort", second, "ConcurrentTransactions");
            world.settle();
            expect_answer(&world, "the commit", first, "Ok 7/0");
            expect_disk(&world, "CompleteCommit of 7/0");
        }
    );
}

#[test]
fn while_partitions_are_told() {
    case!(
        "While partitions are being told, the transaction does not end: one that hears of it behind its marker would take it for the next transaction, and wait for ever.",
        || {
            for outcome in [Outcome::Commit, Outcome::Abort] {
                let mut world = World::open(&[0]);
                world.add(instance(7, 0), &[1]);
                world.store_one(true);
                expect_work(&world, &["begin 7/0 in 1"]);
                let call = world.end(instance(7, 0), outcome);
                let what = format!("{outcome:?}");
                expect_answer(&world, &what, call, "ConcurrentTransactions");
                world.settle();
                expect_disk(&world, "Ongoing of 7/0 in 0 1");
            }
        }
    );
}

#[test]
fn each_change_says_when() {
    case!(
        "Each change is stored with its own time: the decision, that all is complete, and an abort that the producer has not asked for.",
        || {
            let mut world = World::open(&[0]);
            let updated = |world: &World| world.disk.as_ref().map(|disk| disk.updated.0 - EPOCH);
            world.now = 3_000;
            world.commit(instance(7, 0));
            world.now = 3_500;
            world.store_one(true);
            expect_eq(
                "the decision, in ms since the start",
                updated(&world),
                Some(3_000),
            );
            world.now = 4_000;
            world.mark_one(true);
            world.store_one(true);
            expect_eq("that it is complete, in ms", updated(&world), Some(4_000));
            world.add(instance(7, 0), &[0]);
            world.settle();
            world.now = 5_000;
            world.init(None);
            world.store_one(true);
            expect_eq("the abort, in ms", updated(&world), Some(5_000));
        }
    );
}

#[test]
fn a_decision_that_could_not_be_stored() {
    case!(
        "A decision that could not be stored is none: no marker is written, and the transaction is open.",
        || {
            let mut world = World::open(&[0]);
            let call = world.commit(instance(7, 0));
            world.store_one(false);
            expect_answer(&world, "EndTxn", call, "NotAvailable");
            expect_work(&world, &[]);
            expect_state(&world, State::Ongoing);
            let call = world.abort(instance(7, 0));
            world.settle();
            expect_answer(&world, "EndTxn", call, "Ok 7/0");
            expect_disk(&world, "CompleteAbort of 7/0");
        }
    );
}

#[test]
fn a_marker_that_fails() {
    case!(
        "A marker that could not be written is written again after the backoff, and the producer waits for it. Those that are under way are not.",
        || {
            let mut world = World::open(&[0, 1, 2]);
            let call = world.commit(instance(7, 0));
            world.store_one(true);
            world.mark_one(false);
            world.mark_one(true);
            expect_work(&world, &["Commit 7/0 in 2"]);
            world.wait(BACKOFF - 1);
            expect_work(&world, &["Commit 7/0 in 2"]);
            world.wait(1);
            expect_work(&world, &["Commit 7/0 in 2", "Commit 7/0 in 0"]);
            world.mark_one(true);
            expect_answer(&world, "EndTxn", call, "parked");
            world.mark_one(true);
            expect_answer(&world, "EndTxn", call, "Ok 7/0");
        }
    );
}

#[test]
fn markers_that_fail_again_and_again() {
    case!(
        "Markers that have failed within one backoff are written again together. One that fails again waits for a backoff again, and no longer.",
        || {
            let mut world = World::open(&[0, 1]);
            world.commit(instance(7, 0));
            world.store_one(true);
            world.mark_one(false);
            world.wait(BACKOFF / 2);
            world.mark_one(false);
            world.wait(BACKOFF / 2);
            expect_work(&world, &["Commit 7/0 in 0", "Commit 7/0 in 1"]);
            world.mark_one(true);
            for _ in 0..10 {
                world.mark_one(false);
                world.wait(BACKOFF);
                expect_work(&world, &["Commit 7/0 in 1"]);
            }
            world.mark_one(true);
            expect_state(&world, State::CompleteCommit);
        }
    );
}

#[test]
fn the_answer_waits_for_so_long() {
    case!(
        "If a partition cannot get its marker, the producer is answered after a while: it is decided how its transaction ends. The next one waits all the same.",
        || {
            let mut world = World::open(&[0, 1]);
            let call = world.commit(instance(7, 0));
            world.store_one(true);
            world.wait(ANSWER - 1);
            expect_answer(&world, "EndTxn", call, "parked");
            world.wait(1);
            expect_answer(&world, "EndTxn", call, "Ok 7/0");
            expect_state(&world, State::PrepareCommit);
            let call = world.add(instance(7, 0), &[0]);
            let expected = "ConcurrentTransactions";
            expect_answer(&world, "AddPartitionsToTxn", call, expected);
            world.settle();
            expect_disk(&world, "CompleteCommit of 7/0");
        }
    );
}

#[test]
fn without_partitions() {
    case!(
        "A transaction without partitions needs no markers, and is complete at once.",
        || {
            let mut world = World::open(&[]);
            expect_disk(&world, "Ongoing of 7/0");
            let call = world.commit(instance(7, 0));
            world.settle();
            expect_answer(&world, "EndTxn", call, "Ok 7/0");
            expect_disk(&world, "CompleteCommit of 7/0");
        }
    );
}

#[test]
fn a_marker_that_nobody_waits_for() {
    case!(
        "A report of a marker that nobody waits for changes nothing: a partition that is not in the transaction, or a transaction that is open.",
        || {
            let mut world = World::open(&[0]);
            let now = world.time();
            let effects = world.id.marked(now, &p(0), true);
            expect_eq("marked(0) while it is open", effects, vec![]);
            expect_eq("its partitions", world.id.metadata().partitions.len(), 1);
            world.commit(instance(7, 0));
            world.store_one(true);
            for is_marked in [true, false] {
                let effects = world.id.marked(now, &p(5), is_marked);
                expect_eq("marked(5)", effects, vec![]);
            }
            world.wait(BACKOFF);
            expect_work(&world, &["Commit 7/0 in 0"]);
        }
    );
}
