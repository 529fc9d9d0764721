//! `diff N.K`: the learner's text against the solution's, for one task.

use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::chapter::{Chapter, Workspace};
use crate::holes::{self, TaskId};
use crate::part_file::PartFile;
use crate::say;
use crate::screen::Paint;
use crate::tree;

/// Shows where they differ.
///
/// # Errors
/// When the hole cannot be found, or git cannot compare.
pub fn run(workspace: &Workspace, chapter: &Chapter, task: &TaskId) -> Result<()> {
    let part = PartFile::find(workspace, chapter, task)?;
    let paint = Paint::for_stdout();
    say!(
        "{}",
        paint.bold(&format!("task {task}: {}", part.hole.title))
    );
    if holes::is_open(part.body()) {
        say!("It is still a hole: there is nothing of yours to compare.");
        say!("`cargo workbook hint {task}` helps to begin; `solve {task}` shows the answer.");
        return Ok(());
    }
    let lines = compare(workspace, part.body(), &part.solved)?;
    if lines.is_empty() {
        say!("Yours is the solution's text.");
        return Ok(());
    }
    say!(
        "{}  {}",
        paint.red("- yours"),
        paint.green("+ the solution's")
    );
    for line in lines {
        say!(
            "{}",
            match line.chars().next() {
                Some('-') => paint.red(&line),
                Some('+') => paint.green(&line),
                _ => line,
            }
        );
    }
    say!("Other texts may be as right: the spec decides.");
    Ok(())
}

/// Every line, with `-`, `+` or a blank in front; nothing if they are equal.
fn compare(workspace: &Workspace, yours: &str, solution: &str) -> Result<Vec<String>> {
    let folder = workspace.target().join("diff");
    tree::write_if_changed(&folder.join("yours"), yours.as_bytes())?;
    tree::write_if_changed(&folder.join("solution"), solution.as_bytes())?;
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
