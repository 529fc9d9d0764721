//! What the part of chapter 13 must do.

use super::part;

mod histories;
mod task_1;
mod task_2;
mod task_3;
mod task_4;

use std::time::Duration;

use message_model::Moment;

/// The moment `millis` after the start.
fn at(millis: u64) -> Moment {
    Moment::after_start(Duration::from_millis(millis))
}
