//! Holds the solution to the spec.

use stream_compute_solution as part;

#[path = "../../../exercises/p1-stream-compute/spec/mod.rs"]
mod spec;
