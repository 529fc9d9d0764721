//! A group: members join, sync, leave, expire and come back.

mod histories;
mod watch;
mod world;

use spec_harness::{case, expect_eq};

use super::part::{self, Join, State};
use histories::{Event, Program, expect_every_history, expect_random_history};
use world::{DELAY, World, new};

// The modules are in the order in which a learner sees their cases.

mod joining;

mod syncing;

mod rebalancing;

mod silence;

mod leaving;

mod static_members;

mod limits;

mod endings;

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
