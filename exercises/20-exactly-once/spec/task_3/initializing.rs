//! An instance asks for its epoch.

use std::time::Duration;

use spec_harness::{case, expect_eq};

use super::part::{State, TransactionMetadata};
use super::world::{TIMEOUT_MAX, World, instance, short, stored};
use super::{expect_answer, expect_disk, expect_state, expect_work};

#[test]
fn the_first_instance() {
    case!(
        "The first instance gets the fresh producer id and the epoch 0, when that is on disk.",
        || {
            let mut world = World::new();
            let call = world.init(None);
            expect_work(&world, &["store Empty of 7/0"]);
            expect_answer(&world, "InitProducerId", call, "parked");
            world.settle();
            expect_answer(&world, "InitProducerId", call, "Ok 7/0");
        }
    );
}

#[test]
fn the_next_process() {
    case!(
        "The next process gets the same producer id, and the next epoch.",
        || {
            let mut world = World::new();
            world.init(None);
            world.settle();
            let call = world.init(None);
            world.settle();
            expect_answer(&world, "InitProducerId", call, "Ok 7/1");
        }
    );
}

#[test]
fn what_is_stored_of_an_instance() {
    case!(
        "Of a new instance is stored: its id and epoch, its own timeout, no partitions, no start of a transaction.",
        || {
            let mut world = World::restored(stored(State::CompleteCommit, 3, &[]), 1_000);
            world.init_of(0, 5_000, None);
            world.settle();
            let expected = TransactionMetadata {
                timeout: Duration::from_secs(5),
                updated: world.time().wall,
                ..stored(State::Empty, 4, &[])
            };
            expect_eq("what is on disk", world.disk.clone(), Some(expected));
        }
    );
}

#[test]
fn timeouts() {
    case!("A timeout is above 0, and at most the longest one.", || {
        let mut world = World::new();
        for (timeout, expected) in [
            (0, "InvalidTransactionTimeout"),
            (TIMEOUT_MAX + 1, "InvalidTransactionTimeout"),
            (1, "Ok 9/0"),
            (TIMEOUT_MAX, "Ok 9/1"),
        ] {
            let call = world.init_of(0, timeout, None);
            world.settle();
            expect_answer(&world, &format!("timeout {timeout} ms"), call, expected);
        }
    });
}

#[test]
fn a_timeout_before_anything_else() {
    case!(
        "A wrong timeout is refused as that, whatever is under way: it will never be right.",
        || {
            let mut world = World::new();
            world.init(None);
            let call = world.init_of(0, 0, None);
            let expected = "InvalidTransactionTimeout";
            expect_answer(&world, "timeout 0", call, expected);
        }
    );
}

#[test]
fn one_at_a_time() {
    case!(
        "While one instance is being stored, another one has to ask again.",
        || {
            let mut world = World::new();
            let first = world.init(None);
            let second = world.init(None);
            expect_answer(&world, "the second", second, "ConcurrentTransactions");
            world.settle();
            expect_answer(&world, "the first", first, "Ok 7/0");
        }
    );
}

#[test]
fn a_store_that_fails() {
    case!(
        "An instance that could not be stored does not count. The next call gets what it would have got.",
        || {
            let mut world = World::new();
            let call = world.init(None);
            world.store_one(false);
            expect_answer(&world, "InitProducerId", call, "NotAvailable");
            expect_eq("is_nothing", world.id.is_nothing(), true);
            let call = world.init(None);
            expect_eq("is_nothing", world.id.is_nothing(), false);
            world.settle();
            expect_answer(&world, "InitProducerId", call, "Ok 8/0");
            expect_eq("is_nothing", world.id.is_nothing(), false);
        }
    );
}

#[test]
fn an_open_transaction_is_aborted() {
    case!(
        "A new process finds a transaction open. It is stored that it aborts, with an epoch that nobody gets: that fences the old process. The new one asks again, and gets the epoch behind.",
        || {
            let mut world = World::open(&[0, 1]);
            let call = world.init(None);
            expect_work(&world, &["store PrepareAbort of 7/1 in 0 1"]);
            expect_answer(&world, "InitProducerId", call, "parked");
            world.store_one(true);
            expect_answer(&world, "InitProducerId", call, "ConcurrentTransactions");
            expect_work(&world, &["Abort 7/1 in 0", "Abort 7/1 in 1"]);
            let call = world.init(None);
            let expected = "ConcurrentTransactions";
            expect_answer(&world, "InitProducerId before the markers", call, expected);
            world.settle();
            expect_disk(&world, "CompleteAbort of 7/1");
            let call = world.init(None);
            world.settle();
            expect_answer(&world, "InitProducerId behind the markers", call, "Ok 7/2");
        }
    );
}

