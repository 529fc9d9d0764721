//! Holds the solution to the spec.

use consumer_groups_solution as part;

#[path = "../../../exercises/15-consumer-groups/spec/mod.rs"]
mod spec;
