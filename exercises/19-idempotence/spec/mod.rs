//! What the part of chapter 19 must do.

use super::part;

mod batches;
mod task_1;
mod task_2;
mod task_3;
