//! The learner's file with a task's hole in it: read, compare, change with a copy kept.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::chapter::{Chapter, Workspace};
use crate::holes::{self, Hole, TaskId};
use crate::progress::find_hole;
use crate::tree::{self, Files};

/// A task's hole, as the learner has it and as the solution has it.
#[derive(Debug)]
pub struct PartFile {
    /// In the workspace, such as `exercises/06-log-storage/src/offset_index.rs`.
    pub path: PathBuf,
    /// The learner's text of that file.
    pub text: String,
    /// The hole in it.
    pub hole: Hole,
    /// The solution's body.
    pub solved: String,
    /// The untouched stub's body.
    pub stub: String,
}

impl PartFile {
    /// Finds it.
    ///
    /// # Errors
    /// When there is no such task, or the learner's text has lost the two
    /// comments around the hole; says what to do.
    pub fn find(workspace: &Workspace, chapter: &Chapter, task: &TaskId) -> Result<PartFile> {
        let solutions = tree::read(&workspace.path(chapter.solution().join("src")))?;
        let (solution_name, solution_hole) = find_hole(&solutions, task)
            .with_context(|| format!("chapter {} has no task {task}", chapter.folder))?;
        let source = chapter.exercise().join("src");
        let learners = tree::read(&workspace.path(&source))?;
        let (name, hole) = find_hole(&learners, task).with_context(|| {
            let file = source.join(solution_name);
            lost_comments(&file, &solution_hole, &learners, solution_name)
        })?;
        Ok(PartFile {
            path: source.join(name),
            text: learners[name].clone(),
            hole,
            solved: solution_hole.body_of(&solutions[solution_name]).to_owned(),
            stub: solution_hole.stub(),
        })
    }

    /// What the learner wrote.
    #[must_use]
    pub fn body(&self) -> &str {
        self.hole.body_of(&self.text)
    }

    /// Puts `body` into the hole; says where the copy of the file is that was kept.
    ///
    /// # Errors
    /// When a file cannot be written. The learner's file is not changed then.
    pub fn replace(&self, workspace: &Workspace, body: &str) -> Result<PathBuf> {
        let kept = keep(workspace, &self.path, &self.text)?;
        let text = holes::with_body(&self.text, &self.hole.task, body)?
            .context("the hole was found before")?;
        tree::write_if_changed(&workspace.path(&self.path), text.as_bytes())?;
        Ok(kept)
    }
}

fn lost_comments(file: &Path, hole: &Hole, learners: &Files, name: &Path) -> String {
    let problem = learners
        .get(name)
        .and_then(|text| holes::holes(text).err())
        .map(|error| format!(" ({error})"))
        .unwrap_or_default();
    format!(
        "{} has lost the comments around task {}{problem}\n\
         put `// task {}: {}` and `// end` back, each on a line of its own, around what is yours",
        file.display(),
        hole.task,
        hole.task,
        hole.title
    )
}

/// Copies the text to the first free name in `target/workbook/kept`.
fn keep(workspace: &Workspace, file: &Path, text: &str) -> Result<PathBuf> {
    let folder = workspace.target().join("kept");
    let in_exercises = file.strip_prefix("exercises").unwrap_or(file);
    for count in 1.. {
        let path = folder
            .join(in_exercises)
            .with_extension(format!("{count}.rs"));
        if !path.exists() {
            tree::write_if_changed(&path, text.as_bytes())?;
            return Ok(path);
        }
        if fs::read_to_string(&path).is_ok_and(|kept| kept == text) {
            return Ok(path);
        }
    }
    unreachable!("some count is free")
}

/// Says a path of the workspace as the learner would type it.
#[must_use]
pub fn shown(workspace: &Workspace, path: &Path) -> String {
    let relative = path.strip_prefix(&workspace.root).unwrap_or(path);
    relative.display().to_string()
}
