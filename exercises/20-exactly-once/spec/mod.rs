//! What the part of chapter 20 must do.

use super::part;

mod task_1;
mod task_2;
mod task_3;
