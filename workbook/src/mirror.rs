//! A copy of the workspace, with parts of another text.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::chapter::{Chapter, Workspace};
use crate::commands::stubs::stubs_of;
use crate::holes::TaskId;
use crate::tree::{self, Files};

/// What cargo needs beside the folders with packages.
const ROOT_FILES: [&str; 2] = ["Cargo.toml", "Cargo.lock"];
/// What tests of chapters include from elsewhere.
const TRACES: &str = "book/src/traces";
/// Folders that are made, not written.
const NOT_COPIED: [&str; 3] = ["target", "node_modules", "__pycache__"];

/// Makes the bytes of a file, given its name and what the original has.
pub type Edit<'a> = dyn Fn(&Path, Vec<u8>) -> Result<Vec<u8>> + 'a;

/// What is different in a copy.
pub struct Changes<'a> {
    /// Each part's text.
    pub part: &'a dyn Fn(&Chapter) -> Result<Files>,
    /// Every other file.
    pub edited: &'a Edit<'a>,
}

/// A copy of the workspace. A file whose content did not change is not written,
/// so that cargo builds only what changed since the last time.
#[derive(Debug)]
pub struct Mirror {
    workspace: Workspace,
}

impl Mirror {
    /// Copies `workspace` into `folder`, which is one of it.
    ///
    /// # Errors
    /// When a file cannot be read or written, or a part not be made.
    pub fn new(workspace: &Workspace, folder: &str, changes: &Changes<'_>) -> Result<Mirror> {
        let mirror = Mirror {
            workspace: Workspace {
                root: workspace.path(folder),
            },
        };
        let mut copied = BTreeSet::new();
        let groups = workspace.groups()?;
        let names = ROOT_FILES
            .into_iter()
            .chain(groups.iter().map(String::as_str));
        for name in names {
            mirror.copy(workspace, Path::new(name), changes, &mut copied)?;
        }
        if workspace.path(TRACES).is_dir() {
            mirror.copy(workspace, Path::new(TRACES), changes, &mut copied)?;
        }
        for chapter in &workspace.chapters()? {
            let source = chapter.exercise().join("src");
            let files = (changes.part)(chapter)?;
            mirror.put(chapter, &files)?;
            copied.retain(|file| !file.starts_with(&source));
            copied.extend(files.keys().map(|name| source.join(name)));
        }
        for name in &groups {
            mirror.remove_others(Path::new(name), &copied)?;
        }
        Ok(mirror)
    }

    /// The copy.
    #[must_use]
    pub fn workspace(&self) -> &Workspace {
        &self.workspace
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

    fn copy(
        &self,
        from: &Workspace,
        name: &Path,
        changes: &Changes<'_>,
        copied: &mut BTreeSet<PathBuf>,
    ) -> Result<()> {
        let source = from.path(name);
        if source.is_dir() {
            let entries =
                fs::read_dir(&source).with_context(|| format!("reading {}", source.display()))?;
            for entry in entries {
                let entry = entry?.file_name();
                let text = entry.to_string_lossy();
                if !text.starts_with('.') && !NOT_COPIED.contains(&&*text) {
                    self.copy(from, &name.join(&entry), changes, copied)?;
                }
            }
        } else if source.is_file() && !is_exercise_source(name) {
            let bytes =
                fs::read(&source).with_context(|| format!("reading {}", source.display()))?;
            let bytes = (changes.edited)(name, bytes)?;
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
