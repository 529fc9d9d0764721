//! What is left to a learner who is stuck.

use crate::chapter::Chapter;
use crate::holes::TaskId;

/// The last steps of the ladder, behind the message and the hints.
pub(super) fn last_steps(chapter: &Chapter, task: &TaskId) -> [String; 3] {
    let page = chapter.page();
    [
        format!(
            "read the task's invariants, and its worked example if there is one, in {}",
            page.display()
        ),
        format!("cargo workbook diff {task}     compare your text with the solution's"),
        format!("cargo workbook solve {task}    put the solution in for now, and go on"),
    ]
}
