//! Which chapters' proofs held on exactly what they depend on now.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::cargo;
use crate::chapter::{Chapter, Workspace};
use crate::mirror::Mirror;
use crate::tree;

/// What every chapter's proofs depend on: what they are made with, and how.
const COMMON: [&str; 4] = [
    "Cargo.toml",
    "Cargo.lock",
    ".cargo/config.toml",
    "workbook/src",
];

/// The packages of the workspace, and the proofs that were kept.
#[derive(Debug)]
pub struct Kept {
    workspace: Workspace,
    copy: PathBuf,
    /// By folder: the folders of the packages that it is built or tested with.
    packages: BTreeMap<PathBuf, Vec<PathBuf>>,
    common: u64,
}

impl Kept {
    /// Asks cargo how the packages of the copy hang together.
    ///
    /// # Errors
    /// When cargo or rustc cannot be run, or a file not be read.
    pub fn new(workspace: &Workspace, mirror: &Mirror) -> Result<Kept> {
        let said = |mut command: std::process::Command| -> Result<Vec<u8>> {
            let output = command.output().context("running cargo or rustc")?;
            let errors = String::from_utf8_lossy(&output.stderr);
            ensure!(output.status.success(), "{errors}");
            Ok(output.stdout)
        };
        let cargo = cargo(mirror);
        let metadata = ["metadata", "--no-deps", "--format-version=1"];
        let metadata: Value = serde_json::from_slice(&said(cargo.command(&metadata))?)?;
        let mut compiler = cargo.program(Path::new("rustc"));
        compiler.arg("-vV");
        let mut hasher = DefaultHasher::new();
        said(compiler)?.hash(&mut hasher);
        std::env::var_os("RUSTFLAGS").hash(&mut hasher);
        for name in COMMON {
            hash_files(&workspace.path(name), &mut hasher)?;
        }
        Ok(Kept {
            workspace: workspace.clone(),
            copy: mirror.workspace().root.clone(),
            packages: packages(&metadata),
            common: hasher.finish(),
        })
    }

    /// How many proofs of the chapter held on what it depends on now; `None` if it was
    /// never tried so, or one did not hold.
    #[must_use]
    pub fn passed(&self, chapter: &Chapter) -> Option<u64> {
        let text = fs::read_to_string(self.file(chapter)).ok()?;
        let kept: Value = serde_json::from_str(&text).ok()?;
        let hash = self.hash(chapter).ok()?;
        (kept["hash"].as_u64() == Some(hash)).then(|| kept["passed"].as_u64())?
    }

    /// Keeps that `passed` proofs hold, which is all of them.
    ///
    /// # Errors
    /// When a file cannot be read or written.
    pub fn keep(&self, chapter: &Chapter, passed: usize) -> Result<()> {
        let text = json!({ "hash": self.hash(chapter)?, "passed": passed }).to_string();
        tree::write_if_changed(&self.file(chapter), text.as_bytes())?;
        Ok(())
    }

    fn file(&self, chapter: &Chapter) -> PathBuf {
        let name = format!("target/verify/passed/{}.json", chapter.folder);
        self.workspace.path(name)
    }

    /// Of everything that the chapter's proofs depend on.
    fn hash(&self, chapter: &Chapter) -> Result<u64> {
        let mut hasher = DefaultHasher::new();
        self.common.hash(&mut hasher);
        for folder in self.reached(chapter) {
            hash_files(&self.copy.join(folder), &mut hasher)?;
        }
        // The committed stub, and the pinned messages: the copy has the first made anew.
        hash_files(&self.workspace.path(chapter.exercise()), &mut hasher)?;
        Ok(hasher.finish())
    }

    /// The folders of the chapter's packages and of all that they are built or tested with.
    fn reached(&self, chapter: &Chapter) -> BTreeSet<&Path> {
        let own = [chapter.home(), chapter.exercise(), chapter.solution()];
        let own = own
            .iter()
            .filter_map(|folder| self.packages.get_key_value(folder));
        let mut open: Vec<&Path> = own.map(|(folder, _)| folder.as_path()).collect();
        let mut reached = BTreeSet::new();
        while let Some(folder) = open.pop() {
            if reached.insert(folder) {
                let imports = self.packages.get(folder).into_iter().flatten();
                open.extend(imports.map(PathBuf::as_path));
            }
        }
        reached
    }
}

/// What `cargo metadata` says of the packages, by folder in the workspace.
fn packages(metadata: &Value) -> BTreeMap<PathBuf, Vec<PathBuf>> {
    let root = Path::new(metadata["workspace_root"].as_str().unwrap_or_default());
    let within = |folder: &Path| folder.strip_prefix(root).unwrap_or(folder).to_owned();
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let package = |package: &Value| {
        let manifest = Path::new(package["manifest_path"].as_str()?);
        let imports = list(&package["dependencies"]);
        let imports = imports.iter().filter_map(|import| import["path"].as_str());
        let imports = imports.map(|path| within(Path::new(path))).collect();
        Some((within(manifest.parent()?), imports))
    };
    let packages = list(&metadata["packages"]);
    packages.iter().filter_map(package).collect()
}

/// Takes in name and content of each file below `path`, or of the file that it is.
fn hash_files(path: &Path, hasher: &mut DefaultHasher) -> Result<()> {
    if path.is_dir() {
        let entries = fs::read_dir(path).with_context(|| path.display().to_string())?;
        let entries = entries.map(|entry| entry.map(|entry| entry.path()));
        let mut entries = entries.collect::<Result<Vec<_>, _>>()?;
        entries.sort();
        return entries
            .iter()
            .try_for_each(|entry| hash_files(entry, hasher));
    }
    if path.exists() {
        path.hash(hasher);
        let bytes = fs::read(path).with_context(|| path.display().to_string())?;
        bytes.hash(hasher);
    }
    Ok(())
}
