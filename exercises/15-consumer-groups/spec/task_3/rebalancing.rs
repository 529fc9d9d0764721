//! Members join again, or come to a group that has begun.

use std::time::Duration;

use spec_harness::{case, expect_eq};

use super::super::part::{Join, Refusal, State};
use super::world::{REBALANCE, World, again, changed, knowing, new, sync};
use super::{expect_state, expect_sync, joined};

#[test]
fn a_member_joins_a_stable_group_again() {
    case!(
        "A follower that joins a stable group again with the same metadata gets the generation that there is.",
        || {
            let mut world = World::stable(&["a", "b"]);
            let b = world.join(again("b"));
            let follows = "b in generation 1 by range, a leads";
            expect_eq("its answer", world.answer(b), follows);
            expect_state(&world, State::Stable);
            expect_sync(&mut world, sync("b", 1, &[]), "gets b\"b\"");
        }
    );
}

#[test]
fn the_leader_joins_a_stable_group_again() {
    case!(
        "The leader joins a stable group again when it wants to share out anew: a rebalance begins.",
        || {
            let mut world = World::stable(&["a", "b"]);
            let a = world.join(again("a"));
            expect_eq("its answer", world.answer(a), "parked");
            let told = Err(Refusal::RebalanceInProgress);
            expect_eq("b's heartbeat", world.heartbeat("b", 1), told);
            world.join(again("b"));
            let leads = "a in generation 2 by range, a leads: a b";
            expect_eq("when b has joined", world.answer(a), leads);
        }
    );
}

#[test]
fn a_member_joins_with_other_metadata() {
    case!(
        "A member whose metadata is different (other topics) needs another share: a rebalance begins.",
        || {
            let mut world = World::stable(&["a", "b"]);
            let b = world.join(changed(again("b")));
            expect_eq("its answer", world.answer(b), "parked");
            let a = world.join(again("a"));
            let leads = "a in generation 2 by range, a leads: a b";
            expect_eq("the leader's", world.answer(a), leads);
        }
    );
}

#[test]
fn a_member_joins_again_between_join_and_sync() {
    case!(
        "A member that has lost its answer joins again between join and sync. It gets the same answer, the leader with all members.",
        || {
            let mut world = joined(&["a", "b"]);
            let parked = world.sync(sync("b", 1, &[]));
            let a = world.join(again("a"));
            let leads = "a in generation 1 by range, a leads: a b";
            expect_eq("the leader", world.answer(a), leads);
            expect_eq("a sync", world.answer(parked), "parked");
            let changed = world.join(changed(again("a")));
            expect_eq("with other metadata", world.answer(changed), "parked");
            expect_eq("a sync then", world.answer(parked), "RebalanceInProgress");
        }
    );
}

#[test]
fn a_new_member() {
    case!(
        "A new member is parked until all others have joined again. There is no delay now.",
        || {
            let mut world = World::stable(&["a", "b"]);
            let c = world.join(new("c"));
            let told = Err(Refusal::RebalanceInProgress);
            expect_eq("a's heartbeat", world.heartbeat("a", 1), told);
            let b = world.join(again("b"));
            expect_eq("the new member", world.answer(c), "parked");
            let a = world.join(again("a"));
            expect_eq("b", world.answer(b), "b in generation 2 by range, a leads");
            let leads = "a in generation 2 by range, a leads: a b c";
            expect_eq("a", world.answer(a), leads);
            expect_eq("c", world.answer(c), "c in generation 2 by range, a leads");
            expect_eq("a's heartbeat then", world.heartbeat("a", 2), Ok(()));
        }
    );
}

#[test]
fn a_new_member_interrupts_the_sync() {
    case!("A rebalance ends the SyncGroups that are parked.", || {
        let mut world = joined(&["a", "b"]);
        let b = world.sync(sync("b", 1, &[]));
        let c = world.join(new("c"));
        expect_eq("the sync", world.answer(b), "RebalanceInProgress");
        expect_eq("the new member", world.answer(c), "parked");
        world.join(again("a"));
        world.join(again("b"));
        let follows = "c in generation 2 by range, a leads";
        expect_eq("when all have joined", world.answer(c), follows);
    });
}

#[test]
fn a_late_member() {
    case!(
        "A member that has not joined again at the rebalance timeout is left behind, although it sends heartbeats.",
        || {
            let mut world = World::stable(&["a", "b"]);
            let c = world.join(new("c"));
            world.join(again("a"));
            for _ in 0..11 {
                world.wait(5_000);
                let told = Err(Refusal::RebalanceInProgress);
                expect_eq("b's heartbeat", world.heartbeat("b", 1), told);
            }
            world.wait(4_999);
            expect_eq("1 ms before", world.answer(c), "parked");
            world.wait(1);
            let follows = "c in generation 2 by range, a leads";
            expect_eq("at the timeout", world.answer(c), follows);
            expect_eq(
                "the members",
                world.members(),
                ["a", "c"].map(String::from).to_vec(),
            );
            let stranger = Err(Refusal::UnknownMember);
            expect_eq("b's heartbeat then", world.heartbeat("b", 1), stranger);
        }
    );
}

#[test]
fn a_late_member_has_no_vote() {
    case!(
        "The last member that knows range alone is late, and removed. The others agree on sticky at once.",
        || {
            let both = ["sticky", "range"];
            let a = knowing(new("a"), &both);
            let mut world = World::joined_as(vec![a, new("b")]);
            let a = world.join(knowing(again("a"), &both));
            for _ in 0..11 {
                world.wait(5_000);
                let told = Err(Refusal::RebalanceInProgress);
                expect_eq("b's heartbeat", world.heartbeat("b", 1), told);
            }
            world.wait(REBALANCE - 55_000);
            let leads = "a in generation 2 by sticky, a leads: a";
            expect_eq("at the timeout", world.answer(a), leads);
        }
    );
}

#[test]
fn the_rebalance_timeout_is_the_longest() {
    case!(
        "The members wait for as long as the slowest one may take.",
        || {
            let patient = Join {
                rebalance_timeout: Duration::from_millis(2 * REBALANCE),
                ..new("b")
            };
            let mut world = World::joined_as(vec![new("a"), patient]);
            let c = world.join(new("c"));
            world.join(again("a"));
            for _ in 0..23 {
                world.wait(5_000);
                let _ = world.heartbeat("b", 1);
            }
            world.wait(4_999);
            expect_eq("at 119,999 ms", world.answer(c), "parked");
            world.wait(1);
            let follows = "c in generation 2 by range, a leads";
            expect_eq("at 120,000 ms", world.answer(c), follows);
        }
    );
}

#[test]
fn a_late_leader() {
    case!(
        "If the leader has not joined again, another member leads.",
        || {
            let mut world = World::stable(&["a", "b"]);
            let b = world.join(changed(again("b")));
            world.wait(REBALANCE);
            let leads = "b in generation 2 by range, b leads: b";
            expect_eq("the other one", world.answer(b), leads);
        }
    );
}

#[test]
fn a_second_join_of_a_member() {
    case!(
        "A member that joins a second time does not wait for its first call any more. That one ends too.",
        || {
            let mut world = World::stable(&["a", "b"]);
            let first = world.join(changed(again("b")));
            let second = world.join(again("b"));
            let over = "RebalanceInProgress as \"b\"";
            expect_eq("the first", world.answer(first), over);
            world.join(again("a"));
            let follows = "b in generation 2 by range, a leads";
            expect_eq("the second", world.answer(second), follows);
        }
    );
}
