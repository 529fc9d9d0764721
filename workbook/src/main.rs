//! `cargo workbook`.

use std::process::ExitCode;

use anyhow::{Context, Result};
use workbook::chapter::{Chapter, Workspace};
use workbook::cli::{self, Action, Aim, HELP};
use workbook::commands::check::{self, Only};
use workbook::commands::{book, diff, hint, map, reset, serve, stubs, watch};
use workbook::holes::TaskId;
use workbook::verify::{self, Order};
use workbook::{demo, figures, progress, say};

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
        Action::Help => tell(Ok(HELP)),
        Action::Check(aim) => {
            let (chapter, only) = aimed_at(workspace, aim)?;
            check::run(workspace, &chapter, only.as_ref())
        }
        Action::Watch(aim) => {
            let (chapter, only) = aimed_at(workspace, aim)?;
            watch::run(workspace, &chapter, only.as_ref())
        }
        Action::Hint(task, step) => {
            let task = task.map_or_else(|| next_task(workspace), Ok)?;
            hint::run(workspace, &chapter_of(workspace, &task)?, &task, step)
        }
        Action::Diff(task) => diff::run(workspace, &chapter_of(workspace, &task)?, &task),
        Action::Solve(task) => tell(reset::solve(
            workspace,
            &chapter_of(workspace, &task)?,
            &task,
        )),
        Action::Reset(task) => tell(reset::reset(
            workspace,
            &chapter_of(workspace, &task)?,
            &task,
        )),
        Action::Stubs { chapters, force } => {
            tell(stubs::run(workspace, &named(workspace, &chapters)?, force))
        }
        Action::Verify {
            chapters,
            all,
            bless,
        } => {
            let order = Order {
                only_changed: chapters.is_empty() && !all,
                chapters: named(workspace, &chapters)?,
                bless,
            };
            verify::run(workspace, &order)
        }
        Action::Serve { mine, arguments } => serve::run(workspace, mine, &arguments),
        Action::Book { open } => book::run(workspace, open),
        Action::Figures => tell(figures::measure(workspace)),
        Action::Demo(demo) => demo::run(workspace, &demo),
    }
}

fn tell(words: Result<impl ToString>) -> Result<()> {
    say!("{}", words?.to_string().trim_end());
    Ok(())
}

fn aimed_at(workspace: &Workspace, aim: Option<Aim>) -> Result<(Chapter, Option<Only>)> {
    Ok(match aim {
        Some(Aim::Chapter(name)) => (workspace.chapter(&name)?, None),
        Some(Aim::Task(task)) => (chapter_of(workspace, &task)?, Some(Only::Task(task))),
        Some(Aim::Case(task, case)) => {
            (chapter_of(workspace, &task)?, Some(Only::Case(task, case)))
        }
        None => {
            let current = progress::current(workspace)?;
            let current =
                current.context("every chapter is green: name the one that you mean, such as 6")?;
            (current.chapter, None)
        }
    })
}

fn next_task(workspace: &Workspace) -> Result<TaskId> {
    let current = progress::current(workspace)?;
    let next = current.as_ref().and_then(|chapter| chapter.next_task());
    let (task, _) = next.context("every task is green: name the one that you mean, such as 6.1")?;
    Ok(task.id.clone())
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
