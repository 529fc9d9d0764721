//! The broker through its public API: over a simulated disk, and over real sockets.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod admin;
mod background_stalls;
mod bad_batches;
mod client;
mod connection;
mod crash;
mod create_topics;
mod duplicates;
mod durability;
mod fetch;
mod limits;
mod long_poll;
mod open_files;
mod partition;
mod produce;
mod stalls;
mod support;
mod topic_stalls;
mod topics;
mod traces;
mod waits;
