//! What the simulation promises about itself, and a sample of its seeds.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bugs;
mod same_run;
mod sample;
