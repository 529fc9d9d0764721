//! The import rules: downward only, and the client side never reaches the log
//! or the broker. Dev-dependencies are free: tests may look from everywhere.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use workbook::chapter::Workspace;

use crate::fixture::this_tree;

/// Chapters on the client side; the mini-projects are there as well.
const CLIENT_SIDE: [&str; 5] = ["13", "14", "16", "17", "18"];
/// The client's side of a chapter whose other side is the broker's.
const CLIENT_PACKAGES: [&str; 1] = ["exactly-once-client"];
/// What a client must not reach, even through others.
const SERVER_SIDE: [&str; 2] = ["log-storage", "broker"];

#[derive(Debug, Clone, PartialEq, Eq)]
struct Package {
    /// The folder at the root: `chapters`, `solutions` or `workbook`, for example.
    group: String,
    /// `06` of `chapters/06-log-storage`; empty where folders have no number.
    number: String,
    /// Packages of this workspace that it is built from.
    imports: BTreeSet<String>,
}

type Packages = BTreeMap<String, Package>;

fn packages(workspace: &Workspace) -> Packages {
    let mut packages = Packages::new();
    for group in workspace.groups().unwrap() {
        let folder = workspace.path(&group);
        if folder.join("Cargo.toml").is_file() {
            let (name, package) = read(&folder, &group, "");
            packages.insert(name, package);
            continue;
        }
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let folder = entry.file_name().into_string().unwrap();
            let (name, package) = read(&entry.path(), &group, &folder);
            packages.insert(name, package);
        }
    }
    // A chapter whose client's side is a package of its own, and what a project consists of.
    for member in nested(workspace) {
        let parts: Vec<&str> = member.split('/').collect();
        let (name, package) = read(&workspace.path(&member), parts[0], parts[1]);
        packages.insert(name, package);
    }
    let known: BTreeSet<String> = packages.keys().cloned().collect();
    for package in packages.values_mut() {
        package.imports.retain(|name| known.contains(name));
    }
    packages
}

/// The members of the workspace that are inside of another one, as the root names them.
fn nested(workspace: &Workspace) -> Vec<String> {
    let text = fs::read_to_string(workspace.path("Cargo.toml")).unwrap();
    let manifest: toml::Table = text.parse().unwrap();
    let members = manifest["workspace"]["members"].as_array().unwrap();
    let members = members
        .iter()
        .map(|member| member.as_str().unwrap().to_owned());
    let nested: Vec<String> = members
        .filter(|member| member.matches('/').count() == 2)
        .collect();
    assert!(!nested.is_empty());
    nested
}

fn read(folder: &Path, group: &str, name: &str) -> (String, Package) {
    let text = fs::read_to_string(folder.join("Cargo.toml")).unwrap();
    let manifest: toml::Table = text.parse().unwrap();
    let mut imports = BTreeSet::new();
    for kind in ["dependencies", "build-dependencies"] {
        let Some(table) = manifest.get(kind).and_then(toml::Value::as_table) else {
            continue;
        };
        for (key, value) in table {
            let renamed = value.get("package").and_then(toml::Value::as_str);
            imports.insert(renamed.unwrap_or(key).to_owned());
        }
    }
    assert!(
        !manifest.contains_key("target"),
        "{name}: not looked at here"
    );
    let number = name.split('-').next().unwrap();
    let is_number = number.trim_start_matches('p').parse::<u32>().is_ok();
    let package = Package {
        group: group.to_owned(),
        number: if is_number { number } else { "" }.to_owned(),
        imports,
    };
    (
        manifest["package"]["name"].as_str().unwrap().to_owned(),
        package,
    )
}

/// Every breach of the rules, as a sentence.
fn breaches(packages: &Packages) -> Vec<String> {
    let mut found = Vec::new();
    for (name, package) in packages {
        for import in &package.imports {
            let other = &packages[import];
            if let Some(rule) = breach(package, other) {
                found.push(format!("{name} imports {import}: {rule}"));
            }
        }
        let client = package.group == "mini-projects"
            || CLIENT_PACKAGES.contains(&&**name)
            || (package.group == "chapters" && CLIENT_SIDE.contains(&&*package.number));
        if client {
            let reached = reached(packages, name);
            let server = SERVER_SIDE
                .iter()
                .filter(|server| reached.contains(**server));
            found.extend(server.map(|server| format!("{name}, a client, reaches {server}")));
        }
    }
    found
}

