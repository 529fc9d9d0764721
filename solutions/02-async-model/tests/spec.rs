//! Holds the solution to the spec.

use async_model_solution as part;

#[path = "../../../exercises/02-async-model/spec/mod.rs"]
mod spec;
