//! What the part of chapter 16 must do.

use super::part;

mod coordinator;
mod history;
mod members;
mod script;
mod task_1;
mod task_2;
mod task_3;
mod task_4;
mod task_5;
mod world;
