//! The client's call path.

mod model;
mod open;

use super::part;

// The modules are in the order in which a learner sees their cases.

mod replies;

mod ids;

mod places;

mod deadlines;

mod timers;

mod streams;

mod ends;

mod histories;
