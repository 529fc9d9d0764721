//! Holds the solution to the spec.

use record_batch_solution as part;

#[path = "../../../exercises/05-record-batch/spec/mod.rs"]
mod spec;
