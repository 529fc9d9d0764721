//! How far the learner is: the holes still open, and the last verdicts. Builds nothing.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::Result;

use crate::chapter::{Chapter, Workspace};
use crate::holes::{self, Hole, TaskId};
use crate::tasks::{self, Task};
use crate::tree::{self, Files};
use crate::verdict::Checked;

/// How far a task is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// A hole of it is still open.
    Open,
    /// Something is written, and not checked as it is now.
    Written,
    /// Checked as it is now: a case fails.
    Red,
    /// Checked as it is now: every case passes.
    Green,
}

/// How far a chapter is.
#[derive(Debug, Clone)]
pub struct Progress {
    /// Which.
    pub chapter: Chapter,
    /// Its tasks, in their order.
    pub tasks: Vec<(Task, State)>,
    /// The verdicts on the part as it is now, if it was checked.
    pub checked: Option<Checked>,
    is_begun: bool,
}

impl Progress {
    /// Reads the part and the verdicts that were kept.
    ///
    /// # Errors
    /// When one cannot be read.
    pub fn of(workspace: &Workspace, chapter: &Chapter) -> Result<Progress> {
        let checked = Checked::load(workspace, chapter)?;
        Progress::with(workspace, chapter, checked)
    }

    /// The page that teaches a task.
    #[must_use]
    pub fn page_of(&self, id: &TaskId) -> PathBuf {
        let task = self.tasks.iter().find(|(task, _)| task.id == *id);
        task.map_or_else(|| self.chapter.page(), |(task, _)| task.page.clone())
    }

    /// Reads the part; takes these verdicts.
    ///
    /// # Errors
    /// When the part cannot be read.
    pub fn with(
        workspace: &Workspace,
        chapter: &Chapter,
        checked: Option<Checked>,
    ) -> Result<Progress> {
        let source = tree::read(&workspace.path(chapter.exercise().join("src")))?;
        let state = |task: &Task| {
            if open_holes(&source, &task.id).0 > 0 {
                return State::Open;
            }
            let verdict = checked
                .as_ref()
                .and_then(|checked| checked.task_is_green(task.id.number));
            match verdict {
                Some(true) => State::Green,
                Some(false) => State::Red,
                None => State::Written,
            }
        };
        let tasks = tasks::tasks(workspace, chapter)?;
        let is_begun = tasks.iter().any(|task| {
            let (open, all) = open_holes(&source, &task.id);
            open < all
        });
        Ok(Progress {
            is_begun,
            chapter: chapter.clone(),
            tasks: tasks
                .into_iter()
                .map(|task| {
                    let state = state(&task);
                    (task, state)
                })
                .collect(),
            checked,
        })
    }

    /// Whether the learner has written something, be it one hole of several.
    #[must_use]
    pub fn is_begun(&self) -> bool {
        self.is_begun
    }

    /// Whether every task is green.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.checked.as_ref().is_some_and(Checked::is_green)
    }

    /// The first task that is still a hole.
    #[must_use]
    pub fn first_open(&self) -> Option<&Task> {
        let mut tasks = self.tasks.iter();
        let found = tasks.find(|(_, state)| *state == State::Open);
        found.map(|(task, _)| task)
    }

    /// The first task that is not green.
    #[must_use]
    pub fn next_task(&self) -> Option<&(Task, State)> {
        self.tasks.iter().find(|(_, state)| *state != State::Green)
    }
}

/// The holes of a task in a part whose text a learner may have changed at will, each
/// with its file. Files whose comments do not pair up have none.
#[must_use]
pub fn holes_of<'a>(source: &'a Files, task: &TaskId) -> Vec<(&'a Path, Hole)> {
    let in_file = |(name, text): (&'a PathBuf, &'a String)| {
        let found = holes::holes(text).unwrap_or_default();
        let of_task = found.into_iter().filter(|hole| hole.task == *task);
        of_task.map(|hole| (name.as_path(), hole))
    };
    source.iter().flat_map(in_file).collect()
}

/// How many holes of a task are still open, and how many there are.
fn open_holes(source: &Files, task: &TaskId) -> (usize, usize) {
    let found = holes_of(source, task);
    if found.is_empty() {
        let literal = format!("\"{task}: ");
        let mut texts = source.values();
        let is_open = texts.any(|text| text.contains("todo!(") && text.contains(&literal));
        return (usize::from(is_open), 1);
    }
    let is_open = |(name, hole): &&(&Path, Hole)| holes::is_open(hole.body_of(&source[*name]));
    (found.iter().filter(is_open).count(), found.len())
}

/// The chapter that the learner is at: the one begun and not done that was
/// edited last, else the first that is not done. `None` when all are done.
///
/// # Errors
/// When a part cannot be read.
pub fn current(workspace: &Workspace) -> Result<Option<Progress>> {
    let mut open = Vec::new();
    for chapter in workspace.chapters()? {
        let progress = Progress::of(workspace, &chapter)?;
        if !progress.is_done() && !progress.tasks.is_empty() {
            open.push(progress);
        }
    }
    let begun = open.iter().filter(|progress| progress.is_begun());
    let last = begun.max_by_key(|progress| edited(workspace, &progress.chapter));
    Ok(last.or(open.first()).cloned())
}

fn edited(workspace: &Workspace, chapter: &Chapter) -> Option<SystemTime> {
    let folder = workspace.path(chapter.exercise().join("src"));
    let names = tree::read(&folder).ok()?.into_keys();
    let times = names.filter_map(|name| std::fs::metadata(folder.join(name)).ok()?.modified().ok());
    times.max()
}
