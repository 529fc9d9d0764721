//! What the part of the RPC case study must do.

use super::part;

mod task_1;
mod task_2;
mod task_3;
mod task_4;
