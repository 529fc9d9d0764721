//! `reset N.K` and `solve N.K`: change one hole, and keep a copy.

use anyhow::Result;

use crate::chapter::{Chapter, Workspace};
use crate::holes::TaskId;
use crate::part_file::{PartFile, shown};

/// Gives the hole back.
///
/// # Errors
/// When the hole cannot be found, or a file not be written.
pub fn reset(workspace: &Workspace, chapter: &Chapter, task: &TaskId) -> Result<()> {
    let part = PartFile::find(workspace, chapter, task)?;
    if part.body() == part.stub {
        println!("{task} is an untouched hole: nothing to do");
        return Ok(());
    }
    let kept = part.replace(workspace, &part.stub)?;
    println!("{task} is a hole again, in {}", part.path.display());
    println!("what you had is in {}", shown(workspace, &kept));
    Ok(())
}

/// Puts the solution's text into the hole.
///
/// # Errors
/// When the hole cannot be found, or a file not be written.
pub fn solve(workspace: &Workspace, chapter: &Chapter, task: &TaskId) -> Result<()> {
    let part = PartFile::find(workspace, chapter, task)?;
    if part.body() == part.solved {
        println!("{task} has the solution's text: nothing to do");
        return Ok(());
    }
    let kept = part.replace(workspace, &part.solved)?;
    println!(
        "{task} has the solution's text now, in {}",
        part.path.display()
    );
    println!("what you had is in {}", shown(workspace, &kept));
    println!("`cargo workbook reset {task}` gives you the hole back, for another evening");
    Ok(())
}
