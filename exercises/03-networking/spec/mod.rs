//! What the part of chapter 03 must do.

use super::part;

mod connection;
mod expected;
mod histories;
mod play;
mod scene;
mod task_1;
mod task_2;
mod task_3;
mod task_4;