#[test]
fn an_abort_that_could_not_be_stored() {
    case!(
        "If the abort could not be stored, nothing has changed: the transaction is open, and of its producer.",
        || {
            let mut world = World::open(&[0]);
            let call = world.init(None);
            world.store_one(false);
            expect_answer(&world, "InitProducerId", call, "NotAvailable");
            expect_state(&world, State::Ongoing);
            let call = world.commit(instance(7, 0));
            world.settle();
            expect_answer(&world, "EndTxn", call, "Ok 7/0");
            expect_disk(&world, "CompleteCommit of 7/0");
        }
    );
}

#[test]
fn a_producer_that_goes_on() {
    case!(
        "A producer that goes on after an error says which instance it is, and gets the next epoch.",
        || {
            let mut world = World::new();
            world.init(None);
            world.settle();
            let call = world.init(Some(instance(7, 0)));
            world.settle();
            expect_answer(&world, "InitProducerId of 7/0", call, "Ok 7/1");
        }
    );
}

#[test]
fn an_answer_that_was_lost() {
    case!(
        "A producer that goes on, and repeats its call because the answer was lost, gets the same epoch again, and not one more.",
        || {
            let mut world = World::new();
            world.init(None);
            world.settle();
            for _ in 0..3 {
                let call = world.init(Some(instance(7, 0)));
                world.settle();
                expect_answer(&world, "InitProducerId of 7/0", call, "Ok 7/1");
            }
            let call = world.init(Some(instance(7, 5)));
            expect_answer(&world, "InitProducerId of 7/5", call, "Fenced");
        }
    );
}

#[test]
fn a_zombie_that_goes_on() {
    case!(
        "Behind a new process nobody goes on: an instance before it is fenced, with whatever epoch it comes.",
        || {
            let mut world = World::new();
            for _ in 0..3 {
                world.init(None);
                world.settle();
            }
            for old in [
                instance(7, 0),
                instance(7, 1),
                instance(7, -1),
                instance(7, 3),
                instance(6, 2),
            ] {
                let call = world.init(Some(old));
                world.settle();
                let what = format!("InitProducerId of {}", short(old));
                expect_answer(&world, &what, call, "Fenced");
            }
        }
    );
}

#[test]
fn a_zombie_does_not_abort_its_successor() {
    case!(
        "An old instance that wants to go on is fenced before anybody looks at the state: the transaction of its successor stays open.",
        || {
            let mut world = World::new();
            world.init(None);
            world.settle();
            world.init(None);
            world.settle();
            world.add(instance(7, 1), &[0]);
            world.settle();
            let call = world.init(Some(instance(7, 0)));
            expect_answer(&world, "InitProducerId of 7/0", call, "Fenced");
            expect_state(&world, State::Ongoing);
            expect_work(&world, &[]);
        }
    );
}

#[test]
fn a_zombie_while_markers_are_written() {
    case!(
        "An old instance is fenced also while markers are being written. All others ask again.",
        || {
            for decided in [State::PrepareCommit, State::PrepareAbort] {
                let mut world = World::restored(stored(decided, 3, &[0]), 0);
                for (expected, answer) in [
                    (Some(instance(7, 2)), "Fenced"),
                    (Some(instance(8, 3)), "Fenced"),
                    (Some(instance(7, 3)), "ConcurrentTransactions"),
                    (None, "ConcurrentTransactions"),
                ] {
                    let call = world.init(expected);
                    let who = expected.map_or_else(|| "a new process".to_owned(), short);
                    let what = format!("InitProducerId of {who} while {decided:?}");
                    expect_answer(&world, &what, call, answer);
                }
            }
        }
    );
}

