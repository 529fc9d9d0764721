//! Holds the solution to the spec.

use exactly_once_solution as part;

#[path = "../../../exercises/20-exactly-once/spec/mod.rs"]
mod spec;
