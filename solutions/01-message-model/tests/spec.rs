//! Holds the solution to the spec.

use message_model_solution as part;

#[path = "../../../exercises/01-message-model/spec/mod.rs"]
mod spec;
