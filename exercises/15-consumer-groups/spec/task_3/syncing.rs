//! The leader shares out, and shares are stored.

use spec_harness::{case, expect, expect_eq};

use super::super::part::State;
use super::world::{World, again, new, sync};
use super::{expect_state, expect_sync, joined};

#[test]
fn shares_are_handed_out() {
    case!(
        "Followers are parked until the leader's shares are stored; then each one gets its own.",
        || {
            let mut world = joined(&["a", "b", "c"]);
            let b = world.sync(sync("b", 1, &[]));
            let shares = [("a", "0 1"), ("b", "2 3"), ("stranger", "4")];
            let a = world.sync(sync("a", 1, &shares));
            expect_eq("the leader before it is stored", world.answer(a), "parked");
            expect_eq("a follower before it is stored", world.answer(b), "parked");
            expect_state(&world, State::CompletingRebalance);
            world.stored(true);
            expect_state(&world, State::Stable);
            expect_eq("the leader", world.answer(a), "gets b\"0 1\"");
            expect_eq("a follower", world.answer(b), "gets b\"2 3\"");
            let c = world.sync(sync("c", 1, &[]));
            expect_eq("one that the leader forgot", world.answer(c), "gets b\"\"");
            let again = world.sync(sync("b", 1, &[]));
            expect_eq("once more", world.answer(again), "gets b\"2 3\"");
        }
    );
}

#[test]
fn only_the_leader_shares_out() {
    case!("Shares from a follower are not taken.", || {
        let mut world = joined(&["a", "b"]);
        let b = world.sync(sync("b", 1, &[("b", "everything")]));
        expect("nothing is stored", !world.is_storing());
        world.sync(sync("a", 1, &[("a", "0"), ("b", "1")]));
        world.stored(true);
        expect_eq("the follower", world.answer(b), "gets b\"1\"");
    });
}

#[test]
fn what_is_stored() {
    case!(
        "What is stored has the generation, the leader, and all members with their shares.",
        || {
            let mut world = joined(&["a", "b"]);
            world.sync(sync("a", 1, &[("a", "0"), ("b", "1")]));
            world.stored(true);
            let stored = world.disk.clone().expect("it was stored");
            expect_eq("generation", stored.generation, 1);
            let leader = stored.leader.map(|id| id.to_string());
            expect_eq("leader", leader.as_deref(), Some("a"));
            expect_eq("protocol", stored.protocol.as_deref(), Some("range"));
            let shares: Vec<_> = stored
                .members
                .iter()
                .map(|one| &one.assignment[..])
                .collect();
            expect_eq("shares", shares, vec![b"0".as_slice(), b"1"]);
        }
    );
}

#[test]
fn a_store_that_fails() {
    case!(
        "If the shares cannot be stored nobody gets any, and the members join again.",
        || {
            let mut world = joined(&["a", "b"]);
            let b = world.sync(sync("b", 1, &[]));
            let a = world.sync(sync("a", 1, &[("a", "0"), ("b", "1")]));
            world.stored(false);
            expect_eq("the leader", world.answer(a), "NotAvailable");
            expect_eq("the follower", world.answer(b), "NotAvailable");
            expect_state(&world, State::PreparingRebalance);
            let a = world.join(again("a"));
            world.join(again("b"));
            let leads = "a in generation 2 by range, a leads: a b";
            expect_eq("the next generation", world.answer(a), leads);
        }
    );
}

#[test]
fn a_store_that_is_late() {
    case!(
        "A rebalance begins while the shares are being stored: they are those of a generation that is over.",
        || {
            let mut world = joined(&["a"]);
            let a = world.sync(sync("a", 1, &[("a", "0")]));
            let b = world.join(new("b"));
            expect_eq("the sync", world.answer(a), "RebalanceInProgress");
            world.join(again("a"));
            let follows = "b in generation 2 by range, a leads";
            expect_eq("b", world.answer(b), follows);
            let next = world.sync(sync("a", 2, &[("a", "2"), ("b", "1")]));
            world.store_one(true);
            expect_eq("when the old ones are stored", world.answer(next), "parked");
            expect_state(&world, State::CompletingRebalance);
            world.store_one(true);
            expect_eq("when the new ones are", world.answer(next), "gets b\"2\"");
        }
    );
}

#[test]
fn a_sync_that_is_refused() {
    case!(
        "A SyncGroup of a stranger, of another generation, of another protocol.",
        || {
            let mut world = joined(&["a", "b"]);
            expect_sync(&mut world, sync("x", 1, &[]), "UnknownMember");
            expect_sync(&mut world, sync("x", 0, &[]), "UnknownMember");
            expect_sync(&mut world, sync("b", 0, &[]), "IllegalGeneration");
            expect_sync(&mut world, sync("b", 2, &[]), "IllegalGeneration");
            let mut other = sync("b", 1, &[]);
            other.protocol = Some("sticky".into());
            expect_sync(&mut world, other, "InconsistentProtocol");
            let mut other = sync("b", 1, &[]);
            other.protocol_type = Some("connect".into());
            expect_sync(&mut world, other, "InconsistentProtocol");
            let mut right = sync("b", 1, &[]);
            right.protocol = Some("range".into());
            right.protocol_type = Some("consumer".into());
            expect_sync(&mut world, right, "parked");
        }
    );
}

#[test]
fn a_sync_while_members_join() {
    case!("While members join again a SyncGroup is told so.", || {
        let mut world = World::stable(&["a", "b"]);
        world.join(new("c"));
        expect_sync(&mut world, sync("b", 1, &[]), "RebalanceInProgress");
    });
}

#[test]
fn a_second_sync_of_a_member() {
    case!(
        "A member that syncs a second time does not wait for its first call any more. That one ends too.",
        || {
            let mut world = joined(&["a", "b"]);
            let first = world.sync(sync("b", 1, &[]));
            let second = world.sync(sync("b", 1, &[]));
            expect_eq("the first", world.answer(first), "RebalanceInProgress");
            let lead = world.sync(sync("a", 1, &[("b", "1")]));
            let again = world.sync(sync("a", 1, &[("b", "2")]));
            expect_eq(
                "the leader's first",
                world.answer(lead),
                "RebalanceInProgress",
            );
            world.stored(true);
            expect_eq("the second", world.answer(second), "gets b\"1\"");
            expect_eq("the leader's second", world.answer(again), "gets b\"\"");
            expect_state(&world, State::Stable);
        }
    );
}
