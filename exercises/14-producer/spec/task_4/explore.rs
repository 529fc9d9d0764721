//! Every order in which things can happen in a scenario.

use std::collections::HashSet;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::rc::Rc;

use spec_harness::fail;

use super::scenario::Scenario;
use super::world::{Step, World};

/// No history of a right sender is longer.
const STEPS_MAX: usize = 60;

/// No right sender makes more worlds of a scenario.
const WORLDS_MAX: usize = 20_000;

/// How a world came about.
struct Past {
    step: Step,
    before: Option<Rc<Past>>,
}

/// Goes through the worlds that can come about, those of few steps first, and through each
/// once. Returns those in which nothing can happen any more.
///
/// Fails with the shortest history that breaks a rule.
pub(super) fn every_order(scenario: &Scenario) -> Vec<World> {
    let mut ends = Vec::new();
    let hasher = BuildHasherDefault::<DefaultHasher>::new();
    let mut known = HashSet::new();
    let mut worlds = vec![(World::new(scenario), None)];
    for number in 0..=STEPS_MAX {
        if worlds.is_empty() {
            break;
        }
        let mut next = Vec::new();
        for (world, past) in worlds {
            let steps = world.possible(scenario);
            if steps.is_empty() {
                let mut end = world.clone();
                end.finish(scenario);
                stop_if_wrong(scenario, &end, past.as_ref());
                ends.push(end);
            }
            for step in steps {
                let mut after = world.clone();
                after.take(scenario, step);
                let before = past.clone();
                let past = Rc::new(Past { step, before });
                if number == STEPS_MAX || known.len() == WORLDS_MAX {
                    after.never_ends();
                }
                stop_if_wrong(scenario, &after, Some(&past));
                if known.insert(hasher.hash_one(&after)) {
                    next.push((after, Some(past)));
                }
            }
        }
        worlds = next;
    }
    ends
}

fn stop_if_wrong(scenario: &Scenario, world: &World, past: Option<&Rc<Past>>) {
    let Some((rule, seen)) = world.problem() else {
        return;
    };
    let mut steps = Vec::new();
    let mut past = past;
    while let Some(one) = past {
        steps.push(one.step);
        past = one.before.as_ref();
    }
    let mut world = World::new(scenario);
    let mut trace = String::from("a history:");
    for step in steps.into_iter().rev() {
        trace += &format!("\n- {}", world.describe(step));
        world.take(scenario, step);
    }
    fail(&trace, rule, seen)
}
