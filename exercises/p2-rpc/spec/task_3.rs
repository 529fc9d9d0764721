//! The load balancer.

mod model;
mod world;

use super::part;

// The modules are in the order in which a learner sees their cases.

mod turns;

mod ejection;

mod probes;

mod servers;

mod keys;

mod histories;
