//! What the spec does not ask of a part: the bytes of messages, which are given, and what a call
//! costs.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod call_path;
mod message;
