//! Members are not heard of, and phases end.

use std::time::Duration;

use spec_harness::{case, expect_eq};

use super::super::part::{Join, Refusal, State};
use super::world::{
    DELAY, NEW_MEMBER, REBALANCE, SESSION, World, again, changed, fixed, named, new, sync,
};
use super::{expect_state, expect_sync, joined};

#[test]
fn a_silent_member() {
    case!(
        "A member that is silent for its session timeout is removed, to the millisecond, and the others share out anew.",
        || {
            let mut world = World::stable(&["a", "b"]);
            world.wait(SESSION - 1);
            expect_eq("a's heartbeat", world.heartbeat("a", 1), Ok(()));
            expect_eq("both are members", world.members().len(), 2);
            expect_eq("the deadline", world.deadline(), Some(world.now + 1));
            world.wait(1);
            expect_state(&world, State::PreparingRebalance);
            let told = Err(Refusal::RebalanceInProgress);
            expect_eq("a's heartbeat then", world.heartbeat("a", 1), told);
            let stranger = Err(Refusal::UnknownMember);
            expect_eq("b's", world.heartbeat("b", 1), stranger);
            let a = world.join(again("a"));
            let leads = "a in generation 2 by range, a leads: a";
            expect_eq("a", world.answer(a), leads);
        }
    );
}

#[test]
fn a_commit_is_a_sign_of_life() {
    case!(
        "A member that commits is not silent. A commit of another member is refused, and is no sign of anything.",
        || {
            let mut world = World::stable(&["a", "b"]);
            world.wait(SESSION - 1);
            expect_eq("a's commit", world.commit("a", 1), Ok(()));
            let old = Err(Refusal::IllegalGeneration);
            expect_eq("b's commit of before", world.commit("b", 0), old);
            world.wait(1);
            expect_eq("the members", world.members(), vec!["a".to_owned()]);
            expect_eq(
                "a's commit while members join",
                world.commit("a", 1),
                Ok(()),
            );
            let stranger = Err(Refusal::UnknownMember);
            expect_eq("b's then", world.commit("b", 1), stranger);
            expect_eq("the deadline", world.deadline(), Some(world.now + SESSION));
        }
    );
}

#[test]
fn a_silent_member_in_a_rebalance() {
    case!(
        "While members join again, a silent one is removed after its session timeout, so nobody waits longer for it.",
        || {
            let mut world = World::stable(&["a", "b"]);
            world.wait(4_000);
            let a = world.join(again("a"));
            world.wait(5_999);
            expect_eq("1 ms before", world.answer(a), "parked");
            world.wait(1);
            let leads = "a in generation 2 by range, a leads: a";
            expect_eq("then", world.answer(a), leads);
        }
    );
}

#[test]
fn a_parked_member_is_not_silent() {
    case!(
        "A member whose call is parked can send no heartbeat. Its session begins with the answer.",
        || {
            let mut world = World::stable(&["a", "b"]);
            let a = world.join(again("a"));
            for _ in 0..11 {
                world.wait(5_000);
                let _ = world.heartbeat("b", 1);
            }
            expect_eq("after 55 s", world.answer(a), "parked");
            world.join(again("b"));
            let leads = "a in generation 2 by range, a leads: a b";
            expect_eq("its answer", world.answer(a), leads);
            let b = world.sync(sync("b", 2, &[]));
            for _ in 0..4 {
                world.wait(5_000);
                expect_eq("the leader's heartbeat", world.heartbeat("a", 2), Ok(()));
            }
            expect_eq("b's sync after 20 s", world.answer(b), "parked");
            expect_eq("both are members", world.members().len(), 2);
        }
    );
}

#[test]
fn a_parked_sync_gives_way_to_a_join() {
    case!(
        "A member whose SyncGroup is parked joins with other metadata: the sync is refused, and the JoinGroup is parked. So the member is still not silent, however long another one takes.",
        || {
            let mut world = joined(&["a", "b"]);
            let sync = world.sync(sync("b", 1, &[]));
            let join = world.join(changed(again("b")));
            expect_eq("the sync", world.answer(sync), "RebalanceInProgress");
            for _ in 0..11 {
                world.wait(5_000);
                let told = Err(Refusal::RebalanceInProgress);
                expect_eq("a's heartbeat", world.heartbeat("a", 1), told);
            }
            expect_eq("the join after 55 s", world.answer(join), "parked");
            world.join(again("a"));
            let follows = "b in generation 2 by range, a leads";
            expect_eq("when a has joined", world.answer(join), follows);
        }
    );
}

