//! Holds the solution to the spec.

use idempotence_solution as part;

#[path = "../../../exercises/19-idempotence/spec/mod.rs"]
mod spec;
