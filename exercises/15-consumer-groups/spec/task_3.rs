//! A group: members join, sync, leave, expire and come back.

mod histories;
mod world;

use std::time::Duration;

use spec_harness::{case, expect, expect_eq};

use super::part::{self, Join, Refusal, Settings, State};
use histories::{Event, Program, expect_every_history, expect_random_history};
use world::{
    DELAY, NEW_MEMBER, REBALANCE, SESSION, World, again, changed, dynamic, fixed, knowing, named,
    new, settings, sync,
};

#[test]
fn the_first_member() {
    case!(
        "The first member is parked for the initial delay, then it leads generation 1.",
        || {
            let mut world = World::new();
            let a = world.join(new("a"));
            expect_eq("the deadline", world.deadline(), Some(DELAY));
            world.wait(DELAY - 1);
            expect_eq("1 ms before", world.answer(a), "parked");
            expect_state(&world, State::PreparingRebalance);
            world.wait(1);
            let leads = "a in generation 1 by range, a leads: a";
            expect_eq("after the delay", world.answer(a), leads);
            expect_state(&world, State::CompletingRebalance);
        }
    );
}

#[test]
fn a_newcomer_makes_the_delay_longer() {
    case!(
        "A group that was empty waits on if a member has come: for as long again, counted from when the delay is over.",
        || {
            let mut world = World::new();
            let a = world.join(new("a"));
            world.wait(2_000);
            let b = world.join(new("b"));
            world.wait(3_999);
            expect_eq("at 5,999 ms", world.answer(a), "parked");
            world.wait(1);
            let leads = "a in generation 1 by range, a leads: a b";
            expect_eq("the first at 6,000 ms", world.answer(a), leads);
            let follows = "b in generation 1 by range, a leads";
            expect_eq("the second", world.answer(b), follows);
        }
    );
}

#[test]
fn the_delay_has_a_bound() {
    case!(
        "However many members come, the first one waits no longer than its rebalance timeout.",
        || {
            let mut world = World::new();
            let short = Duration::from_millis(7_000);
            let a = world.join(Join {
                rebalance_timeout: short,
                ..new("a")
            });
            for name in ["b", "c", "d"] {
                world.wait(2_000);
                world.join(new(name));
            }
            world.wait(999);
            expect_eq("at 6,999 ms", world.answer(a), "parked");
            world.wait(1);
            let leads = "a in generation 1 by range, a leads: a b c d";
            expect_eq("at 7,000 ms", world.answer(a), leads);
        }
    );
}

#[test]
fn an_id_first() {
    case!(
        "From version 4 on a consumer gets a member id, and joins with it.",
        || {
            let mut world = World::new();
            let first = world.join(id_first("a"));
            let has_id = "MemberIdRequired as \"a\"";
            expect_eq("the first JoinGroup", world.answer(first), has_id);
            expect_state(&world, State::Empty);
            let mut odd = again("a");
            odd.identity = named("s", "a");
            let odd = world.join(odd);
            let stranger = "UnknownMember as \"a\"";
            expect_eq("with an instance id", world.answer(odd), stranger);
            let second = world.join(again("a"));
            world.wait(DELAY);
            let leads = "a in generation 1 by range, a leads: a";
            expect_eq("the second", world.answer(second), leads);
        }
    );
}

#[test]
fn an_id_that_is_not_used() {
    case!(
        "A member id that is not used is forgotten after the session timeout.",
        || {
            let mut world = World::new();
            world.join(id_first("a"));
            expect(
                "a group with a pending id is not idle",
                !world.group.is_idle(),
            );
            world.wait(SESSION);
            expect("then it is", world.group.is_idle());
            expect_eq("what it costs", world.group.bytes(), 0);
            let late = world.join(again("a"));
            expect_eq(
                "JoinGroup with it",
                world.answer(late),
                "UnknownMember as \"a\"",
            );
        }
    );
}

