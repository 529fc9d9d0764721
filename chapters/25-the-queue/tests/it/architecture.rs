//! `ARCHITECTURE.md` names files and functions; they are there.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

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
        .chain([root().join("workbook")]);
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

/// The file that `crate::file::…` names, and what is left of the path.
fn file_of<'a>(crates: &BTreeMap<String, PathBuf>, path: &'a str) -> Option<(PathBuf, &'a str)> {
    let mut segments = path.split("::");
    let folder = crates.get(segments.next()?)?;
    let mut rest = path.split_once("::")?.1;
    let mut place = match rest.strip_prefix("tests::") {
        Some(behind) => {
            rest = behind;
            match folder.join("tests/it").is_dir() {
                true => folder.join("tests/it"),
                false => folder.join("tests"),
            }
        }
        None => folder.join("src"),
    };
    while let Some((segment, behind)) = rest.split_once("::") {
        let file = place.join(segment).with_extension("rs");
        place = place.join(segment);
        rest = behind;
        if file.is_file() && !place.join(first(rest)).with_extension("rs").is_file() {
            return Some((file, rest));
        }
    }
    let file = place.join(rest).with_extension("rs");
    let module = place.join(rest).join("mod.rs");
    [file, module]
        .into_iter()
        .find(|file| file.is_file())
        .map(|file| (file, ""))
}

fn first(path: &str) -> &str {
    path.split("::").next().unwrap_or(path)
}

/// Whether `path` names something that is there.
fn exists(crates: &BTreeMap<String, PathBuf>, path: &str) -> bool {
    // A crate's tests may also lie beside `tests/it`.
    let beside = path.replacen("::tests::", "::tests::../", 1);
    [path, &beside].into_iter().any(|path| {
        file_of(crates, path).is_some_and(|(file, function)| {
            let text = fs::read_to_string(file).unwrap();
            function.is_empty() || text.contains(&format!("fn {function}"))
        })
    })
}

#[test]
fn every_name_in_it_is_there() {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let crates = crates();
    let names: Vec<&str> = text
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(|code| code.contains("::") && crates.contains_key(first(code)))
        .collect();
    assert!(names.len() > 30, "{names:?}");
    let missing: Vec<&&str> = names.iter().filter(|name| !exists(&crates, name)).collect();
    assert!(missing.is_empty(), "not there: {missing:#?}");
}

#[test]
fn a_name_that_is_not_there_is_noticed() {
    let crates = crates();
    assert!(exists(&crates, "mqd::dispatch::answer"));
    assert!(exists(&crates, "wire_protocol::message"));
    assert!(!exists(&crates, "mqd::dispatch::nobody"));
    assert!(!exists(&crates, "mqd::nowhere::answer"));
    assert!(!exists(&crates, "mqd::tests::kill::nothing"));
}
