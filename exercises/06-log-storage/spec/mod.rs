//! What the part of chapter 06 must do.

use super::part;

mod log_calls;
mod log_crashes;
mod log_faults;
mod log_opens;
mod log_orders;
mod machine;
mod segment;
mod task_1;
mod task_2;
mod task_3;
mod task_4;