#[test]
fn a_pending_id_holds_up() {
    case!(
        "A generation waits for consumers that have got an id, so that they need no generation of their own.",
        || {
            let mut world = World::stable(&["a"]);
            world.join(id_first("b"));
            let c = world.join(new("c"));
            let a = world.join(again("a"));
            expect_eq("before b has joined", world.answer(a), "parked");
            world.join(again("b"));
            let leads = "a in generation 2 by range, a leads: a b c";
            expect_eq("after", world.answer(a), leads);
            expect_eq("c", world.answer(c), "c in generation 2 by range, a leads");
        }
    );
}

#[test]
fn a_pending_id_leaves() {
    case!(
        "A consumer that has got an id, and leaves, is not waited for.",
        || {
            let mut world = World::stable(&["a"]);
            world.join(id_first("b"));
            let a = world.join(again("a"));
            expect_eq("before", world.answer(a), "parked");
            let answers = world.leave(&[dynamic("b")]);
            expect_eq("its leave", answers, vec![Ok(())]);
            let leads = "a in generation 2 by range, a leads: a";
            expect_eq("after", world.answer(a), leads);
        }
    );
}

#[test]
fn other_timeouts() {
    case!(
        "A member that joins again may have another session timeout.",
        || {
            let slow = Join {
                session_timeout: Duration::from_millis(2 * SESSION),
                ..changed(again("b"))
            };
            let mut world = World::stable(&["a", "b"]);
            world.join(slow);
            world.join(again("a"));
            world.wait(2 * SESSION - 1);
            expect_eq("the members", world.members(), vec!["b".to_owned()]);
            let told = Err(Refusal::RebalanceInProgress);
            expect_eq("b's heartbeat", world.heartbeat("b", 2), told);
        }
    );
}

#[test]
fn a_pending_id_runs_out() {
    case!(
        "When a pending id is forgotten, nobody waits for it.",
        || {
            let mut world = World::stable(&["a"]);
            world.join(id_first("b"));
            let a = world.join(changed(again("a")));
            expect_eq("before", world.answer(a), "parked");
            world.wait(SESSION);
            let leads = "a in generation 2 by range, a leads: a";
            expect_eq("after", world.answer(a), leads);
        }
    );
}

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

#[test]
fn a_member_leaves() {
    case!(
        "When a member leaves, the others share out anew at once.",
        || {
            let mut world = World::stable(&["a", "b", "c"]);
            let answers = world.leave(&[dynamic("a"), dynamic("x"), dynamic("c")]);
            let expected = vec![Ok(()), Err(Refusal::UnknownMember), Ok(())];
            expect_eq("the answers", answers, expected);
            expect_state(&world, State::PreparingRebalance);
            let b = world.join(again("b"));
            let leads = "b in generation 2 by range, b leads: b";
            expect_eq("the one that is left", world.answer(b), leads);
        }
    );
}

#[test]
fn the_last_member_leaves() {
    case!(
        "When the last member leaves, the group is empty, in a generation of its own, and that is stored.",
        || {
            let mut world = World::stable(&["a"]);
            world.leave(&[dynamic("a")]);
            expect_state(&world, State::Empty);
            expect_eq("the generation", world.group.generation(), 2);
            world.stored(true);
            let stored = world.disk.clone().expect("it was stored");
            expect_eq("the stored generation", stored.generation, 2);
            expect_eq("the stored members", stored.members.len(), 0);
            expect_eq("the stored leader", stored.leader, None);
            expect_eq("the stored protocol", stored.protocol, None);
            expect_eq("the deadline", world.deadline(), None);
            let b = world.join(new("b"));
            expect_eq("the next member", world.answer(b), "parked");
            world.wait(DELAY);
            let leads = "b in generation 3 by range, b leads: b";
            expect_eq("the next member", world.answer(b), leads);
        }
    );
}

#[test]
fn one_leaves_while_others_wait_for_it() {
    case!(
        "When the last one that is waited for leaves, the generation begins.",
        || {
            let mut world = World::stable(&["a", "b"]);
            let a = world.join(again("a"));
            world.leave(&[dynamic("b")]);
            let leads = "a in generation 2 by range, a leads: a";
            expect_eq("the one that waits", world.answer(a), leads);
        }
    );
}

