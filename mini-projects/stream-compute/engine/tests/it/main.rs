//! The engine through its public API.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod checkpoints;
mod definition;
mod distinct;
mod exactly_once;
mod files;
mod flow;
mod gated;
mod late;
mod laws;
mod many_keys;
#[cfg(feature = "object-store")]
mod objects;
mod process;
mod snapshots;
mod taken_back;
mod traces;

use std::time::Duration;

use async_model::Clock;
use proptest::prelude::ProptestConfig;
use proptest::test_runner::RngSeed;
use stream_engine::{Error, Handle, Job, Settings, Summary};

/// A duration in milliseconds.
fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// So many inputs, the same on every run.
fn fixed(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        rng_seed: RngSeed::Fixed(29),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// Settings with this parallelism.
fn parallel(parallelism: usize) -> Settings {
    Settings {
        parallelism,
        ..Settings::new(Clock::start())
    }
}

/// Runs a job to its end.
async fn run(job: &Job, settings: Settings) -> Result<Summary, Error> {
    let (_handle, requests) = Handle::new();
    job.run(settings, requests).await
}
