//! The copy of the workspace that `verify` works in.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::cargo::Cargo;
use crate::chapter::{Chapter, Workspace};
use crate::commands::stubs::stubs_of;
use crate::holes::TaskId;
use crate::tree::{self, Files};

/// What cargo needs of the workspace.
const MEMBERS: [&str; 7] = [
    "chapters",
    "exercises",
    "interop",
    "mini-projects",
    "solutions",
    "testing",
    "workbook",
];
const ROOT_FILES: [&str; 2] = ["Cargo.toml", "Cargo.lock"];
/// Folders that are made, not written.
const NOT_COPIED: [&str; 3] = ["target", "node_modules", "__pycache__"];

/// A copy of the workspace. A file whose content did not change is not written,
/// so that cargo builds only what changed since the last time.
#[derive(Debug)]
pub struct Mirror {
    workspace: Workspace,
    target: PathBuf,
}

impl Mirror {
    /// Copies `workspace`, with every exercise as its untouched stub.
    ///
    /// # Errors
    /// When a file cannot be read or written, or a solution's holes are not in order.
    pub fn new(workspace: &Workspace) -> Result<Mirror> {
        let folder = workspace.path("target/verify");
        let mirror = Mirror {
            workspace: Workspace {
                root: folder.join("workspace"),
            },
            target: folder.join("target"),
        };
        let mut copied = BTreeSet::new();
        for name in ROOT_FILES {
            mirror.copy(workspace, Path::new(name), &mut copied)?;
        }
        for name in MEMBERS {
            mirror.copy(workspace, Path::new(name), &mut copied)?;
        }
        let chapters = workspace.chapters()?;
        for chapter in &chapters {
            let source = chapter.exercise().join("src");
            copied.retain(|file| !file.starts_with(&source));
            for (name, text) in stubs_of(workspace, chapter, &BTreeSet::new())? {
                let file = source.join(name);
                tree::write_if_changed(&mirror.workspace.path(&file), text.as_bytes())?;
                copied.insert(file);
            }
        }
        for name in MEMBERS {
            mirror.remove_others(Path::new(name), &copied)?;
        }
        Ok(mirror)
    }

    /// The copy.
    #[must_use]
    pub fn workspace(&self) -> &Workspace {
        &self.workspace
    }

    /// Builds in the copy.
    #[must_use]
    pub fn cargo(&self) -> Cargo {
        Cargo::new(&self.workspace.root, Some(&self.target))
    }

    /// Makes the copy's exercise the stub in which the tasks of `filled` are solved.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn fill(&self, chapter: &Chapter, filled: &BTreeSet<TaskId>) -> Result<()> {
        self.put(chapter, &stubs_of(&self.workspace, chapter, filled)?)
    }

    /// Makes the copy's exercise have exactly these files.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn put(&self, chapter: &Chapter, files: &Files) -> Result<()> {
        let source = self.workspace.path(chapter.exercise().join("src"));
        for (name, text) in files {
            tree::write_if_changed(&source.join(name), text.as_bytes())?;
        }
        Ok(())
    }

    fn copy(&self, from: &Workspace, name: &Path, copied: &mut BTreeSet<PathBuf>) -> Result<()> {
        let source = from.path(name);
        if source.is_dir() {
            let entries =
                fs::read_dir(&source).with_context(|| format!("reading {}", source.display()))?;
            for entry in entries {
                let entry = entry?.file_name();
                let text = entry.to_string_lossy();
                if !text.starts_with('.') && !NOT_COPIED.contains(&&*text) {
                    self.copy(from, &name.join(&entry), copied)?;
                }
            }
        } else if source.is_file() && !is_exercise_source(name) {
            let bytes =
                fs::read(&source).with_context(|| format!("reading {}", source.display()))?;
            tree::write_if_changed(&self.workspace.path(name), &bytes)?;
            copied.insert(name.to_owned());
        }
        Ok(())
    }

    fn remove_others(&self, name: &Path, copied: &BTreeSet<PathBuf>) -> Result<()> {
        let path = self.workspace.path(name);
        if path.is_file() {
            if !copied.contains(name) {
                fs::remove_file(&path).with_context(|| format!("removing {}", path.display()))?;
            }
            return Ok(());
        }
        let Ok(entries) = fs::read_dir(&path) else {
            return Ok(());
        };
        for entry in entries {
            self.remove_others(&name.join(entry?.file_name()), copied)?;
        }
        // Only an empty folder is removed: cargo takes one for a member of the workspace.
        let _ = fs::remove_dir(&path);
        Ok(())
    }
}

/// `exercises/NN-name/src/…`: a learner's text, which is not read.
fn is_exercise_source(name: &Path) -> bool {
    let mut parts = name.components().map(|part| part.as_os_str());
    parts.next().is_some_and(|part| part == "exercises")
        && parts.nth(1).is_some_and(|part| part == "src")
}