#[test]
fn a_static_member_returns() {
    case!(
        "A static member that returns to a stable group takes its place without a rebalance: same generation, same share.",
        || {
            let mut world = World::joined_as(vec![new("a"), fixed("s", "s-1")]);
            let s = world.join(fixed("s", "s-2"));
            expect_state(&world, State::Stable);
            expect_eq("before its new id is stored", world.answer(s), "parked");
            world.stored(true);
            let follows = "s-2 in generation 1 by range, a leads";
            expect_eq("its answer", world.answer(s), follows);
            expect_eq("a's heartbeat", world.heartbeat("a", 1), Ok(()));
            let mut sync = sync("s-2", 1, &[]);
            sync.identity = named("s", "s-2");
            expect_sync(&mut world, sync, "gets b\"s-1\"");
            let stored = world.disk.clone().expect("it was stored");
            let members: Vec<_> = stored.members.iter().map(|one| &*one.member.0).collect();
            expect_eq("the stored members", members, vec!["a", "s-2"]);
        }
    );
}

#[test]
fn the_old_process_is_fenced() {
    case!(
        "The process before it has the same instance id and the old member id: it is fenced.",
        || {
            let mut world = World::joined_as(vec![new("a"), fixed("s", "s-1")]);
            world.join(fixed("s", "s-2"));
            world.stored(true);
            let mut late = sync("s-1", 1, &[]);
            late.identity = named("s", "s-1");
            expect_sync(&mut world, late, "FencedInstance");
            let mut join = again("s-1");
            join.identity = named("s", "s-1");
            let join = world.join(join);
            expect_eq("its join", world.answer(join), "FencedInstance as \"s-1\"");
            let answers = world.leave(&[named("s", "s-1")]);
            expect_eq("its leave", answers, vec![Err(Refusal::FencedInstance)]);
            let answers = world.leave(&[named("s", "")]);
            expect_eq("a leave by instance id alone", answers, vec![Ok(())]);
            expect_state(&world, State::PreparingRebalance);
        }
    );
}

#[test]
fn a_static_leader_returns() {
    case!(
        "A static leader that returns is told its old id as the leader's, so it does not share out. It leads when it joins again.",
        || {
            let mut world = World::joined_as(vec![fixed("s", "s-1"), new("b")]);
            let s = world.join(fixed("s", "s-2"));
            world.stored(true);
            let follows = "s-2 in generation 1 by range, s-1 leads";
            expect_eq("its answer", world.answer(s), follows);
            expect_state(&world, State::Stable);
            let mut join = again("s-2");
            join.identity = named("s", "s-2");
            let s = world.join(join);
            world.join(again("b"));
            let leads = "s-2 in generation 2 by range, s-2 leads: b s-2";
            expect_eq("when it joins again", world.answer(s), leads);
        }
    );
}

#[test]
fn a_return_that_is_not_stored() {
    case!(
        "If the new member id cannot be stored, its process is told so, and may try again.",
        || {
            let mut world = World::joined_as(vec![new("a"), fixed("s", "s-1")]);
            let s = world.join(fixed("s", "s-2"));
            world.stored(false);
            expect_eq("its answer", world.answer(s), "NotAvailable as \"s-2\"");
            let s = world.join(fixed("s", "s-3"));
            world.stored(true);
            let follows = "s-3 in generation 1 by range, a leads";
            expect_eq("the next try", world.answer(s), follows);
        }
    );
}

#[test]
fn a_rebalance_while_a_return_is_stored() {
    case!(
        "A rebalance begins while a return is being stored: the member has joined the next generation.",
        || {
            let mut world = World::joined_as(vec![new("a"), fixed("s", "s-1")]);
            let s = world.join(fixed("s", "s-2"));
            world.join(changed(again("a")));
            let follows = "s-2 in generation 2 by range, a leads";
            expect_eq("its answer", world.answer(s), follows);
            world.stored(true);
            expect_state(&world, State::CompletingRebalance);
        }
    );
}

