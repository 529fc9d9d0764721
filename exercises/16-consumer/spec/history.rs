//! Histories of a group: every short one, long random ones.

use spec_harness::{expect, fail};

use super::world::{Step, World};

/// Plays every history of `length` steps that begins in `world`, and lets each of them
/// come to its end.
pub(super) fn expect_every_history(world: &World, length: usize, with_mishaps: bool) {
    // The shortest one that fails is shown, so the short ones come first.
    for length in 1..=length {
        let mut history = Vec::new();
        go_on(world, length, with_mishaps, &mut history);
    }
}

fn go_on(world: &World, length: usize, with_mishaps: bool, history: &mut Vec<Step>) {
    if length == 0 {
        if let Err(problem) = world.clone().finish() {
            report(history, &problem);
        }
        return;
    }
    for step in world.possible(with_mishaps) {
        history.push(step);
        let mut next = world.clone();
        if let Err(problem) = next.take(step) {
            report(history, &problem);
        }
        go_on(&next, length - 1, with_mishaps, history);
        history.pop();
    }
}

/// Plays a random history of `length` steps, and lets it come to its end.
///
/// A failure leaves out every step that it does not need.
pub(super) fn expect_random_history(world: &World, length: usize, random: &mut fastrand::Rng) {
    let mut history = Vec::new();
    let mut now = world.clone();
    let mut outcome = Ok(());
    for _ in 0..length {
        // What goes wrong is the exception; what is on its way arrives sooner or later.
        let with_mishaps = random.u8(..4) == 0;
        let Some(step) = random.choice(now.possible(with_mishaps)) else {
            break;
        };
        history.push(step);
        outcome = now.take(step);
        if outcome.is_err() {
            break;
        }
    }
    if outcome.and_then(|()| now.finish()).is_ok() {
        return;
    }
    let mut index = 0;
    while index < history.len() {
        let mut shorter = history.clone();
        shorter.remove(index);
        match play(world, &shorter) {
            Some(_) => history = shorter,
            None => index += 1,
        }
    }
    let problem = play(world, &history).unwrap_or_default();
    report(&history, &problem);
}

/// What goes wrong in a history, if something does; a step that is not possible is passed
/// over.
fn play(world: &World, history: &[Step]) -> Option<String> {
    let mut now = world.clone();
    for step in history {
        if now.possible(true).contains(step)
            && let Err(problem) = now.take(*step)
        {
            return Some(problem);
        }
    }
    now.finish().err()
}

fn report(history: &[Step], problem: &str) -> ! {
    let steps: Vec<String> = history.iter().map(|step| format!("{step:?}")).collect();
    fail(
        &format!("the history\n{}", steps.join("\n")),
        "all invariants hold, and the group comes to rest",
        problem,
    )
}

/// A group of `members` at rest.
pub(super) fn at_rest(members: usize, is_cooperative: bool, id_first: bool) -> World {
    let mut world = World::new(members, is_cooperative, id_first);
    for who in 0..members {
        if let Err(problem) = world.take(Step::Rejoin(who)).and_then(|()| world.finish()) {
            let first = format!("member {who} joins");
            fail(&first, "the group comes to rest", &problem);
        }
    }
    expect("the group is stable", world.is_stable());
    world
}
