//! `hint N.K [STEP]`: one hint at a time.

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context, Result};

use crate::chapter::{Chapter, Workspace};
use crate::holes::TaskId;
use crate::progress::{Progress, State};
use crate::screen::{Paint, wrap};
use crate::tasks::{self, WrongAnswer};
use crate::tree;
use crate::verdict::Checked;
use crate::verify::{normalise, pinned};

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
    println!("{}", paint.bold(&format!("task {task}: {}", found.title)));
    match (&progress.checked, state) {
        (_, State::Green) => println!("It is green."),
        (Some(checked), State::Red) => {
            for bug in known_mistakes(workspace, chapter, task, checked)? {
                println!("\nYour cases fail as they do with a known mistake:");
                println!("{}", wrap(&bug, "  "));
            }
        }
        (_, State::Written) => println!(
            "Run `cargo workbook check {}` first: then the hint can begin with what fails.",
            chapter.short_number()
        ),
        _ => {}
    }
    let said = said_so_far(workspace);
    let before = said.get(&task.to_string()).copied().unwrap_or(0);
    let step = step.unwrap_or(before + 1);
    match found.hints.get(step - 1) {
        Some(hint) => {
            println!("\nhint {step} of {}", found.hints.len());
            println!("{}", wrap(hint, "  "));
            remember(workspace, said, task, step.max(before))
        }
        None => {
            println!("\nThat were all the hints (`hint {task} 1` says them again). What is left:");
            println!("  the worked example in {}", chapter.page().display());
            println!("  cargo workbook diff {task}     yours against the solution's");
            println!("  cargo workbook solve {task}    take the solution for now, and go on");
            Ok(())
        }
    }
}

/// The sentences on the wrong answers that fail just as the learner's does: the
/// same cases of the task, and if that leaves several, with the same messages.
fn known_mistakes(
    workspace: &Workspace,
    chapter: &Chapter,
    task: &TaskId,
    checked: &Checked,
) -> Result<Vec<String>> {
    let module = format!("task_{}::", task.number);
    let red: Vec<&str> = checked
        .red()
        .into_iter()
        .filter(|name| name.starts_with(&module))
        .collect();
    let fails_so = |wrong: &WrongAnswer| {
        let names = wrong.fails.iter().map(String::as_str);
        wrong.task == *task
            && names
                .filter(|name| name.starts_with(&module))
                .eq(red.iter().copied())
    };
    let mut similar = tasks::wrong_answers(workspace, chapter)?;
    similar.retain(fails_so);
    let messages: Vec<String> = checked
        .cases
        .iter()
        .filter(|case| case.task == task.number)
        .filter_map(|case| Some(normalise(case.message.as_ref()?).trim().to_owned()))
        .collect();
    let says_so = |wrong: &&WrongAnswer| {
        pinned(workspace, chapter, &wrong.name)
            .is_some_and(|text| messages.iter().all(|message| text.contains(message)))
    };
    let same: Vec<_> = similar.iter().filter(says_so).collect();
    let best = match (same.len(), similar.len()) {
        (1.., _) => same,
        (0, 1) => similar.iter().collect(),
        _ => Vec::new(),
    };
    Ok(best.into_iter().map(|wrong| wrong.bug.clone()).collect())
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
