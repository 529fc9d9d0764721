//! `cargo workbook`.

use std::process::ExitCode;

use anyhow::{Context, Result};
use workbook::chapter::{Chapter, Workspace};
use workbook::cli::{self, Action, Aim, HELP};
use workbook::commands::{book, check, diff, hint, map, reset, serve, stubs, watch};
use workbook::holes::TaskId;
use workbook::{demo, figures, progress, verify};

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let workspace = &Workspace::of_this_program();
    match cli::parse(std::env::args_os().skip(1))? {
        Action::Map => map::run(workspace),
        Action::Help => {
            print!("{HELP}");
            Ok(())
        }
        Action::Check(aim) => {
            let (chapter, task) = aimed_at(workspace, aim)?;
            check::run(workspace, &chapter, task.as_ref())
        }
        Action::Watch(aim) => {
            let (chapter, task) = aimed_at(workspace, aim)?;
            watch::run(workspace, &chapter, task.as_ref())
        }
        Action::Hint(task, step) => {
            hint::run(workspace, &chapter_of(workspace, &task)?, &task, step)
        }
        Action::Diff(task) => diff::run(workspace, &chapter_of(workspace, &task)?, &task),
        Action::Solve(task) => reset::solve(workspace, &chapter_of(workspace, &task)?, &task),
        Action::Reset(task) => reset::reset(workspace, &chapter_of(workspace, &task)?, &task),
        Action::Stubs { chapters, force } => {
            stubs::run(workspace, &named(workspace, &chapters)?, force)
        }
        Action::Verify { chapters, bless } => {
            verify::run(workspace, &named(workspace, &chapters)?, bless)
        }
        Action::Serve { mine, arguments } => serve::run(workspace, mine, &arguments),
        Action::Book { open } => book::run(workspace, open),
        Action::Figures => {
            print!("{}", figures::measure(workspace)?);
            Ok(())
        }
        Action::Demo(demo) => demo::run(workspace, &demo),
    }
}

fn aimed_at(workspace: &Workspace, aim: Option<Aim>) -> Result<(Chapter, Option<TaskId>)> {
    Ok(match aim {
        Some(Aim::Chapter(name)) => (workspace.chapter(&name)?, None),
        Some(Aim::Task(task)) => (chapter_of(workspace, &task)?, Some(task)),
        None => {
            let current = progress::current(workspace)?;
            let current = current.context("every chapter is green: say which, such as 6")?;
            (current.chapter, None)
        }
    })
}

fn chapter_of(workspace: &Workspace, task: &TaskId) -> Result<Chapter> {
    workspace.chapter(&task.chapter)
}

fn named(workspace: &Workspace, names: &[String]) -> Result<Vec<Chapter>> {
    if names.is_empty() {
        return workspace.chapters();
    }
    names.iter().map(|name| workspace.chapter(name)).collect()
}
