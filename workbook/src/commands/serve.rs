//! `serve [--mine [--red]] [-- ARGS]`: starts mqd.

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::cargo::{Cargo, Talk};
use crate::chapter::Workspace;
use crate::mine::{Mine, Take};
use crate::say;
use crate::task_holes::shown;

/// Builds mqd and becomes it: Ctrl-C reaches it and nobody else. With `mine`, on what is
/// taken of the learner's text.
///
/// # Errors
/// When it does not compile or cannot be started. Else it does not return.
pub fn run(workspace: &Workspace, mine: Option<Take>, arguments: &[OsString]) -> Result<()> {
    let mqd = build(workspace, mine)?;
    let mut command = Command::new(&mqd);
    let given = |name: &str| arguments.iter().any(|argument| argument == name);
    let subcommand = arguments
        .first()
        .is_some_and(|word| !word.to_string_lossy().starts_with('-'));
    if !given("--listen") && !subcommand {
        command.args(["--listen", "127.0.0.1:9092"]);
    }
    if !given("--data-dir") && !subcommand {
        let data = workspace.target().join("data");
        say!("mqd keeps its files in {}", shown(workspace, &data));
        command.arg("--data-dir").arg(data);
    }
    let error = command.args(arguments).exec();
    Err(error).with_context(|| format!("starting {}", mqd.display()))
}

fn build(workspace: &Workspace, mine: Option<Take>) -> Result<PathBuf> {
    let mut programs = build_programs(workspace, &[("mqd", "mqd")], mine)?;
    programs.pop().context("mqd was built")
}

/// Builds programs, each given as package and binary, on what `mine` takes of the
/// learner's text; says what. In one go, so that what they share is built once.
///
/// # Errors
/// When one does not compile.
pub fn build_programs(
    workspace: &Workspace,
    programs: &[(&str, &str)],
    mine: Option<Take>,
) -> Result<Vec<PathBuf>> {
    let mut arguments = vec!["build"];
    for (package, program) in programs {
        arguments.extend(["-p", package, "--bin", program]);
    }
    let features;
    let mut cargo = Cargo::new(&workspace.root);
    if let Some(take) = mine {
        let mut mine = Mine::find(workspace, take)?;
        cargo = mine.cargo(workspace, take)?;
        mine.say();
        features = mine.features();
        if !features.is_empty() {
            arguments.extend(["--features", &features]);
        }
    }
    let built = cargo.build(&arguments, Talk::Progress)?;
    ensure!(built.success, "the build failed: see above");
    let path = |(_, program): &(&str, &str)| {
        let path = built.program(program).map(Path::to_owned);
        path.with_context(|| format!("cargo built no {program}"))
    };
    programs.iter().map(path).collect()
}
