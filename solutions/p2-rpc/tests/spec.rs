//! Holds the solution to the spec.

use rpc_solution as part;

#[path = "../../../exercises/p2-rpc/spec/mod.rs"]
mod spec;
