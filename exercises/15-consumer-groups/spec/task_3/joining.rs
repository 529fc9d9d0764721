//! Members come.

use std::time::Duration;

use spec_harness::{case, expect, expect_eq};

use super::super::part::{Join, Refusal, State};
use super::world::{DELAY, SESSION, World, again, changed, dynamic, named, new};
use super::{expect_state, id_first};

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
