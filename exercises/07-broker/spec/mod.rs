//! What the part of chapter 07 must do.

use super::part;

mod task_1;
mod task_2;
