//! Holds your part to the spec.

use consumer_exercise as part;

#[path = "../spec/mod.rs"]
mod spec;
