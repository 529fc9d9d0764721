//! `reset N.K` and `solve N.K`: change one hole, and keep a copy.

use anyhow::Result;

use crate::chapter::{Chapter, Workspace};
use crate::holes::TaskId;
use crate::part_file::{PartFile, shown};

/// Gives the hole back; returns what to say about it.
///
/// # Errors
/// When the hole cannot be found, or a file not be written.
pub fn reset(workspace: &Workspace, chapter: &Chapter, task: &TaskId) -> Result<String> {
    let part = PartFile::find(workspace, chapter, task)?;
    if part.body() == part.stub {
        return Ok(format!("{task} is an untouched hole: nothing to do"));
    }
    let kept = part.replace(workspace, &part.stub)?;
    Ok(format!(
        "{task} is a hole again, in {}\nwhat you had is in {}",
        part.path.display(),
        shown(workspace, &kept)
    ))
}

/// Puts the solution's text into the hole; returns what to say about it.
///
/// # Errors
/// When the hole cannot be found, or a file not be written.
pub fn solve(workspace: &Workspace, chapter: &Chapter, task: &TaskId) -> Result<String> {
    let part = PartFile::find(workspace, chapter, task)?;
    if part.body() == part.solved {
        return Ok(format!("{task} has the solution's text: nothing to do"));
    }
    let kept = part.replace(workspace, &part.solved)?;
    Ok(format!(
        "{task} has the solution's text now, in {}\nwhat you had is in {}\n\
         `cargo workbook reset {task}` gives you the hole back, for another evening",
        part.path.display(),
        shown(workspace, &kept)
    ))
}
