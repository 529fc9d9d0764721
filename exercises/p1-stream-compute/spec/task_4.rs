//! The windows of many keys.

mod counted;
mod model;
mod world;

use super::part;
use super::shown;

// The modules are in the order in which a learner sees their cases.

mod rows;

mod lateness;

mod restored;

mod sessions;

mod withdrawn;

mod ends_of_time;

mod work;

mod kept;

mod histories;
