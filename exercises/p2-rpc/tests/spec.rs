//! Holds the learner's part to the spec.

use rpc_exercise as part;

#[path = "../spec/mod.rs"]
mod spec;