fn breach(package: &Package, other: &Package) -> Option<&'static str> {
    let own = package.number == other.number;
    match (&*package.group, &*other.group) {
        ("disk", _) => Some("it is below every chapter"),
        ("chapters" | "solutions" | "exercises", "disk") => None,
        ("chapters", "solutions" | "exercises") => (!own).then_some("another chapter's part"),
        ("mini-projects", "solutions" | "exercises") => {
            let of_a_project = other.number.starts_with('p');
            (!of_a_project).then_some("a chapter's part")
        }
        ("chapters", "chapters") => {
            (other.number >= package.number).then_some("a chapter imports lower ones only")
        }
        ("solutions" | "exercises", "chapters") => {
            (other.number >= package.number).then_some("a part imports lower chapters only")
        }
        ("mini-projects", "mini-projects") => None,
        ("mini-projects", "chapters") => (other.number == "25").then_some("clients, not the queue"),
        ("testing" | "interop", _) | (_, "testing") => None,
        ("workbook", _) => Some("the command line starts programs, it is built from none"),
        _ => Some("nobody imports this"),
    }
}

fn reached<'a>(packages: &'a Packages, from: &'a str) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut open = vec![from];
    while let Some(name) = open.pop() {
        if reached.insert(name) {
            open.extend(packages[name].imports.iter().map(String::as_str));
        }
    }
    reached
}

#[test]
fn imports_go_downward_only() {
    assert_eq!(breaches(&packages(&this_tree())), Vec::<String>::new());
}

#[test]
fn tests_that_start_mqd_live_in_the_queue() {
    let workspace = this_tree();
    for (name, _) in packages(&workspace) {
        let Some(folder) = chapter_folder(&workspace, &name) else {
            continue;
        };
        let text = fs::read_to_string(folder.join("Cargo.toml")).unwrap();
        assert!(
            name == "mqd" || !text.contains("mqd-guard"),
            "{name} starts mqd: such tests live in chapters/25-the-queue"
        );
    }
}

fn chapter_folder(workspace: &Workspace, package: &str) -> Option<std::path::PathBuf> {
    let folders = fs::read_dir(workspace.path("chapters")).unwrap();
    let mut folders = folders.map(|entry| entry.unwrap().path());
    folders.find(|folder| read(folder, "chapters", "").0 == package)
}

/// The rules themselves can fail: each of these graphs breaks one.
#[test]
fn each_rule_notices_its_breach() {
    let cases = [
        (
            "chapters/06",
            "chapters/07",
            "a chapter imports lower ones only",
        ),
        ("chapters/07", "solutions/06", "another chapter's part"),
        ("mini-projects/", "solutions/06", "a chapter's part"),
        (
            "solutions/06",
            "chapters/06",
            "a part imports lower chapters only",
        ),
        (
            "exercises/06",
            "chapters/07",
            "a part imports lower chapters only",
        ),
        ("disk/", "chapters/01", "it is below every chapter"),
        ("solutions/06", "solutions/05", "nobody imports this"),
        ("mini-projects/p1", "chapters/25", "clients, not the queue"),
        (
            "workbook/",
            "chapters/06",
            "the command line starts programs, it is built from none",
        ),
    ];
    for (from, to, rule) in cases {
        let packages = graph(&[(from, to)]);
        assert_eq!(
            breaches(&packages),
            [format!("{from} imports {to}: {rule}")]
        );
    }
    let through = graph(&[
        ("chapters/13", "chapters/04"),
        ("chapters/04", "log-storage"),
    ]);
    assert!(breaches(&through).contains(&"chapters/13, a client, reaches log-storage".to_owned()));
    let through = graph(&[
        ("exactly-once-client", "chapters/04"),
        ("chapters/04", "log-storage"),
    ]);
    let reaches = "exactly-once-client, a client, reaches log-storage".to_owned();
    assert!(breaches(&through).contains(&reaches));
    let fine = graph(&[
        ("chapters/07", "chapters/06"),
        ("chapters/07", "solutions/07"),
        ("chapters/07", "exercises/07"),
        ("solutions/07", "chapters/06"),
        ("solutions/06", "disk/"),
        ("testing/", "disk/"),
        ("mini-projects/p1", "chapters/13"),
        ("mini-projects/", "solutions/p1"),
        ("workbook/", "testing/"),
    ]);
    assert_eq!(breaches(&fine), Vec::<String>::new());
}

/// A graph whose packages are called `group/number`, or `log-storage`.
fn graph(imports: &[(&str, &str)]) -> Packages {
    let mut packages = Packages::new();
    for name in imports.iter().flat_map(|(from, to)| [from, to]) {
        let (group, number) = name.split_once('/').unwrap_or(("chapters", "06"));
        packages.insert(
            (*name).to_owned(),
            Package {
                group: group.to_owned(),
                number: number.to_owned(),
                imports: BTreeSet::new(),
            },
        );
    }
    for (from, to) in imports {
        let package = packages.get_mut(*from).unwrap();
        package.imports.insert((*to).to_owned());
    }
    packages
}
