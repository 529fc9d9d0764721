//! The client against a broker that follows a script, over real loopback sockets.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod address;
mod calls;
mod records;
mod routes;
mod scripted;
mod traces;

use std::time::Duration;

/// How long anything may take; nothing here does unless it is broken.
const LIMIT: Duration = Duration::from_secs(20);
