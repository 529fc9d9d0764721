//! Partitions are added to a transaction.

use spec_harness::{case, expect_eq};

use super::part::State;
use super::world::{EPOCH, PARTITIONS_MAX, World, instance, short, stored};
use super::{expect_answer, expect_disk, expect_state, expect_work};

#[test]
fn the_first_partition() {
    case!(
        "The first partition begins a transaction. It is stored, then the partition is told, then the producer hears of it.",
        || {
            let mut world = World::restored(stored(State::Empty, 0, &[]), 0);
            world.now = 1_000;
            let call = world.add(instance(7, 0), &[0]);
            expect_work(&world, &["store Ongoing of 7/0 in 0"]);
            expect_state(&world, State::Empty);
            world.store_one(true);
            expect_work(&world, &["begin 7/0 in 0"]);
            expect_answer(&world, "AddPartitionsToTxn", call, "parked");
            world.begin_one(true);
            expect_answer(&world, "AddPartitionsToTxn", call, "Ok 7/0");
            let started = world.disk.as_ref().map(|disk| disk.started.0);
            expect_eq("when it began", started, Some(EPOCH + 1_000));
        }
    );
}

#[test]
fn more_partitions() {
    case!(
        "The partitions that follow are added to those before. The new ones are told, and the transaction began when it began.",
        || {
            let mut world = World::open(&[0]);
            world.now = 1_000;
            let call = world.add(instance(7, 0), &[1, 2]);
            expect_work(&world, &["store Ongoing of 7/0 in 0 1 2"]);
            world.store_one(true);
            expect_work(&world, &["begin 7/0 in 1 2"]);
            world.settle();
            expect_answer(&world, "AddPartitionsToTxn", call, "Ok 7/0");
            let disk = world.disk.as_ref();
            expect_eq("when it began", disk.map(|one| one.started.0), Some(EPOCH));
            let updated = disk.map(|one| one.updated.0);
            expect_eq("when it was changed", updated, Some(EPOCH + 1_000));
        }
    );
}

#[test]
fn partitions_that_are_in_it() {
    case!(
        "Partitions that are in the transaction already are told again, and nothing is stored.",
        || {
            let mut world = World::open(&[0, 1]);
            let call = world.add(instance(7, 0), &[1]);
            expect_work(&world, &["begin 7/0 in 1"]);
            world.settle();
            expect_answer(&world, "AddPartitionsToTxn", call, "Ok 7/0");
        }
    );
}

#[test]
fn the_next_transaction() {
    case!(
        "Behind a transaction that is complete the next one begins, with its own partitions and its own start.",
        || {
            let mut world = World::open(&[0, 1]);
            world.commit(instance(7, 0));
            world.settle();
            world.now = 2_000;
            let call = world.add(instance(7, 0), &[1]);
            expect_work(&world, &["store Ongoing of 7/0 in 1"]);
            world.settle();
            expect_answer(&world, "AddPartitionsToTxn", call, "Ok 7/0");
            let started = world.disk.as_ref().map(|disk| disk.started.0);
            expect_eq("when it began", started, Some(EPOCH + 2_000));
        }
    );
}

#[test]
fn of_another_instance() {
    case!(
        "A call with another producer id, or another epoch, is not of the instance that counts. That is said first, whatever the state.",
        || {
            for state in [
                State::Empty,
                State::Ongoing,
                State::PrepareCommit,
                State::CompleteAbort,
            ] {
                let mut world = World::restored(stored(state, 3, &[0]), 0);
                for (other, expected) in [
                    (instance(8, 3), "InvalidProducerIdMapping"),
                    (instance(8, 0), "InvalidProducerIdMapping"),
                    (instance(7, 2), "Fenced"),
                    (instance(7, 4), "Fenced"),
                ] {
                    let call = world.add(other, &[0]);
                    let who = short(other);
                    let what = format!("AddPartitionsToTxn of {who} while {state:?}");
                    expect_answer(&world, &what, call, expected);
                }
            }
        }
    );
}

