//! Connections, the broker and the group end.

use spec_harness::{case, expect_eq};

use super::super::part::{Refusal, State};
use super::world::{SESSION, World, again, dynamic, new, sync};
use super::{expect_state, expect_sync, id_first, joined};

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
        "DescribeGroups shows metadata of a stable group alone, and the last shares always.",
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
            expect_eq("the share then", &other.members[0].assignment[..], b"a");
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
