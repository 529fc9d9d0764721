//! Bugs that are planted in a copy of the workspace, to see that the simulation finds them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};
use serde::Deserialize;

/// The variable of the environment that says which bug is awake.
const PLANTED: &str = "MQD_PLANTED";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Bugs {
    bug: Vec<Bug>,
}

/// A bug, as an edit of one text into another. Both are an expression or a statement.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Bug {
    name: String,
    /// What is wrong, and what follows from it.
    about: String,
    file: String,
    /// Occurs once in the file.
    find: String,
    replace: String,
    /// Within how many seeds it is found.
    within: u64,
}

/// Plants all bugs, or one, and looks for each. Returns whether all are found.
///
/// All are planted in one copy, each asleep unless the environment names it, so that the
/// copy is built once.
pub(crate) fn find_all(only: Option<&str>, jobs: usize) -> Result<bool> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()?;
    let text = fs::read_to_string(root.join("testing/simulation/bugs.toml"))?;
    let bugs: Bugs = toml::from_str(&text)?;
    let copy = root.join("target/planted");
    copy_workspace(&root, &copy, &bugs.bug)?;
    let binary = build(&copy)?;
    ensure!(
        find(&binary, "none", 50, jobs)?.is_none(),
        "with all bugs asleep a law is broken"
    );
    let mut are_found = true;
    for bug in &bugs.bug {
        if only.is_some_and(|only| only != bug.name) {
            continue;
        }
        let (name, about) = (&bug.name, &bug.about);
        match find(&binary, name, bug.within, jobs)? {
            Some(found) => println!("{name}: {about}\n    {found}"),
            None => {
                are_found = false;
                println!("{name}: {about}\n    NOT FOUND within {} seeds", bug.within);
            }
        }
    }
    Ok(are_found)
}

/// Copies what git knows of, with the bugs, and writes only what has changed, so that little is
/// built again.
fn copy_workspace(root: &Path, copy: &Path, bugs: &[Bug]) -> Result<()> {
    let listed = Command::new("git")
        .args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ])
        .current_dir(root)
        .output()
        .context("cannot list the files of the workspace")?;
    ensure!(listed.status.success(), "git ls-files failed");
    let names = String::from_utf8(listed.stdout)?;
    for name in names.split_terminator('\0') {
        let is_wanted = name.ends_with(".rs") || name.ends_with(".toml") || name == "Cargo.lock";
        let from = root.join(name);
        if is_wanted && from.is_file() {
            let mut text = fs::read_to_string(&from)?;
            for bug in bugs.iter().filter(|bug| bug.file == name) {
                text = plant(&text, bug)?;
            }
            write_if_changed(&copy.join(name), text.as_bytes())?;
        }
    }
    Ok(())
}

fn write_if_changed(path: &Path, bytes: &[u8]) -> Result<()> {
    if fs::read(path).is_ok_and(|there| there == bytes) {
        return Ok(());
    }
    if let Some(above) = path.parent() {
        fs::create_dir_all(above)?;
    }
    fs::write(path, bytes).with_context(|| format!("cannot write {}", path.display()))
}

/// Returns `text` with a bug in it that sleeps until it is named.
fn plant(text: &str, bug: &Bug) -> Result<String> {
    let Bug {
        name,
        find,
        replace,
        ..
    } = bug;
    let count = text.matches(find).count();
    if count != 1 {
        bail!(
            "{name}: its text occurs {count} times in {}, not once",
            bug.file
        );
    }
    let is_awake =
        format!("std::env::var_os(\"{PLANTED}\").is_some_and(|name| name == \"{name}\")");
    let both = format!("{{ if {is_awake} {{ {replace} }} else {{ {find} }} }}");
    Ok(text.replacen(find, &both, 1))
}

/// Builds the simulation of the copy, in a target directory of its own: cargo would take what it
/// has built of one workspace for the other's.
fn build(copy: &Path) -> Result<PathBuf> {
    let target = copy.join("target");
    let built = Command::new("cargo")
        .args([
            "build",
            "--release",
            "--locked",
            "--quiet",
            "-p",
            "simulation",
        ])
        .current_dir(copy)
        .env("CARGO_TARGET_DIR", &target)
        .output()?;
    ensure!(
        built.status.success(),
        "the copy with the bugs does not compile: {}",
        String::from_utf8_lossy(&built.stderr)
    );
    Ok(target.join("release/simulation"))
}

/// Returns in which seed the simulation finds a bug, and which law it breaks.
fn find(binary: &Path, name: &str, within: u64, jobs: usize) -> Result<Option<String>> {
    let output = Command::new(binary)
        .args(["--seeds", &within.to_string(), "--jobs", &jobs.to_string()])
        .env(PLANTED, name)
        .output()?;
    let text = String::from_utf8(output.stdout)?;
    match output.status.code() {
        Some(0) => Ok(None),
        Some(1) if text.starts_with("seed ") => Ok(text.lines().next().map(str::to_owned)),
        _ => bail!("{name}: {}: {text}", output.status),
    }
}
