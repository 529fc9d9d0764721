//! Holds the solution to the spec.

use log_storage_solution as part;

#[path = "../../../exercises/06-log-storage/spec/mod.rs"]
mod spec;
