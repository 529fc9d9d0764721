//! The broker through its public API: over a simulated disk, and over real sockets.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod admin;
mod client;
mod connection;
mod crash;
mod fetch;
mod hostile;
mod long_poll;
mod partition;
mod produce;
mod purgatory;
mod support;
mod topics;
