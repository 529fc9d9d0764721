//! The chapter's table against its laws, and its inbox on SQLite.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod hostile;
mod laws;
mod sqlite;
mod three_ways;
mod traces;
