//! What the part of chapter 17 must do.

use super::part;

mod task_1;
mod task_2;
mod task_3;
mod task_4;
mod world;
