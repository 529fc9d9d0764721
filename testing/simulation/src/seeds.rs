//! Seeds are run, and what is wrong is printed.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use async_model::Clock;
use simulation::{Outcome, run};

/// How many of the last steps are printed with a seed in which a law is broken.
const LAST_STEPS: usize = 25;

/// Runs one seed. Returns whether all laws hold.
pub(crate) fn run_one(seed: u64, traced: bool) -> bool {
    let outcome = run(seed, true);
    if traced {
        for line in &outcome.trace {
            println!("{line}");
        }
    }
    let (deaths, exchanges) = (outcome.deaths, outcome.exchanges);
    match &outcome.violation {
        Some(_) => print_violation(seed, &outcome),
        None => println!("seed {seed}: {deaths} deaths, {exchanges} exchanges; all laws hold"),
    }
    outcome.violation.is_none()
}

/// Runs `count` seeds from `first` on, until a law is broken. Returns whether all laws hold.
pub(crate) fn run_many(first: u64, count: u64, jobs: usize) -> bool {
    let clock = Clock::start();
    let next = AtomicU64::new(first);
    let end = first.saturating_add(count);
    // The lowest seed in which a law is broken.
    let broken = AtomicU64::new(u64::MAX);
    let totals = Mutex::new((0, 0, 0));
    let work = || loop {
        let seed = next.fetch_add(1, Ordering::Relaxed);
        if seed >= end || seed > broken.load(Ordering::Relaxed) {
            return;
        }
        let outcome = run(seed, false);
        if outcome.violation.is_some() {
            broken.fetch_min(seed, Ordering::Relaxed);
        }
        if let Ok(mut totals) = totals.lock() {
            totals.0 += 1;
            totals.1 += outcome.deaths;
            totals.2 += outcome.exchanges;
        }
    };
    thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(work);
        }
    });
    let seed = broken.into_inner();
    if seed != u64::MAX {
        // Once more, with a trace: the same happens.
        print_violation(seed, &run(seed, true));
        return false;
    }
    let (seeds, deaths, exchanges) = totals.into_inner().unwrap_or_default();
    let millis = clock.now().since(message_model::Moment::START).as_millis();
    println!("{seeds} seeds, {deaths} deaths, {exchanges} exchanges in {millis} ms; all laws hold");
    true
}

fn print_violation(seed: u64, outcome: &Outcome) {
    let Some(violation) = &outcome.violation else {
        println!("seed {seed} is not the same twice: a law was broken, and now all hold");
        return;
    };
    println!("seed {seed}, {violation}");
    println!("the last steps:");
    let skipped = outcome.trace.len().saturating_sub(LAST_STEPS);
    for line in outcome.trace.iter().skip(skipped) {
        println!("{line}");
    }
    println!("all steps: cargo run --release -p simulation -- --seed {seed} --trace");
}