#[test]
fn a_static_member_returns_with_other_protocols() {
    case!(
        "A static member returns with other protocols: a rebalance begins only if another protocol would be selected.",
        || {
            let both = ["range", "sticky"];
            let members = || vec![knowing(new("a"), &both), knowing(fixed("s", "s-1"), &both)];
            let mut world = World::joined_as(members());
            let s = world.join(knowing(fixed("s", "s-2"), &["range"]));
            world.stored(true);
            let follows = "s-2 in generation 1 by range, a leads";
            expect_eq("range is still selected", world.answer(s), follows);
            let mut world = World::joined_as(members());
            let s = world.join(knowing(fixed("s", "s-2"), &["sticky"]));
            expect_state(&world, State::PreparingRebalance);
            world.join(knowing(again("a"), &both));
            let follows = "s-2 in generation 2 by sticky, a leads";
            expect_eq("only sticky is left", world.answer(s), follows);
        }
    );
}

#[test]
fn a_static_member_returns_between_join_and_sync() {
    case!(
        "Between join and sync the leader shares out to the old id: a rebalance begins, and the old process' sync is fenced.",
        || {
            let mut world = World::new();
            world.join(new("a"));
            world.join(fixed("s", "s-1"));
            world.wait(2 * DELAY);
            let mut parked = sync("s-1", 1, &[]);
            parked.identity = named("s", "s-1");
            let parked = world.sync(parked);
            let s = world.join(fixed("s", "s-2"));
            expect_eq("the old sync", world.answer(parked), "FencedInstance");
            expect_state(&world, State::PreparingRebalance);
            world.join(again("a"));
            let follows = "s-2 in generation 2 by range, a leads";
            expect_eq("the new process", world.answer(s), follows);
        }
    );
}

#[test]
fn a_static_member_returns_while_members_join() {
    case!(
        "While members join again, the new process takes the place of the old one, whose join is fenced.",
        || {
            let mut world = World::joined_as(vec![new("a"), fixed("s", "s-1")]);
            world.join(new("c"));
            let mut old = again("s-1");
            old.identity = named("s", "s-1");
            let old = world.join(old);
            let s = world.join(fixed("s", "s-2"));
            expect_eq(
                "the old join",
                world.answer(old),
                "FencedInstance as \"s-1\"",
            );
            world.join(again("a"));
            let follows = "s-2 in generation 2 by range, a leads";
            expect_eq("the new process", world.answer(s), follows);
        }
    );
}

#[test]
fn a_late_static_member() {
    case!(
        "A static member that is late stays a member: its process may be restarting. Its session still runs.",
        || {
            let slow = Join {
                session_timeout: Duration::from_secs(100),
                ..fixed("s", "s-1")
            };
            let mut world = World::joined_as(vec![slow, new("b")]);
            let b = world.join(changed(again("b")));
            world.wait(REBALANCE - 1);
            expect_eq("1 ms before", world.answer(b), "parked");
            world.wait(1);
            let leads = "b in generation 2 by range, b leads: b s-1";
            expect_eq("at the rebalance timeout", world.answer(b), leads);
            for _ in 0..10 {
                world.wait(5_000);
                let _ = world.heartbeat("b", 2);
            }
            let both = ["b", "s-1"].map(String::from).to_vec();
            expect_eq("110 s after its last call", world.members(), both);
        }
    );
}

#[test]
fn only_static_members_that_are_late() {
    case!(
        "If nobody has joined again there is no leader: the generation waits until one joins.",
        || {
            let slow = Join {
                session_timeout: Duration::from_secs(1_000),
                ..fixed("s", "s-1")
            };
            let mut world = World::joined_as(vec![slow, new("b")]);
            world.leave(&[dynamic("b")]);
            world.wait(5 * REBALANCE / 2);
            expect_state(&world, State::PreparingRebalance);
            expect_eq("the generation", world.group.generation(), 1);
            let s = world.join(fixed("s", "s-2"));
            let leads = "s-2 in generation 2 by range, s-2 leads: s-2";
            expect_eq("when it is back", world.answer(s), leads);
        }
    );
}

