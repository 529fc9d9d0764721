//! Tests of the framework through its public API. Time is paused wherever it matters.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod calls;
mod faults;
mod fixture;
mod hostile;
mod limits;
mod peer;
mod server;
mod streams;
mod traces;
mod transports;
mod writes;
