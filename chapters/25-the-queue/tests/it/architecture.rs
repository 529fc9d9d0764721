//! `ARCHITECTURE.md` names files and functions; they are there, under their whole names.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The files of a crate: their folders and name, without `.rs`, below `src` or `tests`.
type Files = Vec<(Vec<String>, PathBuf)>;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Where each crate of the workspace is, by the name that code uses.
fn crates() -> BTreeMap<String, PathBuf> {
    let mut crates = BTreeMap::new();
    let groups = ["chapters", "solutions", "mini-projects", "testing"];
    let folders = groups
        .iter()
        .flat_map(|group| fs::read_dir(root().join(group)).unwrap())
        .map(|entry| entry.unwrap().path())
        .chain(["workbook", "disk"].map(|folder| root().join(folder)));
    for folder in folders {
        let Ok(manifest) = fs::read_to_string(folder.join("Cargo.toml")) else {
            continue;
        };
        let name = manifest
            .lines()
            .find_map(|line| line.strip_prefix("name = \""));
        let name = name.unwrap().trim_end_matches('"').replace('-', "_");
        crates.insert(name, folder);
    }
    crates
}

/// All Rust files below `folder`; a `mod.rs` or `main.rs` goes by its folder's name.
fn files_below(folder: &Path) -> Files {
    let mut files = Files::new();
    let mut folders = vec![(Vec::new(), folder.to_owned())];
    while let Some((names, folder)) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            let mut names: Vec<String> = names.clone();
            let stem = path.file_stem().unwrap().to_str().unwrap();
            if !["mod", "main"].contains(&stem) {
                names.push(stem.to_owned());
            }
            if path.is_dir() {
                folders.push((names, path));
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push((names, path));
            }
        }
    }
    files
}

/// Whether `crate::file::function`, `crate::file` or the same below `tests` is there.
/// A file goes by its own name; folders before it may be named or left out.
fn exists(crates: &BTreeMap<String, PathBuf>, name: &str) -> bool {
    let mut segments: Vec<&str> = name.split("::").collect();
    let Some(folder) = crates.get(segments.remove(0)) else {
        return false;
    };
    let below = match segments.first() {
        Some(&"tests") => segments.remove(0),
        _ => "src",
    };
    let files = files_below(&folder.join(below));
    let named = |wanted: &[&str], names: &[String]| {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        !wanted.is_empty() && names.ends_with(wanted)
    };
    if files.iter().any(|(names, _)| named(&segments, names)) {
        return true;
    }
    let Some((function, file)) = segments.split_last() else {
        return false;
    };
    files
        .iter()
        .filter(|(names, _)| named(file, names))
        .any(|(_, path)| has_function(&fs::read_to_string(path).unwrap(), function))
}

/// Whether a function of exactly this name is defined.
fn has_function(text: &str, name: &str) -> bool {
    let definition = format!("fn {name}");
    text.match_indices(&definition).any(|(start, _)| {
        let rest = &text[start + definition.len()..];
        rest.starts_with(['(', '<'])
    })
}

/// What is between backquotes in `text` and begins with a crate.
fn names<'a>(crates: &BTreeMap<String, PathBuf>, text: &'a str) -> Vec<&'a str> {
    let is_name = |code: &&str| {
        let first = code.split_once("::").map(|(first, _)| first);
        first.is_some_and(|first| crates.contains_key(first))
    };
    text.split('`').skip(1).step_by(2).filter(is_name).collect()
}

#[test]
fn every_name_in_it_is_there() {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let crates = crates();
    let names = names(&crates, &text);
    assert!(names.len() > 25, "{names:?}");
    let missing: Vec<&&str> = names.iter().filter(|name| !exists(&crates, name)).collect();
    assert!(missing.is_empty(), "not there: {missing:#?}");
}

#[test]
fn a_name_that_is_not_there_is_noticed() {
    let crates = crates();
    for there in [
        "mqd::dispatch::answer",
        "mqd::settings::page::help",
        "mqd::page::help",
        "wire_protocol::message",
        "mqd::tests::kill::at_thirty_moments_nothing_that_was_acknowledged_is_lost",
    ] {
        assert!(exists(&crates, there), "{there}");
    }
    for not_there in [
        "mqd",
        "mqd::dispatch::nobody",
        "mqd::dispatch::answe",
        "mqd::nowhere::answer",
        "mqd::tools::page::help",
        "mqd::tests::kill::nothing",
        "mqd::tests::kill::at_thirty_moments",
        "nobody::dispatch::answer",
    ] {
        assert!(!exists(&crates, not_there), "{not_there}");
    }
}
