//! A task's holes in the learner's part: read, compare, change with a copy kept.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};

use crate::chapter::{Chapter, Workspace};
use crate::holes::{self, Hole, TaskId};
use crate::progress::holes_of;
use crate::tree::{self, Files};

/// The holes of a task, in the order of the files and of their text.
#[derive(Debug)]
pub struct TaskHoles {
    /// At least one.
    pub holes: Vec<TaskHole>,
    /// The learner's text of the files that have them, by path in the workspace.
    files: BTreeMap<PathBuf, String>,
}

/// One hole, as the learner has it and as the solution has it.
#[derive(Debug)]
pub struct TaskHole {
    /// The learner's file, such as `exercises/06-log-storage/src/offset_index.rs`.
    pub path: PathBuf,
    /// What this hole is for, in one line.
    pub title: String,
    /// What the learner wrote.
    pub body: String,
    /// The solution's body.
    pub solved: String,
    /// The untouched stub's body.
    pub stub: String,
    hole: Hole,
}

impl TaskHoles {
    /// Returns the holes of `task`.
    ///
    /// # Errors
    /// When there is no such task, or the learner's text has lost the two
    /// comments around a hole; says what to do.
    pub fn find(workspace: &Workspace, chapter: &Chapter, task: &TaskId) -> Result<TaskHoles> {
        let solutions = tree::read(&workspace.path(chapter.solution().join("src")))?;
        let solved = holes_of(&solutions, task);
        ensure!(
            !solved.is_empty(),
            "chapter {} has no task {task}",
            chapter.folder
        );
        let source = chapter.exercise().join("src");
        let learners = tree::read(&workspace.path(&source))?;
        let present = holes_of(&learners, task);
        ensure!(
            present.len() == solved.len(),
            lost_comments(&source, &solved, &present, &learners)
        );
        let mut files = BTreeMap::new();
        let pairs = solved.iter().zip(present);
        let holes = pairs.map(|((solution_name, solution), (name, hole))| {
            let path = source.join(name);
            files.insert(path.clone(), learners[name].clone());
            TaskHole {
                path,
                title: solution.title.clone(),
                body: hole.body_of(&learners[name]).to_owned(),
                solved: solution.body_of(&solutions[*solution_name]).to_owned(),
                stub: solution.stub(),
                hole,
            }
        });
        Ok(TaskHoles {
            holes: holes.collect(),
            files,
        })
    }

    /// Whether every hole has the body that `wanted` returns for it.
    #[must_use]
    pub fn have(&self, wanted: impl Fn(&TaskHole) -> &String) -> bool {
        self.holes.iter().all(|hole| hole.body == *wanted(hole))
    }

    /// Puts the body that `wanted` returns into each hole; returns where the copies
    /// of the files are that were kept.
    ///
    /// # Errors
    /// When a file cannot be written. Nothing is changed before every copy is kept.
    pub fn replace(
        &self,
        workspace: &Workspace,
        wanted: impl Fn(&TaskHole) -> &String,
    ) -> Result<Vec<PathBuf>> {
        let copies = self
            .files
            .iter()
            .map(|(path, text)| keep(workspace, path, text));
        let copies = copies.collect::<Result<_>>()?;
        let mut files = self.files.clone();
        // From the last hole to the first: what is in front of a hole stays in place.
        for hole in self.holes.iter().rev() {
            if let Some(text) = files.get_mut(&hole.path) {
                text.replace_range(hole.hole.body.clone(), wanted(hole));
            }
        }
        for (path, text) in files {
            tree::write_if_changed(&workspace.path(path), text.as_bytes())?;
        }
        Ok(copies)
    }

    /// The learner's files that have the holes.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.files.keys().map(PathBuf::as_path)
    }
}

/// The files of the learner's part, in which the solution's text fills the holes of
/// `tasks`.
///
/// # Errors
/// When a hole cannot be found.
pub fn filled(workspace: &Workspace, chapter: &Chapter, tasks: &[TaskId]) -> Result<Files> {
    let source = chapter.exercise().join("src");
    let mut files = tree::read(&workspace.path(&source))?;
    let mut holes = Vec::new();
    for task in tasks {
        holes.extend(TaskHoles::find(workspace, chapter, task)?.holes);
    }
    // From the last to the first: what is in front of a hole stays in place.
    holes.sort_by_key(|hole| std::cmp::Reverse(hole.hole.line));
    for hole in holes {
        let name = hole.path.strip_prefix(&source).unwrap_or(&hole.path);
        if let Some(text) = files.get_mut(name) {
            text.replace_range(hole.hole.body.clone(), &hole.solved);
        }
    }
    Ok(files)
}

type Found<'a> = (&'a Path, Hole);

fn lost_comments(
    source: &Path,
    solved: &[Found<'_>],
    present: &[Found<'_>],
    learners: &Files,
) -> String {
    let count = |found: &[Found<'_>], name: &Path| found.iter().filter(|(n, _)| *n == name).count();
    // The first file that has not as many as the solution; moved holes are not looked for.
    let mut names = solved.iter().map(|(name, _)| *name);
    let lost = names.find(|name| count(solved, name) != count(present, name));
    let name = lost.unwrap_or(solved[0].0);
    let wanted: Vec<_> = solved.iter().filter(|(n, _)| *n == name).collect();
    let there: Vec<_> = present.iter().filter(|(n, _)| *n == name).collect();
    let is_there = |hole: &Hole| there.iter().any(|(_, other)| other.title == hole.title);
    let missing = wanted.iter().find(|(_, hole)| !is_there(hole));
    let (_, hole) = missing.unwrap_or(&wanted[0]);
    let problem = learners
        .get(name)
        .and_then(|text| holes::holes(text).err())
        .map(|error| format!(" ({error})"))
        .unwrap_or_default();
    let holes = match wanted.len() {
        1 => String::new(),
        count => format!(", which has {count} holes in this file"),
    };
    format!(
        "{} has lost the comments around task {}{holes}{problem}\n\
         put `// task {}: {}` and `// end` back, each on a line of its own, around what is yours",
        source.join(name).display(),
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
