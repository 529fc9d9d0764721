//! Holds the solution to the spec.

use ordering_solution as part;

#[path = "../../../exercises/18-ordering/spec/mod.rs"]
mod spec;
