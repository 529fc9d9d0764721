//! Holds the solution to the spec.

use producer_solution as part;

#[path = "../../../exercises/14-producer/spec/mod.rs"]
mod spec;
