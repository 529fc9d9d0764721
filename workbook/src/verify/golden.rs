//! The messages that wrong answers get, pinned as text.

use std::fmt::Write;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::chapter::{Chapter, Workspace};
use crate::spec::Verdict;
use crate::tasks::WrongAnswer;
use crate::tree;

/// `exercises/06-log-storage/spec/golden`.
fn folder(chapter: &Chapter) -> PathBuf {
    chapter.exercise().join("spec/golden")
}

fn file(chapter: &Chapter, name: &str) -> PathBuf {
    folder(chapter).join(format!("{name}.txt"))
}

/// The text to pin: every red case with the message that a learner sees.
pub(super) fn text(wrong: &WrongAnswer, verdicts: &[Verdict]) -> String {
    let mut text = format!("{}\n", wrong.bug);
    for verdict in verdicts {
        if let Some(failure) = &verdict.failure {
            let message = normalise(&failure.message);
            let _ = write!(text, "\n{}\n{}\n", verdict.case.name, message.trim());
        }
    }
    text
}

/// The messages that the wrong answer `name` gets, if they are pinned.
#[must_use]
pub fn pinned(workspace: &Workspace, chapter: &Chapter, name: &str) -> Option<String> {
    fs::read_to_string(workspace.path(file(chapter, name))).ok()
}

/// What is wrong with a wrong answer's messages. With `bless`, they become the pinned ones.
pub(super) fn compare(
    workspace: &Workspace,
    chapter: &Chapter,
    wrong: &WrongAnswer,
    now: &str,
    bless: bool,
) -> Result<Vec<String>> {
    let file = file(chapter, &wrong.name);
    let path = workspace.path(&file);
    if bless {
        tree::write_if_changed(&path, now.as_bytes())?;
        return Ok(Vec::new());
    }
    let Ok(pinned) = fs::read_to_string(&path) else {
        return Ok(vec![format!(
            "{} is missing: read the messages, then write it with `--bless`",
            file.display()
        )]);
    };
    if pinned == now {
        return Ok(Vec::new());
    }
    let mut problems = vec![format!(
        "these are not the messages of {} (run `--bless` if the new ones are better):",
        file.display()
    )];
    problems.extend(difference(&pinned, now));
    Ok(problems)
}

/// Files that no wrong answer has. With `bless`, they are removed.
pub(super) fn leftovers(
    workspace: &Workspace,
    chapter: &Chapter,
    wrong: &[WrongAnswer],
    bless: bool,
) -> Result<Vec<String>> {
    let mut problems = Vec::new();
    for name in tree::read(&workspace.path(folder(chapter)))?.into_keys() {
        let known = wrong
            .iter()
            .any(|wrong| name.to_string_lossy() == format!("{}.txt", wrong.name));
        let path = folder(chapter).join(&name);
        if known {
            continue;
        }
        if bless {
            let path = workspace.path(&path);
            fs::remove_file(&path).with_context(|| format!("removing {}", path.display()))?;
        } else {
            problems.push(format!("{}: no wrong answer has this name", path.display()));
        }
    }
    Ok(problems)
}

/// Line numbers say where an edit stands today; the message is the same tomorrow.
#[must_use]
pub fn normalise(message: &str) -> String {
    let mut text = String::with_capacity(message.len());
    let mut rest = message;
    while let Some(at) = rest.find(".rs:") {
        let (before, after) = rest.split_at(at + ".rs:".len());
        text.push_str(before);
        rest = after.trim_start_matches(|c: char| c.is_ascii_digit() || c == ':');
        if rest.len() < after.len() {
            text.push_str("LINE");
        }
    }
    text + rest
}

/// The lines that differ, at most a screenful.
fn difference(pinned: &str, now: &str) -> Vec<String> {
    let missing = pinned
        .lines()
        .filter(|line| !now.lines().any(|l| l == *line));
    let added = now
        .lines()
        .filter(|line| !pinned.lines().any(|l| l == *line));
    let missing = missing.map(|line| format!("- {line}"));
    missing
        .chain(added.map(|line| format!("+ {line}")))
        .take(24)
        .collect()
}