#[test]
fn a_second_rebalance_at_once() {
    case!(
        "Cooperative members give up partitions in one generation, and get them in the next: a member joins again right after its sync.",
        || {
            let mut world = World::stable(&["a", "b"]);
            for generation in 2..8 {
                let is_even = generation % 2 == 0;
                let join = if is_even {
                    changed(again("b"))
                } else {
                    again("b")
                };
                world.join(join);
                let a = world.join(again("a"));
                let leads = format!("a in generation {generation} by range, a leads: a b");
                expect_eq("the leader", world.answer(a), &*leads);
                let b = world.sync(sync("b", generation, &[]));
                let a = world.sync(sync("a", generation, &[("a", "0"), ("b", "1")]));
                world.stored(true);
                expect_eq("a", world.answer(a), "gets b\"0\"");
                expect_eq("b", world.answer(b), "gets b\"1\"");
                expect_state(&world, State::Stable);
            }
        }
    );
}

#[test]
fn a_protocol_that_does_not_fit() {
    case!(
        "A consumer that has no protocol in common with all members, or another type, is refused.",
        || {
            let mut world = World::new();
            let refused = "InconsistentProtocol as \"\"";
            let a = world.join(knowing(new("a"), &[]));
            expect_eq("the first member without", world.answer(a), refused);
            let a = world.join(Join {
                protocol_type: "".into(),
                ..new("a")
            });
            expect_eq("the first one without a type", world.answer(a), refused);
            let mut world = World::stable(&["a"]);
            let b = world.join(knowing(new("b"), &["sticky"]));
            expect_eq("another protocol", world.answer(b), refused);
            let b = world.join(Join {
                protocol_type: "connect".into(),
                ..new("b")
            });
            expect_eq("another type", world.answer(b), refused);
            let b = world.join(knowing(new("b"), &[]));
            expect_eq("no protocol", world.answer(b), refused);
            expect_state(&world, State::Stable);
        }
    );
}

#[test]
fn session_timeouts_have_limits() {
    case!(
        "A session timeout outside of the limits is refused.",
        || {
            let mut world = World::stable(&["a"]);
            for (millis, expected) in [
                (5_999, "InvalidSessionTimeout as \"\""),
                (6_000, "parked"),
                (1_800_000, "parked"),
                (1_800_001, "InvalidSessionTimeout as \"\""),
            ] {
                let name = format!("b{millis}");
                let join = world.join(Join {
                    session_timeout: Duration::from_millis(millis),
                    ..new(&name)
                });
                expect_eq(&format!("{millis} ms"), world.answer(join), expected);
            }
        }
    );
}

#[test]
fn a_full_group() {
    case!(
        "A group has at most so many members. A static member that returns is one of them.",
        || {
            let small = Settings {
                members_max: 2,
                ..settings()
            };
            let mut world = World::with(small);
            world.join(new("a"));
            world.join(fixed("s", "s-1"));
            let c = world.join(new("c"));
            expect_eq("a third one", world.answer(c), "GroupFull as \"\"");
            world.wait(2 * DELAY);
            let c = world.join(new("c"));
            expect_eq(
                "between join and sync",
                world.answer(c),
                "GroupFull as \"\"",
            );
            let s = world.join(fixed("s", "s-2"));
            expect_eq("a return", world.answer(s), "parked");
            let a = world.join(again("a"));
            let leads = "a in generation 2 by range, a leads: a s-2";
            expect_eq("the next generation", world.answer(a), leads);
        }
    );
}

