//! Holds the solution to the spec.

use broker_solution as part;

#[path = "../../../exercises/07-broker/spec/mod.rs"]
mod spec;
