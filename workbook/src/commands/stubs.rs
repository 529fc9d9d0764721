//! `stubs [N] [--force]`: makes `exercises/NN/src` from `solutions/NN/src`.

use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::{Context, Result, bail, ensure};

use crate::chapter::{Chapter, Workspace};
use crate::git;
use crate::holes;
use crate::tree::{self, Files};

/// Writes the stubs of `chapters`; returns how many, a line for each. Leaves a
/// file alone that differs from git, unless `force`: it may be a learner's work.
///
/// # Errors
/// When a file was left alone, or a solution's holes are not in order.
pub fn run(workspace: &Workspace, chapters: &[Chapter], force: bool) -> Result<String> {
    let (mut said, mut kept) = (Vec::new(), Vec::new());
    for chapter in chapters {
        let Outcome { written, left } = write(workspace, chapter, force)?;
        said.push(format!("{}  {written} files written", chapter.folder));
        kept.extend(left);
    }
    if kept.is_empty() {
        return Ok(said.join("\n"));
    }
    let kept: Vec<_> = kept.iter().map(|path| path.display().to_string()).collect();
    bail!(
        "left alone, because these files differ from git and may be your work:\n  {}\n\
         `--force` overwrites them",
        kept.join("\n  ")
    );
}

struct Outcome {
    written: usize,
    left: Vec<PathBuf>,
}

fn write(workspace: &Workspace, chapter: &Chapter, force: bool) -> Result<Outcome> {
    let stubs = stubs_of(workspace, chapter, &BTreeSet::new())?;
    let source = chapter.exercise().join("src");
    let present = tree::read(&workspace.path(&source))?;
    let may_change = |file: &PathBuf| {
        force || !workspace.path(file).exists() || git::is_committed(&workspace.root, file)
    };
    let mut outcome = Outcome {
        written: 0,
        left: Vec::new(),
    };
    for (name, text) in &stubs {
        let file = source.join(name);
        if present.get(name) == Some(text) {
            continue;
        }
        if may_change(&file) {
            tree::write_if_changed(&workspace.path(&file), text.as_bytes())?;
            outcome.written += 1;
        } else {
            outcome.left.push(file);
        }
    }
    for name in present.keys().filter(|name| !stubs.contains_key(*name)) {
        let file = source.join(name);
        if may_change(&file) {
            std::fs::remove_file(workspace.path(&file))?;
        } else {
            outcome.left.push(file);
        }
    }
    Ok(outcome)
}

/// The files of a chapter's stub, in which the tasks of `filled` are solved.
///
/// # Errors
/// When a hole belongs to another chapter, or the comments do not pair up.
pub fn stubs_of(
    workspace: &Workspace,
    chapter: &Chapter,
    filled: &BTreeSet<holes::TaskId>,
) -> Result<Files> {
    let folder = chapter.solution().join("src");
    let mut files = tree::read(&workspace.path(&folder))?;
    for (name, text) in &mut files {
        let file = folder.join(name);
        let found = holes::holes(text).with_context(|| file.display().to_string())?;
        for hole in found {
            ensure!(
                hole.task.chapter == chapter.short_number(),
                "{}:{}: task {} is in chapter {}",
                file.display(),
                hole.line,
                hole.task,
                chapter.short_number()
            );
        }
        *text = holes::stub(text, filled)?;
    }
    Ok(files)
}