#[test]
fn the_first_to_join_again_stay() {
    case!(
        "While members join again, the places are for those that come first: also after a restart with room for fewer.",
        || {
            let small = || Settings {
                members_max: 2,
                ..settings()
            };
            let mut world = World::with(small());
            world.join(new("a"));
            world.join(new("b"));
            world.wait(2 * DELAY);
            let a = world.join(changed(again("a")));
            world.join(new("c"));
            let b = world.join(again("b"));
            expect_eq("b, behind c", world.answer(b), "GroupFull as \"\"");
            let leads = "a in generation 2 by range, a leads: a c";
            expect_eq("a", world.answer(a), leads);
            let stored = World::stable(&["a", "b", "c"]).disk.clone();
            let mut world = World::restored_with(small(), stored.expect("it was stored"));
            expect_state(&world, State::PreparingRebalance);
            let b = world.join(again("b"));
            world.join(again("c"));
            world.join(again("b"));
            let over = "RebalanceInProgress as \"b\"";
            expect_eq("b's first call", world.answer(b), over);
            let a = world.join(again("a"));
            expect_eq("a, behind b and c", world.answer(a), "GroupFull as \"\"");
            let both = ["b", "c"].map(String::from).to_vec();
            expect_eq("the members", world.members(), both);
            expect_state(&world, State::CompletingRebalance);
        }
    );
}

#[test]
fn ids_have_a_limit() {
    case!(
        "As many ids are given and not used as a group may have members. Members and consumers with an id are not held up by that.",
        || {
            let small = Settings {
                members_max: 2,
                ..settings()
            };
            let mut world = World::with(small);
            let a = world.join(new("a"));
            world.wait(DELAY);
            let follows = "a in generation 1 by range, a leads: a";
            expect_eq("a", world.answer(a), follows);
            world.join(id_first("b"));
            world.join(id_first("c"));
            let d = world.join(id_first("d"));
            expect_eq("a third id", world.answer(d), "GroupFull as \"\"");
            let a = world.join(again("a"));
            expect_eq("the member", world.answer(a), follows);
            let b = world.join(again("b"));
            expect_eq("one with an id", world.answer(b), "parked");
            let a = world.join(again("a"));
            expect_eq("while c has not joined", world.answer(a), "parked");
            let c = world.join(again("c"));
            expect_eq("the other one", world.answer(c), "GroupFull as \"\"");
            let leads = "a in generation 2 by range, a leads: a b";
            expect_eq("when c is refused", world.answer(a), leads);
        }
    );
}

#[test]
fn what_a_group_costs() {
    case!(
        "What members bring is counted: ids, metadata, shares. What would cost more than the group may is refused.",
        || {
            let small = Settings {
                bytes_max: 30_000,
                ..settings()
            };
            let mut world = World::with(small);
            world.join(heavy(new("a"), 10_000));
            expect_bytes("one member", world.group.bytes(), 10_000);
            world.join(heavy(new("b"), 10_000));
            expect_bytes("two", world.group.bytes(), 20_000);
            let c = world.join(heavy(new("c"), 10_000));
            expect_eq("a third one", world.answer(c), "GroupFull as \"\"");
            world.wait(2 * DELAY);
            let (share, large) = ("x".repeat(4_000), "x".repeat(10_000));
            expect_sync(&mut world, sync("a", 1, &[("a", &large)]), "GroupFull");
            world.sync(sync("a", 1, &[("a", &share), ("stranger", &share)]));
            expect_bytes("while they are stored", world.group.bytes(), 24_000);
            world.stored(true);
            expect_bytes("with shares", world.group.bytes(), 24_000);
            let b = world.join(heavy(again("b"), 5_000));
            expect_eq("with less than before", world.answer(b), "parked");
            expect_bytes("then", world.group.bytes(), 19_000);
            world.leave(&[dynamic("a"), dynamic("b")]);
            expect_eq("without members", world.group.bytes(), 0);
        }
    );
}

