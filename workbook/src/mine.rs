//! `--mine`: which of the learner's tasks the queue runs on.
//!
//! A part of which some tasks are done is built from a copy, in which the solution's
//! text fills the others. The learner's files are not changed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use toml::{Table, Value};

use crate::cargo::{Cargo, Talk};
use crate::chapter::{Chapter, Workspace};
use crate::commands::check;
use crate::commands::stubs::stubs_of;
use crate::holes::TaskId;
use crate::mirror::{Changes, Mirror};
use crate::progress::{Progress, State};
use crate::say;
use crate::spec;
use crate::task_holes;
use crate::tree::{self, Files};

/// The chapter that is the queue.
const QUEUE: &str = "chapters/25-the-queue";

/// Which of what a learner wrote is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Take {
    /// The tasks that are green.
    Green,
    /// Every task that is written, red ones too.
    Written,
}

/// Which tasks are the learner's, and why the others are not.
#[derive(Debug, Default)]
pub struct Mine {
    /// The queue runs on at least one task of these.
    pub yours: Vec<Yours>,
    /// The solution is used for these; why.
    pub solution: Vec<(Chapter, String)>,
}

/// A part with something of the learner's.
#[derive(Debug)]
pub struct Yours {
    /// Whose part.
    pub chapter: Chapter,
    /// The tasks that are the learner's.
    pub tasks: Vec<TaskId>,
    /// The tasks that the solution's text fills; none if the part is the learner's as it is.
    pub filled: Vec<TaskId>,
    /// The part's files, with these tasks filled.
    pub files: Files,
}

impl Mine {
    /// Looks at every part that is begun, and checks those that were not checked as they
    /// are now.
    ///
    /// # Errors
    /// When a part cannot be read.
    pub fn find(workspace: &Workspace, take: Take) -> Result<Mine> {
        let mut mine = Mine::default();
        for chapter in workspace.chapters()? {
            if !swaps(workspace, &chapter) {
                continue;
            }
            match yours(workspace, &chapter, take)? {
                Ok(yours) => mine.yours.push(yours),
                Err(why) => mine.solution.push((chapter, why)),
            }
        }
        Ok(mine)
    }

    /// Makes the copy if a part needs it, and returns where to build. A part that is not
    /// right together with the solution's text goes to the solutions.
    ///
    /// # Errors
    /// When a file cannot be written, or cargo not be run.
    pub fn cargo(&mut self, workspace: &Workspace, take: Take) -> Result<Cargo> {
        let original = Cargo::new(&workspace.root);
        let is_whole = |yours: &Yours| yours.filled.is_empty();
        if self.yours.iter().all(is_whole) {
            return Ok(original);
        }
        let files: BTreeMap<_, _> = self
            .yours
            .iter()
            .map(|yours| (&yours.chapter.folder, &yours.files))
            .collect();
        let changes = Changes {
            part: &|chapter| match files.get(&chapter.folder) {
                Some(files) => Ok((*files).clone()),
                None => stubs_of(workspace, chapter, &[].into()),
            },
            edited: &|name, bytes| Ok(with_version(name, bytes)),
        };
        let mirror = Mirror::new(workspace, "target/workbook/mine", &changes)?;
        let target = std::env::var_os("CARGO_TARGET_DIR")
            .map_or_else(|| workspace.path("target"), PathBuf::from);
        let cargo = Cargo::new(&mirror.workspace().root).with("CARGO_TARGET_DIR", target);
        for yours in std::mem::take(&mut self.yours) {
            let problem = match take {
                Take::Green if !is_whole(&yours) => problem(&cargo, &mirror, &yours.chapter)?,
                _ => None,
            };
            match problem {
                None => self.yours.push(yours),
                Some(why) => self.solution.push((yours.chapter, why)),
            }
        }
        Ok(cargo)
    }

    /// For cargo: `log-storage/mine,broker/mine`.
    #[must_use]
    pub fn features(&self) -> String {
        let names = self
            .yours
            .iter()
            .map(|yours| format!("{}/mine", yours.chapter.name()));
        names.collect::<Vec<_>>().join(",")
    }

    /// Says which are whose.
    pub fn say(&self) {
        if self.yours.is_empty() {
            say!("none of your tasks is green yet; the queue runs on the solutions:");
        } else {
            say!("the queue runs on your text of:");
            for yours in &self.yours {
                let mut tasks = list(&yours.tasks);
                if !yours.filled.is_empty() {
                    tasks += &format!(" (the solution's: {})", list(&yours.filled));
                }
                say!("  {:<20}  {tasks}", yours.chapter.folder);
            }
            if !self.solution.is_empty() {
                say!("and on the solution of:");
            }
        }
        for (chapter, why) in &self.solution {
            say!("  {:<20}  {why}", chapter.folder);
        }
    }
}