#[test]
fn a_join_beside_a_parked_sync() {
    case!(
        "A member whose SyncGroup is parked joins again with the same metadata, and is answered. Its sync is still parked, so it is not silent.",
        || {
            let mut world = joined(&["a", "b"]);
            let parked = world.sync(sync("b", 1, &[]));
            let join = world.join(again("b"));
            let follows = "b in generation 1 by range, a leads";
            expect_eq("the join", world.answer(join), follows);
            for _ in 0..4 {
                world.wait(5_000);
                expect_eq("the leader's heartbeat", world.heartbeat("a", 1), Ok(()));
            }
            expect_eq("b's sync after 20 s", world.answer(parked), "parked");
            expect_eq("both are members", world.members().len(), 2);
        }
    );
}

#[test]
fn a_member_is_parked_for_long() {
    case!(
        "A member that has been in a generation waits for as long as the others may take.",
        || {
            let patient = Join {
                rebalance_timeout: Duration::from_millis(3 * NEW_MEMBER),
                ..new("a")
            };
            let mut world = World::joined_as(vec![patient, new("b")]);
            let a = world.join(Join {
                rebalance_timeout: Duration::from_millis(3 * NEW_MEMBER),
                ..again("a")
            });
            for _ in 0..80 {
                world.wait(5_000);
                let _ = world.heartbeat("b", 1);
            }
            expect_eq("its answer after 400 s", world.answer(a), "parked");
            world.join(again("b"));
            let leads = "a in generation 2 by range, a leads: a b";
            expect_eq("when the other one joins", world.answer(a), leads);
        }
    );
}

#[test]
fn a_coordinator_that_was_stalled() {
    case!(
        "A coordinator that could not run for 100 s counts what it begins from now on: nobody is removed for what it could not know.",
        || {
            let mut world = World::new();
            let a = world.join(new("a"));
            world.stall(100_000);
            let leads = "a in generation 1 by range, a leads: a";
            expect_eq("the member", world.answer(a), leads);
            expect_eq("the deadline", world.deadline(), Some(100_000 + SESSION));
        }
    );
}

#[test]
fn a_session_is_over_before_a_phase() {
    case!(
        "A coordinator was stalled. In the generation's 55th second a's session was over, and in its 60th the time to sync. The session comes first, so a rebalance begins, and b, which has not synced, may join.",
        || {
            let mut world = b_has_not_synced(9);
            world.stall(6_000);
            expect_state(&world, State::PreparingRebalance);
            expect_eq("the members", world.members(), vec!["b".to_owned()]);
        }
    );
}

#[test]
fn a_phase_is_over_before_a_session() {
    case!(
        "A coordinator was stalled. In the generation's 60th second the time to sync was over, and in its 65th a's session. The phase comes first, so b, which has not synced, is removed; then a is, which was silent.",
        || {
            let mut world = b_has_not_synced(11);
            world.wait(4_999);
            expect_eq("b's heartbeat", world.heartbeat("b", 2), Ok(()));
            world.stall(7_000);
            expect_eq("the members", world.members(), Vec::new());
            expect_state(&world, State::Empty);
        }
    );
}

/// A stable group at 54,989 ms after generation 2 has begun. b has sent heartbeats and has
/// not synced. a has synced, and sent as many heartbeats, one every 4,999 ms.
fn b_has_not_synced(heartbeats: u64) -> World {
    let mut world = World::stable(&["a", "b"]);
    world.join(again("a"));
    world.join(again("b"));
    world.sync(sync("a", 2, &[("a", "0"), ("b", "1")]));
    world.stored(true);
    for number in 1..=11 {
        world.wait(4_999);
        if number <= heartbeats {
            expect_eq("a's heartbeat", world.heartbeat("a", 2), Ok(()));
        }
        expect_eq("b's heartbeat", world.heartbeat("b", 2), Ok(()));
    }
    world
}