#[test]
fn a_new_connection_is_gone() {
    case!(
        "The connection of a new member is gone before it knows its id: it is no member any more.",
        || {
            let mut world = World::stable(&["a"]);
            let b = world.join(new("b"));
            world.gone(b);
            expect_eq("the members", world.members(), vec!["a".to_owned()]);
            world.join(id_first("c"));
            let c = world.join(again("c"));
            world.gone(c);
            let both = ["a", "c"].map(String::from).to_vec();
            expect_eq("with one that knows its id", world.members(), both);
            world.leave(&[dynamic("c")]);
            let a = world.join(again("a"));
            let leads = "a in generation 2 by range, a leads: a";
            expect_eq("a", world.answer(a), leads);
        }
    );
}

#[test]
fn a_connection_is_gone() {
    case!(
        "A member whose connection is gone has joined all the same, and comes back with its id. It does not lead meanwhile.",
        || {
            let mut world = World::stable(&["a", "b", "c"]);
            let a = world.join(again("a"));
            let b = world.join(again("b"));
            world.gone(a);
            world.join(again("c"));
            let leads = "b in generation 2 by range, b leads: a b c";
            expect_eq("another leads", world.answer(b), leads);
            let a = world.join(again("a"));
            let follows = "a in generation 2 by range, b leads";
            expect_eq("when it is back", world.answer(a), follows);
        }
    );
}

#[test]
fn a_syncing_connection_is_gone() {
    case!(
        "A member whose connection is gone during its sync may come back and sync again.",
        || {
            let mut world = joined(&["a", "b"]);
            let b = world.sync(sync("b", 1, &[]));
            world.gone(b);
            world.sync(sync("a", 1, &[("a", "0"), ("b", "1")]));
            world.stored(true);
            expect_sync(&mut world, sync("b", 1, &[]), "gets b\"1\"");
            expect_state(&world, State::Stable);
        }
    );
}

#[test]
fn after_a_restart() {
    case!(
        "A coordinator that was restarted knows the group: members go on with heartbeats, and have a whole session for the first one.",
        || {
            let stored = World::stable(&["a", "b"]).disk.clone();
            let mut world = World::restored(stored.expect("it was stored"));
            expect_state(&world, State::Stable);
            expect_eq("the deadline", world.deadline(), Some(SESSION));
            world.wait(SESSION - 1);
            expect_eq("a's heartbeat", world.heartbeat("a", 1), Ok(()));
            expect_sync(&mut world, sync("b", 1, &[]), "gets b\"b\"");
            let b = world.join(again("b"));
            let follows = "b in generation 1 by range, a leads";
            expect_eq("a join", world.answer(b), follows);
            world.join(new("c"));
            world.join(again("b"));
            let a = world.join(again("a"));
            let leads = "a in generation 2 by range, a leads: a b c";
            expect_eq("the next generation", world.answer(a), leads);
        }
    );
}

#[test]
fn a_deleted_group() {
    case!(
        "A group with members is not deleted, an empty one is. Then nothing is possible any more.",
        || {
            let mut world = World::stable(&["a"]);
            let full = Err(Refusal::NonEmptyGroup);
            expect_eq("with a member", world.group.delete(), full);
            world.leave(&[dynamic("a")]);
            expect_eq("without", world.group.delete(), Ok(()));
            expect_state(&world, State::Dead);
            let a = world.join(new("a"));
            expect_eq("a join", world.answer(a), "NotAvailable as \"\"");
            expect_sync(&mut world, sync("a", 2, &[]), "NotAvailable");
            let answers = world.leave(&[dynamic("a")]);
            expect_eq("a leave", answers, vec![Err(Refusal::NotAvailable)]);
            let gone = Err(Refusal::GroupNotFound);
            expect_eq("once more", world.group.delete(), gone);
        }
    );
}

