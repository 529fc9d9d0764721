//! What the part of chapter 07 must do.

use super::part;

mod counting;
mod task_1;
mod task_2;
mod task_3;
