//! Holds the solution to the spec.

use consumer_solution as part;

#[path = "../../../exercises/16-consumer/spec/mod.rs"]
mod spec;
