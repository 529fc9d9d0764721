//! What the part of chapter 18 must do.

use super::part;

mod numbers;
mod task_1;
mod task_2;
mod task_3;
mod task_4;
