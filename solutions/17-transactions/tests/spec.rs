//! Holds the solution to the spec.

use transactions_solution as part;

#[path = "../../../exercises/17-transactions/spec/mod.rs"]
mod spec;
