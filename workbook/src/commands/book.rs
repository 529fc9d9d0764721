//! `book [--open]`: builds the book, and looks after its links.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

use crate::book::broken_links;
use crate::cargo::Cargo;
use crate::chapter::Workspace;
use crate::say;
use crate::task_holes::shown;

/// The mdBook that the book is written for.
const MDBOOK: &str = "0.5.4";

/// Builds it into `target/book`.
///
/// # Errors
/// When mdBook cannot be installed, the book does not build, or a link in it
/// leads nowhere.
pub fn run(workspace: &Workspace, open: bool) -> Result<()> {
    let mdbook = installed(workspace)?;
    let folder = workspace.path("target/book");
    let status = Command::new(&mdbook)
        .arg("build")
        .arg(workspace.path("book"))
        .arg("--dest-dir")
        .arg(&folder)
        .status()
        .with_context(|| format!("running {}", mdbook.display()))?;
    ensure!(status.success(), "the book does not build: see above");
    let index = folder.join("index.html");
    say!("the book is in {}", shown(workspace, &index));
    let broken = broken_links(&folder)?;
    for link in &broken {
        say!("  {link}");
    }
    ensure!(broken.is_empty(), "{} links lead nowhere", broken.len());
    if open {
        show(&index)?;
    }
    Ok(())
}

/// mdBook: the one on the path if it is the right one, else one of our own,
/// installed under `target/tools` the first time.
fn installed(workspace: &Workspace) -> Result<PathBuf> {
    let tools = workspace.path("target/tools");
    let own = tools.join("bin/mdbook");
    for mdbook in [PathBuf::from("mdbook"), own.clone()] {
        if is_right(&mdbook) {
            return Ok(mdbook);
        }
    }
    say!(
        "installing mdBook {MDBOOK} into {}, once",
        shown(workspace, &tools)
    );
    let cargo = Cargo::new(&workspace.root).with("CARGO_TARGET_DIR", tools.join("build"));
    let status = cargo
        .command(&[
            "install",
            "mdbook",
            "--version",
            MDBOOK,
            "--locked",
            "--force",
            // Built sooner than an optimised one; a book takes it a second.
            "--debug",
        ])
        .args(["--no-default-features", "--features", "search", "--root"])
        .arg(&tools)
        .status()
        .context("running cargo install")?;
    ensure!(status.success(), "mdBook could not be installed: see above");
    // What it was built from is not needed again.
    let _ = std::fs::remove_dir_all(tools.join("build"));
    Ok(own)
}

fn is_right(mdbook: &Path) -> bool {
    let version = Command::new(mdbook).arg("--version").output();
    let right = format!("v{MDBOOK}");
    version.is_ok_and(|output| {
        String::from_utf8_lossy(&output.stdout)
            .trim()
            .ends_with(&right)
    })
}

fn show(page: &Path) -> Result<()> {
    for opener in ["xdg-open", "open", "wslview"] {
        let opened = Command::new(opener)
            .arg(page)
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .status();
        if opened.is_ok_and(|status| status.success()) {
            return Ok(());
        }
    }
    bail!(
        "no program to open it with: open {} in a browser",
        page.display()
    );
}