#[test]
fn a_late_call_does_not_abort_its_own() {
    case!(
        "A producer has gone on and has begun a transaction. A copy of its call that arrives now aborts nothing.",
        || {
            let mut world = World::new();
            world.init(None);
            world.settle();
            world.init(Some(instance(7, 0)));
            world.settle();
            world.add(instance(7, 1), &[0]);
            world.settle();
            let call = world.init(Some(instance(7, 0)));
            world.settle();
            expect_answer(&world, "InitProducerId of 7/0", call, "Fenced");
            expect_disk(&world, "Ongoing of 7/1 in 0");
        }
    );
}

#[test]
fn a_producer_aborts_its_own() {
    case!(
        "A producer that goes on while its own transaction is open aborts it.",
        || {
            let mut world = World::open(&[0]);
            let call = world.init(Some(instance(7, 0)));
            world.settle();
            expect_answer(&world, "InitProducerId", call, "ConcurrentTransactions");
            expect_disk(&world, "CompleteAbort of 7/1");
            // Its instance was fenced by its own call; a call without an instance gets an epoch.
            let call = world.init(Some(instance(7, 0)));
            expect_answer(&world, "InitProducerId of 7/0", call, "Fenced");
        }
    );
}

#[test]
fn a_fenced_producer_does_not_go_on() {
    case!(
        "A producer has gone on from one epoch to the next, and is fenced then. It may not get its epoch back by a copy of its call.",
        || {
            let mut world = World::new();
            world.init(None);
            world.settle();
            world.init(Some(instance(7, 0)));
            world.settle();
            world.add(instance(7, 1), &[0]);
            world.settle();
            world.init(None);
            world.settle();
            expect_disk(&world, "CompleteAbort of 7/2");
            let call = world.init(Some(instance(7, 0)));
            expect_answer(&world, "InitProducerId of 7/0", call, "Fenced");
        }
    );
}

#[test]
fn epochs_are_used_up() {
    case!(
        "The last epoch that an instance gets is 32766. Behind it comes a fresh producer id, whose epochs begin anew.",
        || {
            let last = i16::MAX - 1;
            let mut world = World::restored(stored(State::Empty, last - 1, &[]), 0);
            let call = world.init(None);
            world.settle();
            expect_answer(&world, "InitProducerId", call, "Ok 7/32766");
            let call = world.init(None);
            world.settle();
            expect_answer(&world, "InitProducerId", call, "Ok 9/0");
            let previous = world.id.metadata().previous;
            expect_eq("the id before", previous, instance(7, 0).id);
            let call = world.init(None);
            world.settle();
            expect_answer(&world, "InitProducerId", call, "Ok 9/1");
            expect_eq("the id before", world.id.metadata().previous, previous);
        }
    );
}

#[test]
fn the_last_epoch_can_be_fenced() {
    case!(
        "An instance with the last epoch has a transaction open. One epoch is left to fence it; then the id changes.",
        || {
            let open = stored(State::Ongoing, i16::MAX - 1, &[0]);
            let mut world = World::restored(open, 0);
            world.init(None);
            world.settle();
            expect_disk(&world, "CompleteAbort of 7/32767");
            let call = world.init(None);
            world.settle();
            expect_answer(&world, "InitProducerId", call, "Ok 9/0");
        }
    );
}

#[test]
fn an_answer_with_a_new_id_was_lost() {
    case!(
        "A producer with the last epoch goes on, and gets a fresh id. If that answer is lost, it is the one before, although its id is another.",
        || {
            let last = instance(7, i16::MAX - 1);
            let empty = stored(State::Empty, i16::MAX - 1, &[]);
            let mut world = World::restored(empty, 0);
            world.skip_ids(10);
            for _ in 0..2 {
                let call = world.init(Some(last));
                world.settle();
                expect_answer(&world, "InitProducerId of 7/32766", call, "Ok 18/0");
            }
            let call = world.init(Some(instance(18, i16::MAX - 1)));
            expect_answer(&world, "InitProducerId of 18/32766", call, "Fenced");
        }
    );
}

#[test]
fn an_id_that_nobody_knows() {
    case!(
        "A producer may go on from an instance of which the coordinator knows nothing any more. It gets a fresh id.",
        || {
            let mut world = World::new();
            let call = world.init(Some(instance(3, 5)));
            world.settle();
            expect_answer(&world, "InitProducerId of 3/5", call, "Ok 7/0");
        }
    );
}
