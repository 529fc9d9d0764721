//! `cargo workbook`.

use std::process::ExitCode;

use anyhow::{Result, bail};
use workbook::chapter::{Chapter, Workspace};
use workbook::{commands, progress};

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
    let workspace = Workspace::of_this_program();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let force = words.contains(&"--force");
    let names: Vec<&str> = words
        .iter()
        .skip(1)
        .copied()
        .filter(|word| !word.starts_with('-'))
        .collect();
    match words.first().copied() {
        Some("stubs") => commands::stubs::run(&workspace, &named(&workspace, &names)?, force),
        Some("verify") => {
            let bless = words.contains(&"--bless");
            workbook::verify::run(&workspace, &named(&workspace, &names)?, bless)
        }
        Some("check") => {
            let chapter = match names.first() {
                Some(name) => workspace.chapter(name)?,
                None => match progress::current(&workspace)? {
                    Some(progress) => progress.chapter,
                    None => bail!("every chapter is green"),
                },
            };
            commands::check::run(&workspace, &chapter)
        }
        _ => bail!("usage: cargo workbook stubs [N] [--force]"),
    }
}

fn named(workspace: &Workspace, names: &[&str]) -> Result<Vec<Chapter>> {
    if names.is_empty() {
        return workspace.chapters();
    }
    names.iter().map(|name| workspace.chapter(name)).collect()
}
