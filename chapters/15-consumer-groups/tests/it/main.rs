//! What the coordinator promises, through its handlers, on a simulated disk.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod admin;
mod commits;
mod formats;
mod limits;
mod pending;
mod rebalance;
mod storage;
mod support;
mod traces;
