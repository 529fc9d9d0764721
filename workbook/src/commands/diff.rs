//! `diff N.K`: the learner's text against the solution's, for one task.

use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::chapter::{Chapter, Workspace};
use crate::holes::{self, TaskId};

use crate::say;
use crate::screen::Paint;
use crate::task_holes::{TaskHole, TaskHoles};
use crate::tasks;
use crate::tree;

/// Shows where they differ, hole by hole.
///
/// # Errors
/// When a hole cannot be found, or git cannot compare.
pub fn run(workspace: &Workspace, chapter: &Chapter, task: &TaskId) -> Result<()> {
    let found = TaskHoles::find(workspace, chapter, task)?;
    let tasks = tasks::tasks(workspace, chapter)?;
    let title = tasks.iter().find(|known| known.id == *task);
    let title = title.map_or("", |known| &known.title);
    let paint = Paint::for_stdout();
    say!("{}", paint.bold(&format!("task {task}: {title}")));
    if found.holes.iter().all(|hole| holes::is_open(&hole.body)) {
        say!("The task is still a hole: there is nothing of yours to compare.");
        say!(
            "`cargo workbook hint {task}` helps to begin. `cargo workbook solve {task}` puts the solution in."
        );
        return Ok(());
    }
    if found.have(|hole| &hole.solved) {
        say!("Your text is the same as the solution's.");
        return Ok(());
    }
    say!(
        "{}  {}",
        paint.red("- yours"),
        paint.green("+ the solution's")
    );
    for hole in &found.holes {
        if found.holes.len() > 1 {
            let heading = format!("{}: {}", hole.path.display(), hole.title);
            say!("\n{}", paint.bold(&heading));
        }
        if holes::is_open(&hole.body) {
            say!("still a hole");
        } else {
            show(&compare(workspace, hole)?, paint);
        }
    }
    say!("Another text can be just as right: the spec decides.");
    Ok(())
}

fn show(lines: &[String], paint: Paint) {
    if lines.is_empty() {
        say!("the same as the solution's");
    }
    for line in lines {
        say!(
            "{}",
            match line.chars().next() {
                Some('-') => paint.red(line),
                Some('+') => paint.green(line),
                _ => line.clone(),
            }
        );
    }
}

/// Every line, with `-`, `+` or a blank in front; nothing if they are equal.
fn compare(workspace: &Workspace, hole: &TaskHole) -> Result<Vec<String>> {
    let folder = workspace.target().join("diff");
    tree::write_if_changed(&folder.join("yours"), hole.body.as_bytes())?;
    tree::write_if_changed(&folder.join("solution"), hole.solved.as_bytes())?;
    let output = Command::new("git")
        .current_dir(&folder)
        .args([
            "diff",
            "--no-index",
            "--no-ext-diff",
            "--no-color",
            "-U1000",
        ])
        .args(["--", "yours", "solution"])
        .output()
        .context("running git")?;
    let text = String::from_utf8_lossy(&output.stdout);
    ensure!(
        output.status.success() || !text.is_empty(),
        "git diff: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let lines = text.lines().skip_while(|line| !line.starts_with("@@"));
    let lines = lines.skip(1).filter(|line| !line.starts_with('\\'));
    Ok(lines.map(str::to_owned).collect())
}
