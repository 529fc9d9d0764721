//! What the part of chapter 06 must do.

use super::part;

mod task_1;
