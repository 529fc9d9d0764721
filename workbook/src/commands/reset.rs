//! `reset N.K` and `solve N.K`: change the holes of one task, and keep a copy.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::chapter::{Chapter, Workspace};
use crate::holes::TaskId;
use crate::task_holes::{TaskHoles, shown};

/// Gives the holes back; returns what to say about it.
///
/// # Errors
/// When a hole cannot be found, or a file not be written.
pub fn reset(workspace: &Workspace, chapter: &Chapter, task: &TaskId) -> Result<String> {
    let holes = TaskHoles::find(workspace, chapter, task)?;
    if holes.have(|hole| &hole.stub) {
        return Ok(format!(
            "{task} is an untouched hole already: nothing to do"
        ));
    }
    let kept = holes.replace(workspace, |hole| &hole.stub)?;
    let paths = list(holes.paths());
    Ok(format!("{task} is a hole again, in {paths}") + &said_kept(workspace, &kept))
}

/// Puts the solution's text into the holes; returns what to say about it.
///
/// # Errors
/// When a hole cannot be found, or a file not be written.
pub fn solve(workspace: &Workspace, chapter: &Chapter, task: &TaskId) -> Result<String> {
    let holes = TaskHoles::find(workspace, chapter, task)?;
    if holes.have(|hole| &hole.solved) {
        return Ok(format!(
            "{task} has the solution's text already: nothing to do"
        ));
    }
    let kept = holes.replace(workspace, |hole| &hole.solved)?;
    let mut text = format!(
        "{task} has the solution's text now, in {}",
        list(holes.paths())
    );
    text += &said_kept(workspace, &kept);
    let _ = write!(
        text,
        "\n`cargo workbook reset {task}` gives you the hole back, for another evening"
    );
    Ok(text)
}

fn said_kept(workspace: &Workspace, kept: &[PathBuf]) -> String {
    let lines = kept
        .iter()
        .map(|path| format!("\na copy of your file is in {}", shown(workspace, path)));
    lines.collect()
}

fn list<'a>(paths: impl Iterator<Item = &'a Path>) -> String {
    let paths: Vec<_> = paths.map(|path| path.display().to_string()).collect();
    paths.join(", ")
}
