//! `hint N.K [STEP]`: one hint at a time.

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context, Result};

use super::ladder::last_steps;
use crate::chapter::{Chapter, Workspace};
use crate::holes::TaskId;
use crate::mistakes;
use crate::progress::{Progress, State};
use crate::say;
use crate::screen::{Paint, wrap};
use crate::tasks;
use crate::tree;
use crate::verify::pinned;

/// Says the hint `step`, or the one behind the last that was said.
///
/// # Errors
/// When there is no such task.
pub fn run(
    workspace: &Workspace,
    chapter: &Chapter,
    task: &TaskId,
    step: Option<usize>,
) -> Result<()> {
    let progress = Progress::of(workspace, chapter)?;
    let (found, state) = progress
        .tasks
        .iter()
        .find(|(found, _)| found.id == *task)
        .with_context(|| format!("chapter {} has no task {task}", chapter.folder))?;
    let paint = Paint::for_stdout();
    say!("{}", paint.bold(&format!("task {task}: {}", found.title)));
    match (&progress.checked, state) {
        (_, State::Green) => say!("It is green."),
        (Some(checked), State::Red) => {
            let answers = tasks::wrong_answers(workspace, chapter)?;
            let messages = |name: &str| pinned(workspace, chapter, name);
            for wrong in mistakes::known(task, checked, &answers, messages) {
                say!("\nThe cases that fail are those of a known mistake:");
                say!("{}", wrap(&wrong.bug, 2));
            }
        }
        (_, State::Written) => say!(
            "Run `cargo workbook check {}` before: then a hint can name a mistake that you made.",
            chapter.short_number()
        ),
        _ => {}
    }
    let said = said_so_far(workspace);
    let before = said.get(&task.to_string()).copied().unwrap_or(0);
    let step = step.unwrap_or(before + 1);
    match found.hints.get(step - 1) {
        Some(hint) => {
            say!("\nhint {step} of {}", found.hints.len());
            say!("{}", wrap(hint, 2));
            remember(workspace, said, task, step.max(before))
        }
        None => {
            say!(
                "\nThose were all the hints (`cargo workbook hint {task} 1` prints the first again). What is left:"
            );
            for step in last_steps(&found.page, task) {
                say!("  {step}");
            }
            Ok(())
        }
    }
}

type Said = BTreeMap<String, usize>;

fn said_so_far(workspace: &Workspace) -> Said {
    let text = fs::read_to_string(workspace.target().join("hints.json"));
    text.ok()
        .and_then(|text| serde_json::from_str(&text).ok())
        .unwrap_or_default()
}

fn remember(workspace: &Workspace, mut said: Said, task: &TaskId, step: usize) -> Result<()> {
    said.insert(task.to_string(), step);
    let text = serde_json::to_string_pretty(&said)?;
    tree::write_if_changed(&workspace.target().join("hints.json"), text.as_bytes())?;
    Ok(())
}
