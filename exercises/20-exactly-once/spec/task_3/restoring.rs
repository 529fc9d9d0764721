//! A transactional id comes back from the disk.

use spec_harness::{case, expect_eq};

use super::part::State;
use super::world::{BACKOFF, EXPIRATION, TIMEOUT, World, instance, stored};
use super::{expect_answer, expect_disk, expect_state, expect_work};

#[test]
fn an_open_transaction() {
    case!(
        "An open transaction goes on: its partitions are told again, and its producer commits.",
        || {
            let mut world = World::restored(stored(State::Ongoing, 3, &[0, 1]), 0);
            let open = world.partitions.values().filter(|one| one.is_open());
            expect_eq("how many partitions know", open.count(), 2);
            let call = world.commit(instance(7, 3));
            world.settle();
            expect_answer(&world, "EndTxn", call, "Ok 7/3");
            expect_disk(&world, "CompleteCommit of 7/3");
        }
    );
}

#[test]
fn the_time_that_is_left() {
    case!(
        "An open transaction has as much time as it had left, by the wall clock: a crash does not make it younger.",
        || {
            let open = stored(State::Ongoing, 0, &[0]);
            let mut world = World::restored(open, TIMEOUT - 1_000);
            world.wait(999);
            expect_work(&world, &[]);
            world.wait(1);
            expect_work(&world, &["store PrepareAbort of 7/1 in 0"]);
        }
    );
}

#[test]
fn a_transaction_whose_time_is_up() {
    case!(
        "A transaction whose time was up while nobody was there is aborted at once.",
        || {
            let open = stored(State::Ongoing, 0, &[0]);
            let mut world = World::restored(open, 10 * TIMEOUT);
            world.wait(0);
            expect_work(&world, &["store PrepareAbort of 7/1 in 0"]);
        }
    );
}

#[test]
fn the_wall_clock_was_set_back() {
    case!(
        "If the wall clock was set back meanwhile, a transaction seems to begin in the future. It has its timeout then, and not more.",
        || {
            let mut world = World::new();
            world.set_back = 3_600_000;
            world.disk = Some(stored(State::Ongoing, 0, &[0]));
            world.crash(0);
            world.wait(TIMEOUT - 1);
            expect_work(&world, &[]);
            world.wait(1);
            expect_work(&world, &["store PrepareAbort of 7/1 in 0"]);
        }
    );
}

#[test]
fn what_is_decided_is_carried_out() {
    case!(
        "What was decided before the crash is carried out behind it: all partitions get their marker, with the epoch that is stored.",
        || {
            for (state, marker, end) in [
                (State::PrepareCommit, "Commit", "CompleteCommit of 7/5"),
                (State::PrepareAbort, "Abort", "CompleteAbort of 7/5"),
            ] {
                let mut world = World::restored(stored(state, 5, &[0, 1]), 10 * TIMEOUT);
                let expected = [0, 1].map(|index| format!("{marker} 7/5 in {index}"));
                expect_work(&world, &[&*expected[0], &*expected[1]]);
                world.settle();
                expect_disk(&world, end);
            }
        }
    );
}

#[test]
fn a_marker_that_fails_behind_a_crash() {
    case!(
        "A marker that could not be written behind a crash is written again after the backoff, as before the crash.",
        || {
            for (state, marker) in [
                (State::PrepareCommit, "Commit 7/5 in 0"),
                (State::PrepareAbort, "Abort 7/5 in 0"),
            ] {
                let mut world = World::restored(stored(state, 5, &[0]), 0);
                world.mark_one(false);
                expect_work(&world, &[]);
                world.wait(BACKOFF);
                expect_work(&world, &[marker]);
            }
        }
    );
}

#[test]
fn decided_without_partitions() {
    case!(
        "What was decided of a transaction without partitions is complete at once.",
        || {
            let mut world = World::restored(stored(State::PrepareCommit, 0, &[]), 0);
            expect_work(&world, &["store CompleteCommit of 7/0"]);
            world.settle();
            expect_state(&world, State::CompleteCommit);
        }
    );
}

#[test]
fn what_is_complete() {
    case!(
        "A complete transaction stays complete, and the id expires when it would have without the crash.",
        || {
            let complete = stored(State::CompleteCommit, 2, &[]);
            let mut world = World::restored(complete, EXPIRATION - 10);
            expect_work(&world, &[]);
            let call = world.commit(instance(7, 2));
            expect_answer(&world, "EndTxn", call, "Ok 7/2");
            world.wait(9);
            expect_work(&world, &[]);
            world.wait(1);
            expect_work(&world, &["store nothing"]);
        }
    );
}

#[test]
fn nobody_goes_on_behind_a_crash() {
    case!(
        "What was stored does not say which epoch an instance had before. So behind a crash nobody goes on but from the epoch that counts.",
        || {
            let mut world = World::new();
            world.init(None);
            world.settle();
            world.init(Some(instance(7, 0)));
            world.settle();
            world.crash(0);
            let call = world.init(Some(instance(7, 0)));
            expect_answer(&world, "InitProducerId of 7/0", call, "Fenced");
            let call = world.init(Some(instance(7, 1)));
            world.settle();
            expect_answer(&world, "InitProducerId of 7/1", call, "Ok 7/2");
        }
    );
}