/// Gives the packages of the copy another version. Cargo tells packages of two workspaces
/// apart by nothing else, and the copy is built into the target folder of the original,
/// where the third-party code is.
fn with_version(name: &Path, bytes: Vec<u8>) -> Vec<u8> {
    let Ok(text) = std::str::from_utf8(&bytes) else {
        return bytes;
    };
    let mut lines = text.lines();
    let version = lines.find(|line| line.starts_with("version = "));
    match version {
        Some(line) if name == Path::new("Cargo.toml") => {
            let sign = if line.contains('+') { '.' } else { '+' };
            let other = format!("{}{sign}mine\"", line.trim_end_matches('"'));
            text.replacen(line, &other, 1).into_bytes()
        }
        _ => bytes,
    }
}

fn list(tasks: &[TaskId]) -> String {
    let tasks: Vec<_> = tasks.iter().map(TaskId::to_string).collect();
    tasks.join(", ")
}

/// Whether the queue is built on the chapter's part.
pub(crate) fn swaps(workspace: &Workspace, chapter: &Chapter) -> bool {
    let manifest = |folder: &Path| -> Option<Table> {
        let path = workspace.path(folder).join("Cargo.toml");
        tree::read_text(&path).ok()?.parse().ok()
    };
    let has = |folder: &Path, table: &str, key: &str| {
        manifest(folder).is_some_and(|manifest| {
            let table = manifest.get(table).and_then(Value::as_table);
            table.is_some_and(|table| table.contains_key(key))
        })
    };
    let queue = Path::new(QUEUE);
    has(&chapter.home(), "features", "mine") && has(queue, "dependencies", chapter.name())
}

/// What of a chapter's part is the learner's, or why nothing is.
fn yours(workspace: &Workspace, chapter: &Chapter, take: Take) -> Result<Result<Yours, String>> {
    let mut progress = Progress::of(workspace, chapter)?;
    if !progress.is_begun() {
        return Ok(Err("not begun".to_owned()));
    }
    if progress.checked.is_none() && take == Take::Green {
        if let Err(error) = check::verdicts(workspace, chapter) {
            return Ok(Err(format!("{error:#}")));
        }
        progress = Progress::of(workspace, chapter)?;
    }
    let is_taken = |state: State| match take {
        Take::Green => state == State::Green,
        Take::Written => state != State::Open,
    };
    let of = |taken: bool| {
        let tasks = progress.tasks.iter();
        let tasks = tasks.filter(|(_, state)| is_taken(*state) == taken);
        tasks.map(|(task, _)| task.id.clone()).collect::<Vec<_>>()
    };
    let (tasks, filled) = (of(true), of(false));
    if tasks.is_empty() {
        return Ok(Err(why_none(&progress)));
    }
    Ok(match task_holes::filled(workspace, chapter, &filled) {
        Ok(files) => Ok(Yours {
            chapter: chapter.clone(),
            tasks,
            filled,
            files,
        }),
        Err(error) => Err(format!("{error:#}")),
    })
}

fn why_none(progress: &Progress) -> String {
    let red = progress
        .tasks
        .iter()
        .filter(|(_, state)| *state == State::Red)
        .count();
    match progress.first_open() {
        Some(open) if red == 0 => format!("{} is still a hole", open.id),
        _ => format!(
            "red: cargo workbook check {}",
            progress.chapter.short_number()
        ),
    }
}

/// What is wrong with a part in the copy; `None` if its spec is green.
fn problem(cargo: &Cargo, mirror: &Mirror, chapter: &Chapter) -> Result<Option<String>> {
    let built = cargo.build_test(&chapter.exercise_package(), "spec", Talk::Nothing)?;
    if !built.success {
        return Ok(Some(
            "your text and the solution's do not compile together".to_owned(),
        ));
    }
    let binary = built
        .program("spec")
        .context("cargo names no test binary")?;
    let folder = mirror.workspace().path(chapter.exercise().join("spec"));
    let verdicts = spec::run(binary, &spec::cases(binary, &folder)?)?;
    let mut red = verdicts.iter().filter(|verdict| verdict.failure.is_some());
    Ok(red.next().map(|verdict| {
        format!(
            "with the solution's text in the other holes, {} is red",
            verdict.case.name
        )
    }))
}
