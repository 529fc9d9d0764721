//! Many runs, some at the same time.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread;

use anyhow::{Context as _, Result};

use super::{Recorded, Run, record};
use crate::anomaly::Kind;
use crate::check::check;
use crate::report::Report;

/// Many runs with one seed after the other.
#[derive(Debug)]
pub struct Suite {
    run: Run,
    runs: u64,
    jobs: usize,
    verdict: Verdict,
}

/// What came of the runs so far.
#[derive(Debug, Clone, Default)]
pub struct Verdict {
    /// How many there were.
    pub runs: u64,
    /// The seeds of those that broke the promise.
    pub broken: Vec<u64>,
    /// The seeds of those that recorded no history.
    pub failed: Vec<u64>,
    /// How many anomalies of each kind there were.
    pub found: BTreeMap<Kind, usize>,
    /// How many events there were in all of them.
    pub events: usize,
    /// How many operations there were in all of them.
    pub operations: usize,
}

impl Suite {
    /// Returns `runs` runs like `run`, with seeds from its seed on; `jobs` at the same time.
    #[must_use]
    pub fn new(run: &Run, runs: u64, jobs: usize) -> Suite {
        Suite {
            run: run.clone(),
            runs,
            jobs,
            verdict: Verdict::default(),
        }
    }

    /// Makes the runs, and calls `ended` after each one, with its seed.
    pub fn each(&mut self, mut ended: impl FnMut(u64, &Result<(Recorded, Report)>)) {
        let next = AtomicU64::new(0);
        let (run, runs) = (&self.run, self.runs);
        let verdict = &mut self.verdict;
        thread::scope(|scope| {
            let (results, received) = mpsc::channel();
            for _ in 0..self.jobs.max(1) {
                let (results, next) = (results.clone(), &next);
                scope.spawn(move || {
                    loop {
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        let seed = run.seed.wrapping_add(number);
                        if number >= runs || results.send((seed, one(run, seed))).is_err() {
                            return;
                        }
                    }
                });
            }
            drop(results);
            for (seed, result) in received {
                verdict.add(seed, &result, run);
                ended(seed, &result);
            }
        });
    }

    /// Returns what came of the runs so far.
    #[must_use]
    pub fn verdict(&self) -> &Verdict {
        &self.verdict
    }
}

fn one(run: &Run, seed: u64) -> Result<(Recorded, Report)> {
    let recorded = record(&Run {
        seed,
        ..run.clone()
    })?;
    let report = check(&recorded.operations).context("the recording is no history")?;
    Ok((recorded, report))
}

impl Verdict {
    /// Whether every run has a history, and none breaks the promise.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.broken.is_empty() && self.failed.is_empty()
    }

    fn add(&mut self, seed: u64, result: &Result<(Recorded, Report)>, run: &Run) {
        self.runs += 1;
        let Ok((recorded, report)) = result else {
            self.failed.push(seed);
            return;
        };
        self.events += recorded.events.len();
        self.operations += recorded.operations.len();
        for (kind, count) in report.by_kind() {
            *self.found.entry(kind).or_default() += count;
        }
        if report.breaches(run.promise).next().is_some() {
            self.broken.push(seed);
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} runs, ", self.runs)?;
        write!(
            f,
            "{} events, {} operations; ",
            self.events, self.operations
        )?;
        write!(
            f,
            "broken: {:?}, without a history: {:?}; found:",
            self.broken, self.failed
        )?;
        for (kind, count) in &self.found {
            write!(f, " {count} {kind},")?;
        }
        write!(f, " nothing else")
    }
}
