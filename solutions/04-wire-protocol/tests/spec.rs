//! Holds the solution to the spec.

use wire_protocol_solution as part;

#[path = "../../../exercises/04-wire-protocol/spec/mod.rs"]
mod spec;
