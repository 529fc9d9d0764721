//! Holds the solution to the spec.

use client_solution as part;

#[path = "../../../exercises/13-client/spec/mod.rs"]
mod spec;
