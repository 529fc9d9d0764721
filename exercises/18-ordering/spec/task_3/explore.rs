//! Every order in which things can happen in a scenario, and some in larger ones.

use std::collections::HashSet;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::rc::Rc;

use spec_harness::fail;

use super::world::{Scenario, Step, World, describe};

/// No history of a right scheduler is longer.
const STEPS_MAX: usize = 60;
/// No right scheduler makes more worlds of a scenario.
const WORLDS_MAX: usize = 30_000;

/// How a world came about.
struct Past {
    step: Step,
    before: Option<Rc<Past>>,
}

/// Goes through the worlds that can come about, those of few steps first, and through each
/// once. Fails with the shortest history that breaks a law.
pub(super) fn every_order(scenario: &Scenario) {
    let hasher = BuildHasherDefault::<DefaultHasher>::new();
    let mut known = HashSet::new();
    let mut worlds = vec![(World::new(scenario), None)];
    for number in 0..=STEPS_MAX {
        let mut next = Vec::new();
        for (world, past) in worlds {
            let steps = world.possible(scenario);
            if steps.is_empty() {
                let mut end = world.clone();
                end.finish(scenario);
                stop_if_wrong(scenario, &end, past.as_ref());
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
}

fn stop_if_wrong(scenario: &Scenario, world: &World, past: Option<&Rc<Past>>) {
    if world.problem().is_none() {
        return;
    }
    let mut steps = Vec::new();
    let mut past = past;
    while let Some(one) = past {
        steps.push(one.step);
        past = one.before.as_ref();
    }
    steps.reverse();
    show(scenario, &steps, world);
}

/// Fails with the history that leads to the world.
fn show(scenario: &Scenario, steps: &[Step], world: &World) {
    let Some((rule, seen)) = world.problem() else {
        return;
    };
    let mut trace = format!("{} workers, a history:", scenario.limits.workers);
    let mut given = 0;
    for step in steps {
        trace += &format!("\n- {}", describe(scenario, *step, given));
        given += usize::from(*step == Step::Give);
    }
    fail(&trace, rule, seen)
}

/// Lets things happen in each scenario in an order that its seed chooses. Fails with the
/// shortest history that breaks a law, without the steps that it can do without.
pub(super) fn some_orders(scenarios: impl Iterator<Item = (u64, Scenario)>) {
    let broken = scenarios.filter_map(|(seed, scenario)| {
        let steps = some_order(&scenario, seed)?;
        Some((steps, scenario))
    });
    let shortest = broken.min_by_key(|(steps, _)| steps.len());
    let Some((mut steps, scenario)) = shortest else {
        return;
    };
    for at in (0..steps.len()).rev() {
        let mut fewer = steps.clone();
        fewer.truncate(at);
        fewer.extend(steps.iter().skip(at + 1));
        let (taken, world) = again(&scenario, &fewer);
        if world.problem().is_some() {
            steps = taken;
        }
    }
    let (steps, mut world) = again(&scenario, &steps);
    if world.problem().is_none() {
        world.never_ends();
    }
    show(&scenario, &steps, &world);
}

/// Lets things happen until nothing can any more. Returns the history if it breaks a law.
fn some_order(scenario: &Scenario, seed: u64) -> Option<Vec<Step>> {
    let mut random = seed;
    let mut steps = Vec::new();
    let mut world = World::new(scenario);
    let revoke_from = usize::try_from(seed).expect("a few hundred");
    // A record comes, and has a few attempts at most.
    for _ in 0..scenario.records.len() * 8 {
        let mut possible = world.possible(scenario);
        // Not among the first steps each time: then little waits behind others of its key.
        if possible.len() > 1 && steps.len() < revoke_from {
            possible.retain(|step| *step != Step::Revoke);
        }
        if possible.is_empty() {
            world.finish(scenario);
            return world.problem().map(|_| steps);
        }
        // Knuth's MMIX generator; its upper bits are the better ones.
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let at = usize::try_from(random >> 33).expect("it has 31 bits") % possible.len();
        steps.push(possible[at]);
        world.take(scenario, possible[at]);
        if world.problem().is_some() {
            return Some(steps);
        }
    }
    Some(steps)
}

/// Takes those of the steps that can happen, up to the one that breaks a law.
fn again(scenario: &Scenario, steps: &[Step]) -> (Vec<Step>, World) {
    let mut world = World::new(scenario);
    let mut taken = Vec::new();
    for step in steps {
        if world.problem().is_none() && world.possible(scenario).contains(step) {
            world.take(scenario, *step);
            taken.push(*step);
        }
    }
    if world.possible(scenario).is_empty() {
        world.finish(scenario);
    }
    (taken, world)
}
