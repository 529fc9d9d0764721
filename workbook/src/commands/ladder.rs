//! What is left to a learner who is stuck.

use crate::chapter::Chapter;
use crate::holes::TaskId;

/// The last steps of the ladder, behind the message and the hints.
pub(super) fn last_steps(chapter: &Chapter, task: &TaskId) -> [String; 3] {
    let page = chapter.page();
    [
        format!(
            "the invariants, and any worked example, in {}",
            page.display()
        ),
        format!("cargo workbook diff {task}     yours against the solution's"),
        format!("cargo workbook solve {task}    take the solution for now, and go on"),
    ]
}
