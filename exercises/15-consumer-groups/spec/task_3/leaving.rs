//! Members leave.

use spec_harness::{case, expect_eq};

use super::super::part::{Refusal, State};
use super::expect_state;
use super::world::{DELAY, World, again, dynamic, new};

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
            let mut world = World::stable(&["a", "b"]);
            let answers = world.leave(&[dynamic("x")]);
            expect_eq("a stranger", answers, vec![Err(Refusal::UnknownMember)]);
            expect_state(&world, State::Stable);
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
