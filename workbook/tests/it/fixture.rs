//! A small workspace with one part, in a temporary folder.

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;
use workbook::chapter::{Chapter, Workspace};

/// A solution with two holes in one file, and one in another.
pub(crate) const PAIR: &str = "\
//! A pair.

/// The sum.
pub fn sum(a: i32, b: i32) -> i32 {
    // task 6.1: add them
    a + b
    // end
}

/// The product.
pub fn product(a: i32, b: i32) -> i32 {
    // task 6.2: multiply, with a \"shortcut\" for {0}
    let zero = a == 0 || b == 0;
    if zero { 0 } else { a * b }
    // end
}
";

/// Its stub.
pub(crate) const PAIR_STUB: &str = "\
//! A pair.

/// The sum.
pub fn sum(a: i32, b: i32) -> i32 {
    // task 6.1: add them
    todo!(\"6.1: add them\")
    // end
}

/// The product.
pub fn product(a: i32, b: i32) -> i32 {
    // task 6.2: multiply, with a \"shortcut\" for {0}
    todo!(\"6.2: multiply, with a \\\"shortcut\\\" for {{0}}\")
    // end
}
";

pub(crate) struct Fixture {
    folder: TempDir,
    pub(crate) workspace: Workspace,
    pub(crate) chapter: Chapter,
}

impl Fixture {
    /// With `solutions/06-pairs` and a committed placeholder in `exercises/06-pairs`.
    pub(crate) fn new() -> Fixture {
        let folder = tempfile::tempdir().unwrap();
        let fixture = Fixture {
            workspace: Workspace {
                root: folder.path().to_owned(),
            },
            chapter: Chapter {
                folder: "06-pairs".to_owned(),
            },
            folder,
        };
        fixture.write("Cargo.toml", ROOT);
        fixture.write("solutions/06-pairs/src/lib.rs", "//! Pairs.\n\nmod pair;\n");
        fixture.write("solutions/06-pairs/src/pair.rs", PAIR);
        fixture.write("exercises/06-pairs/Cargo.toml", "[package]\n");
        fixture.write("exercises/06-pairs/src/lib.rs", "//! Not written yet.\n");
        fixture.write("exercises/06-pairs/spec/mod.rs", "mod task_1;\n");
        fixture.write("exercises/06-pairs/tasks.toml", TASKS);
        fixture.git(&["init", "-q"]);
        fixture.commit();
        fixture
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.folder.path().join(path)).unwrap()
    }

    pub(crate) fn remove(&self, path: &str) {
        fs::remove_file(self.folder.path().join(path)).unwrap();
    }

    pub(crate) fn exists(&self, path: &str) -> bool {
        self.folder.path().join(path).exists()
    }

    pub(crate) fn commit(&self) {
        self.git(&["add", "-A"]);
        self.git(&[
            "-c",
            "user.name=t",
            "-c",
            "user.email=t@example.org",
            "commit",
            "-qm",
            "state",
        ]);
    }

    fn git(&self, arguments: &[&str]) {
        let status = Command::new("git")
            .current_dir(self.folder.path())
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .args(arguments)
            .status();
        assert!(status.unwrap().success(), "git {arguments:?}");
    }
}

const ROOT: &str = r#"
[workspace]
members = ["chapters/*", "exercises/*", "solutions/*"]
"#;

/// The workspace that these tests are part of.
pub(crate) fn this_tree() -> Workspace {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    Workspace {
        root: own.parent().unwrap().to_owned(),
    }
}

/// Its chapters with a part. A case study's part is on the pages from its first page on.
pub(crate) fn taught(workspace: &Workspace) -> Vec<Chapter> {
    let summary = fs::read_to_string(workspace.path("book/src/SUMMARY.md")).unwrap();
    let mut chapters = workspace.chapters().unwrap();
    chapters.retain(|chapter| {
        let first = format!("({}", chapter.folder);
        !chapter.is_case_study() || summary.contains(&first)
    });
    chapters
}

pub(crate) const TASKS: &str = r#"
[[task]]
id = "6.1"
kind = "queue"
stars = 0
minutes = 5
hints = ["a", "b", "c"]

[[task]]
id = "6.2"
kind = "study"
stars = 2
minutes = 20
hints = ["a", "b", "c"]
"#;
