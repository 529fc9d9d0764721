//! All producers of a partition, across restarts.

mod model;
mod open;
mod steps;
mod world;

use super::part;

// The modules are in the order in which a learner sees their cases.

mod noting;

mod forgetting;

mod bytes;

mod hostile;

mod histories;

mod restarts;