#[test]
fn of_an_unknown_producer() {
    case!(
        "Nobody has asked for an epoch yet: nobody has a producer id here, and -1 is none.",
        || {
            let mut world = World::new();
            for other in [instance(7, 0), instance(-1, -1)] {
                let call = world.add(other, &[0]);
                let expected = "InvalidProducerIdMapping";
                expect_answer(&world, "AddPartitionsToTxn", call, expected);
            }
        }
    );
}

#[test]
fn while_something_is_under_way() {
    case!(
        "While something is being stored, or partitions are being told, the producer has to ask again.",
        || {
            let mut world = World::open(&[0]);
            let first = world.add(instance(7, 0), &[1]);
            let second = world.add(instance(7, 0), &[2]);
            expect_answer(&world, "the second", second, "ConcurrentTransactions");
            let max = i32::try_from(PARTITIONS_MAX).expect("small");
            let all: Vec<i32> = (0..=max).collect();
            let many = world.add(instance(7, 0), &all);
            let what = "one with too many partitions";
            expect_answer(&world, what, many, "ConcurrentTransactions");
            world.store_one(true);
            let third = world.add(instance(7, 0), &[0]);
            expect_answer(&world, "the third", third, "ConcurrentTransactions");
            world.settle();
            expect_answer(&world, "the first", first, "Ok 7/0");
            expect_disk(&world, "Ongoing of 7/0 in 0 1");
        }
    );
}

#[test]
fn while_markers_are_written() {
    case!(
        "While markers are being written the next transaction has to wait.",
        || {
            for decided in [State::PrepareCommit, State::PrepareAbort] {
                let mut world = World::restored(stored(decided, 0, &[0]), 0);
                let call = world.add(instance(7, 0), &[0]);
                let what = format!("AddPartitionsToTxn while {decided:?}");
                expect_answer(&world, &what, call, "ConcurrentTransactions");
            }
        }
    );
}

#[test]
fn a_store_that_fails() {
    case!(
        "If the transaction could not be stored, no partition is told, and none has begun.",
        || {
            let mut world = World::restored(stored(State::Empty, 0, &[]), 0);
            let call = world.add(instance(7, 0), &[0]);
            world.store_one(false);
            expect_answer(&world, "AddPartitionsToTxn", call, "NotAvailable");
            expect_work(&world, &[]);
            expect_state(&world, State::Empty);
            let call = world.commit(instance(7, 0));
            expect_answer(&world, "EndTxn", call, "InvalidTransactionState");
        }
    );
}

#[test]
fn a_partition_that_cannot_be_told() {
    case!(
        "If a partition could not be told, the producer asks again, and then it is told again.",
        || {
            let mut world = World::restored(stored(State::Empty, 0, &[]), 0);
            let call = world.add(instance(7, 0), &[0]);
            world.store_one(true);
            world.begin_one(false);
            expect_answer(&world, "AddPartitionsToTxn", call, "NotAvailable");
            let call = world.add(instance(7, 0), &[0]);
            expect_work(&world, &["begin 7/0 in 0"]);
            world.begin_one(true);
            expect_answer(&world, "AddPartitionsToTxn", call, "Ok 7/0");
        }
    );
}

#[test]
fn too_many_partitions() {
    case!(
        "A transaction has as many partitions as it may have, and not one more. Those that are in it count once.",
        || {
            let max = i32::try_from(PARTITIONS_MAX).expect("small");
            let all: Vec<i32> = (0..max).collect();
            let mut world = World::open(&all[1..]);
            let call = world.add(instance(7, 0), &[1, 0, 1]);
            world.settle();
            expect_answer(&world, "AddPartitionsToTxn", call, "Ok 7/0");
            let call = world.add(instance(7, 0), &[0, max]);
            expect_answer(&world, "one more", call, "TooManyPartitions");
            let partitions = world.id.metadata().partitions.len();
            expect_eq("how many it has", partitions, PARTITIONS_MAX);
        }
    );
}