#[test]
fn nobody_shares_out() {
    case!(
        "A leader that sends heartbeats and never shares out is removed after the rebalance timeout, and another one leads.",
        || {
            let mut world = joined(&["a", "b"]);
            let b = world.sync(sync("b", 1, &[]));
            for _ in 0..12 {
                world.wait(4_999);
                expect_eq("a's heartbeat", world.heartbeat("a", 1), Ok(()));
            }
            world.wait(REBALANCE - 12 * 4_999);
            expect_eq("b's sync", world.answer(b), "RebalanceInProgress");
            expect_eq("the members", world.members(), vec!["b".to_owned()]);
            let b = world.join(again("b"));
            let leads = "b in generation 2 by range, b leads: b";
            expect_eq("b", world.answer(b), leads);
        }
    );
}

#[test]
fn a_static_leader_never_shares_out() {
    case!(
        "A static leader that sends heartbeats and never shares out is removed as well: it lives, so it is not restarting.",
        || {
            let mut world = World::new();
            world.join(fixed("s", "s-1"));
            world.join(new("b"));
            world.wait(2 * DELAY);
            let b = world.sync(sync("b", 1, &[]));
            for _ in 0..12 {
                world.wait(4_999);
                let answer = world.heartbeat_of(&named("s", "s-1"), 1);
                expect_eq("the leader's heartbeat", answer, Ok(()));
            }
            world.wait(REBALANCE - 12 * 4_999);
            expect_eq("b's sync", world.answer(b), "RebalanceInProgress");
            expect_eq("the members", world.members(), vec!["b".to_owned()]);
        }
    );
}

#[test]
fn a_member_never_syncs() {
    case!(
        "In a stable group too, a member that has not synced at the rebalance timeout is removed.",
        || {
            let mut world = World::stable(&["a", "b"]);
            world.join(again("a"));
            world.join(again("b"));
            world.sync(sync("a", 2, &[("a", "0"), ("b", "1")]));
            world.stored(true);
            expect_state(&world, State::Stable);
            for _ in 0..12 {
                world.wait(4_999);
                expect_eq("a's heartbeat", world.heartbeat("a", 2), Ok(()));
                expect_eq("b's heartbeat", world.heartbeat("b", 2), Ok(()));
            }
            world.wait(REBALANCE - 12 * 4_999);
            expect_state(&world, State::PreparingRebalance);
            expect_eq("the members", world.members(), vec!["a".to_owned()]);
        }
    );
}

#[test]
fn all_have_synced() {
    case!(
        "When all have synced, the rebalance timeout ends nothing.",
        || {
            let mut world = World::stable(&["a", "b"]);
            for _ in 0..15 {
                world.wait(5_000);
                expect_eq("a's heartbeat", world.heartbeat("a", 1), Ok(()));
                expect_eq("b's heartbeat", world.heartbeat("b", 1), Ok(()));
            }
            expect_state(&world, State::Stable);
            let mut world = joined(&["a", "b"]);
            world.sync(sync("a", 1, &[("a", "0"), ("b", "1")]));
            world.stored(true);
            expect_sync(&mut world, sync("b", 1, &[]), "gets b\"1\"");
            for _ in 0..15 {
                world.wait(5_000);
                expect_eq("a's heartbeat", world.heartbeat("a", 1), Ok(()));
                expect_eq("b's heartbeat", world.heartbeat("b", 1), Ok(()));
            }
            expect_state(&world, State::Stable);
        }
    );
}

#[test]
fn a_new_member_is_parked_for_too_long() {
    case!(
        "A new member whose connection says nothing is removed after five minutes, however long the rebalance may take.",
        || {
            let patient = Join {
                rebalance_timeout: Duration::from_millis(3 * NEW_MEMBER),
                ..new("a")
            };
            let mut world = World::joined_as(vec![patient]);
            let b = world.join(new("b"));
            for _ in 0..60 {
                world.wait(NEW_MEMBER / 60);
                let _ = world.heartbeat("a", 1);
            }
            expect_eq("its answer", world.answer(b), "UnknownMember as \"\"");
            expect_eq("the members", world.members(), vec!["a".to_owned()]);
        }
    );
}
