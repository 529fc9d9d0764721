//! Every short history, and many long ones, with a crash between any two effects.

use spec_harness::case;

use super::super::world::{Happens, World};

/// What can happen next, with so many half messages at most.
fn all(halves: i64) -> Vec<Happens> {
    let mut all = vec![Happens::Send, Happens::Tick];
    for half in 0..halves {
        all.extend([
            Happens::Commit(half),
            Happens::RollBack(half),
            Happens::CommitSilently(half),
            Happens::Unknown(half),
        ]);
    }
    all
}

/// Tries all histories of up to so many steps. The first that fails is a shortest one.
fn explore_all(halves: i64, steps_max: u32) {
    for steps in 0..=steps_max {
        explore(&World::new(), halves, steps);
    }
}

/// Tries everything that can happen in `steps` steps from here, with each place for a crash.
fn explore(world: &World, halves: i64, steps: u32) {
    if steps == 0 {
        return world.clone().rest();
    }
    for happens in all(halves.min(world.halves())) {
        if happens == Happens::Send && world.halves() == halves {
            continue;
        }
        let mut next = world.clone();
        let Some(effects) = next.happen(happens, None) else {
            continue;
        };
        explore(&next, halves, steps - 1);
        for crash in 0..=effects {
            let mut next = world.clone();
            next.happen(happens, Some(crash));
            explore(&next, halves, steps - 1);
        }
    }
}

#[test]
fn every_short_history_of_one() {
    case!(
        "One half message, five steps, a crash at each place: never seen too early, never lost.",
        || explore_all(1, 5)
    );
}

#[test]
fn every_short_history_of_two() {
    case!(
        "Two half messages, four steps, a crash at each place: they do not disturb each other.",
        || explore_all(2, 4)
    );
}

#[test]
fn a_thousand_long_histories() {
    case!(
        "A thousand histories of six half messages and forty steps.",
        || {
            let mut random = fastrand::Rng::with_seed(17);
            for _ in 0..1_000 {
                let mut world = World::new();
                for _ in 0..40 {
                    let all = all(world.halves());
                    let happens = all[random.usize(..all.len())];
                    if happens == Happens::Send && world.halves() == 6 {
                        continue;
                    }
                    let crash = (random.u8(..4) == 0).then(|| random.usize(..4));
                    world.happen(happens, crash);
                }
                world.rest();
            }
        }
    );
}
