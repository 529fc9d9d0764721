//! What is left to a learner who is stuck.

use std::path::Path;

use crate::holes::TaskId;

/// The last steps of the ladder, behind the message and the hints.
pub(super) fn last_steps(page: &Path, task: &TaskId) -> [String; 3] {
    [
        format!(
            "read the task's invariants, and its worked example if there is one, in {}",
            page.display()
        ),
        format!("cargo workbook diff {task}     compare your text with the solution's"),
        format!("cargo workbook solve {task}    put the solution in for now, and go on"),
    ]
}
