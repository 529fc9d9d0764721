//! Members that keep their name.

use std::time::Duration;

use spec_harness::{case, expect_eq};

use super::super::part::{Join, Refusal, State};
use super::world::{
    DELAY, REBALANCE, World, again, changed, dynamic, fixed, knowing, named, new, sync,
};
use super::{expect_state, expect_sync};

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
            let members = vec![new("a"), fixed("s", "s-1"), fixed("t", "t-1")];
            let mut world = World::joined_as(members);
            let s = world.join(fixed("s", "s-2"));
            let t = world.join(fixed("t", "t-2"));
            world.stored(true);
            world.stored(true);
            expect_eq("s, of two that return", world.answer(s), follows);
            let follows = "t-2 in generation 1 by range, a leads";
            expect_eq("t, of two that return", world.answer(t), follows);
        }
    );
}

#[test]
fn a_returned_member_is_another_process() {
    case!(
        "A static member that returns is another process, perhaps on another machine: operators see its client, and it is stored.",
        || {
            let mut world = World::joined_as(vec![new("a"), fixed("s", "s-1")]);
            let mut join = fixed("s", "s-2");
            join.client.host = "/10.0.0.2".into();
            world.join(join);
            world.stored(true);
            let shown = world.group.describe().members[1].client.host.to_string();
            expect_eq("the host that is shown", &*shown, "/10.0.0.2");
            let stored = world.disk.clone().expect("it was stored");
            let stored = stored.members[1].client.host.to_string();
            expect_eq("the host that is stored", &*stored, "/10.0.0.2");
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
