//! Holds the solution to the spec.

use networking_solution as part;

#[path = "../../../exercises/03-networking/spec/mod.rs"]
mod spec;