#[test]
fn what_operators_see() {
    case!(
        "DescribeGroups shows metadata and shares of a stable group alone.",
        || {
            let mut world = World::stable(&["a"]);
            let stable = world.group.describe();
            expect_eq("the protocol", &*stable.protocol, "range");
            expect_eq("the metadata", &stable.members[0].metadata[..], b"topics");
            expect_eq("the share", &stable.members[0].assignment[..], b"a");
            world.join(new("b"));
            let other = world.group.describe();
            expect_eq("the protocol then", &*other.protocol, "");
            expect_eq("the type then", &*other.protocol_type, "consumer");
            expect_eq("the metadata then", other.members[0].metadata.len(), 0);
            expect_eq("the share then", other.members[0].assignment.len(), 0);
            expect_eq("the type", &**world.group.protocol_type(), "consumer");
            for (state, name) in [
                (State::Empty, "Empty"),
                (State::PreparingRebalance, "PreparingRebalance"),
                (State::CompletingRebalance, "CompletingRebalance"),
                (State::Stable, "Stable"),
                (State::Dead, "Dead"),
            ] {
                expect_eq("the name of a state", state.name(), name);
            }
        }
    );
}

#[test]
fn a_thousand_members() {
    case!(
        "A thousand members join, sync, send heartbeats, and leave one after the other.",
        || {
            let large = Settings {
                members_max: 1_000,
                ..settings()
            };
            let names: Vec<String> = (0..1_000).map(|number| format!("m{number:03}")).collect();
            let mut world = World::with(large);
            world.quick = true;
            for name in &names {
                world.join(new(name));
            }
            world.wait(2 * DELAY);
            for name in names.iter().rev() {
                world.sync(sync(name, 1, &[("m500", "x")]));
            }
            world.stored(true);
            expect_state(&world, State::Stable);
            for name in &names {
                expect_eq("a heartbeat", world.heartbeat(name, 1), Ok(()));
            }
            world.leave(&[dynamic("m000")]);
            for name in &names[1..] {
                world.join(again(name));
            }
            expect_eq("the generation", world.group.generation(), 2);
            world.wait(SESSION);
            expect_state(&world, State::Empty);
        }
    );
}

#[test]
fn every_short_history() {
    case!(
        "Every short history of three programs, from an empty group on. Whatever happens, each call ends once, and all ends.",
        || expect_every_history(&[], 4)
    );
}

#[test]
fn every_short_history_of_a_stable_group() {
    case!(
        "Every short history of a stable group with a static member.",
        || {
            use Event::{Due, Restart, Stored, Sync};
            use Program::{B, S};
            let start = [Restart(S), Restart(B), Due, Due, Sync(B), Sync(S), Stored];
            expect_every_history(&start, 4);
        }
    );
}

#[test]
fn every_short_history_between_join_and_sync() {
    case!(
        "Every short history of a group whose leader has not shared out yet.",
        || {
            use Event::{Due, Join, Restart};
            use Program::{A, B, S};
            let start = [Restart(A), Join(A), Restart(S), Restart(B), Due, Due];
            expect_every_history(&start, 4);
        }
    );
}

#[test]
fn long_histories() {
    case!("Long random histories of three programs.", || {
        let mut random = fastrand::Rng::with_seed(15);
        for _ in 0..300 {
            expect_random_history(60, &mut random);
        }
    });
}

/// A group between join and sync. The first member leads.
fn joined(names: &[&str]) -> World {
    let mut world = World::new();
    for name in names {
        world.join(new(name));
    }
    world.wait(2 * DELAY);
    world
}

/// `join` with so many bytes of metadata.
fn heavy(mut join: Join, bytes: usize) -> Join {
    join.protocols[0].metadata = vec![0; bytes].into();
    join
}

/// A group costs what members bring, and up to 2,000 bytes for what else there is of them.
fn expect_bytes(what: &str, bytes: usize, brought: usize) {
    let range = brought..brought + 2_000;
    expect(
        &format!("{what}: {bytes} bytes, in {range:?}"),
        range.contains(&bytes),
    );
}

fn id_first(name: &str) -> Join {
    Join {
        id_first: true,
        ..new(name)
    }
}

fn expect_state(world: &World, expected: State) {
    expect_eq("the state", world.group.state(), expected);
}

fn expect_sync(world: &mut World, sync: part::Sync, expected: &str) {
    let what = format!("{sync:?}");
    let call = world.sync(sync);
    expect_eq(&what, world.answer(call), expected);
}
