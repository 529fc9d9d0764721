//! Holds your part to the spec.

use broker_exercise as part;

#[path = "../spec/mod.rs"]
mod spec;
