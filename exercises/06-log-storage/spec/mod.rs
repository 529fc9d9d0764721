//! What the part of chapter 06 must do.

use super::part;

mod segment;
mod task_1;
mod task_2;
mod task_3;
