//! What the coordinator and the producers of a partition promise, on a simulated disk.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod asking;
mod crashes;
mod expiry;
mod failing_disk;
mod left_out;
mod limits;
mod offsets;
mod operators;
mod pieces;
mod producers;
mod records;
mod restarts;
mod room;
mod stalls;
mod support;
mod traces;
mod transactions;
