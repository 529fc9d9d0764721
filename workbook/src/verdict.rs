//! What the last check of a chapter found, kept under `target/workbook`.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;

use anyhow::Result;
use serde_json::{Value, json};

use crate::chapter::{Chapter, Workspace};
use crate::spec::Verdict;
use crate::tree;

/// The verdicts on one state of a chapter's part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// Of the part's sources, its manifest and the spec.
    hash: u64,
    /// Every case, by name, and its message if it is red.
    pub cases: Vec<CheckedCase>,
}

/// The verdict on one case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedCase {
    /// `task_1::between_two_entries`.
    pub name: String,
    /// The number of its task.
    pub task: u32,
    /// Why it is red; `None` if it is green.
    pub message: Option<String>,
}

impl Checked {
    /// The verdicts on the text whose hash is `hash`.
    #[must_use]
    pub fn new(hash: u64, verdicts: &[Verdict]) -> Checked {
        let cases = verdicts.iter().map(|verdict| CheckedCase {
            name: verdict.case.name.clone(),
            task: verdict.case.task,
            message: verdict
                .failure
                .as_ref()
                .map(|failure| failure.message.clone()),
        });
        Checked {
            hash,
            cases: cases.collect(),
        }
    }

    /// Whether every case is green, and there is one.
    #[must_use]
    pub fn is_green(&self) -> bool {
        !self.cases.is_empty() && self.cases.iter().all(|case| case.message.is_none())
    }

    /// Whether the task's cases are green; `None` if it has none.
    #[must_use]
    pub fn task_is_green(&self, task: u32) -> Option<bool> {
        let mut cases = self
            .cases
            .iter()
            .filter(|case| case.task == task)
            .peekable();
        cases.peek()?;
        Some(cases.all(|case| case.message.is_none()))
    }

    /// The names of the red cases, sorted.
    #[must_use]
    pub fn red(&self) -> Vec<&str> {
        let red = self.cases.iter().filter(|case| case.message.is_some());
        let mut names: Vec<_> = red.map(|case| case.name.as_str()).collect();
        names.sort_unstable();
        names
    }

    /// Keeps it for the map, for `hint` and for `serve --mine`.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn save(&self, workspace: &Workspace, chapter: &Chapter) -> Result<()> {
        let cases = self
            .cases
            .iter()
            .map(|case| json!({ "name": case.name, "task": case.task, "message": case.message }));
        let cases: Vec<Value> = cases.collect();
        let text = format!("{:#}", json!({ "hash": self.hash, "cases": cases }));
        tree::write_if_changed(&file(workspace, chapter), text.as_bytes())?;
        Ok(())
    }

    fn parse(text: &str) -> Option<Checked> {
        let kept: Value = serde_json::from_str(text).ok()?;
        let case = |case: &Value| {
            Some(CheckedCase {
                name: case["name"].as_str()?.to_owned(),
                task: u32::try_from(case["task"].as_u64()?).ok()?,
                message: case["message"].as_str().map(str::to_owned),
            })
        };
        Some(Checked {
            hash: kept["hash"].as_u64()?,
            cases: kept["cases"]
                .as_array()?
                .iter()
                .map(case)
                .collect::<Option<_>>()?,
        })
    }

    /// What was kept, if it is about the part as it is now.
    ///
    /// # Errors
    /// When the part or the spec cannot be read.
    pub fn load(workspace: &Workspace, chapter: &Chapter) -> Result<Option<Checked>> {
        let Ok(text) = std::fs::read_to_string(file(workspace, chapter)) else {
            return Ok(None);
        };
        let Some(checked) = Checked::parse(&text) else {
            return Ok(None);
        };
        let now = hash(workspace, chapter)?;
        Ok(Some(checked).filter(|checked| checked.hash == now))
    }
}

/// Of everything in the chapter's exercise that a verdict depends on.
///
/// # Errors
/// When it cannot be read.
pub fn hash(workspace: &Workspace, chapter: &Chapter) -> Result<u64> {
    let exercise = workspace.path(chapter.exercise());
    let mut hasher = DefaultHasher::new();
    for folder in ["src", "spec"] {
        tree::read(&exercise.join(folder))?.hash(&mut hasher);
    }
    tree::read_text(&exercise.join("Cargo.toml"))?.hash(&mut hasher);
    Ok(hasher.finish())
}

fn file(workspace: &Workspace, chapter: &Chapter) -> PathBuf {
    let name = format!("verdicts/{}.json", chapter.folder);
    workspace.target().join(name)
}

/// Whether the chapter was ever checked, so that most of its build is done.
#[must_use]
pub fn was_checked(workspace: &Workspace, chapter: &Chapter) -> bool {
    file(workspace, chapter).exists()
}
