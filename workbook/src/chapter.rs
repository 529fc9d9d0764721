//! Where things are: the workspace and its chapters.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use toml::Value;

use crate::holes::short_number;
use crate::tree;

/// The workspace on disk.
#[derive(Debug, Clone)]
pub struct Workspace {
    /// The folder of the root `Cargo.toml`.
    pub root: PathBuf,
}

/// A chapter with a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chapter {
    /// `06-log-storage`, the folder in `exercises/` and `solutions/`.
    pub folder: String,
}

impl Workspace {
    /// The workspace that this program belongs to.
    #[must_use]
    pub fn of_this_program() -> Workspace {
        let own = std::env::var("CARGO_MANIFEST_DIR")
            .unwrap_or_else(|_| env!("CARGO_MANIFEST_DIR").to_owned());
        let root = Path::new(&own).parent().unwrap_or(Path::new("."));
        Workspace {
            root: root.to_owned(),
        }
    }

    /// A file or folder of it.
    #[must_use]
    pub fn path(&self, relative: impl AsRef<Path>) -> PathBuf {
        self.root.join(relative)
    }

    /// The folders at the root with the workspace's packages, such as `chapters` and
    /// `workbook`.
    ///
    /// # Errors
    /// When the root manifest cannot be read.
    pub fn groups(&self) -> Result<BTreeSet<String>> {
        let manifest: toml::Table = tree::read_text(&self.path("Cargo.toml"))?.parse()?;
        let members = manifest["workspace"]["members"].as_array();
        let members = members.into_iter().flatten().filter_map(Value::as_str);
        let first = |member: &str| member.split('/').next().unwrap_or(member).to_owned();
        Ok(members.map(first).collect())
    }

    /// Where the workbook keeps what it can make again.
    #[must_use]
    pub fn target(&self) -> PathBuf {
        self.path("target/workbook")
    }

    /// Every chapter with a part, in their order: numbers first, then the mini-projects.
    ///
    /// # Errors
    /// When `exercises/` cannot be read.
    pub fn chapters(&self) -> Result<Vec<Chapter>> {
        let folder = self.path("exercises");
        let mut chapters = Vec::new();
        for entry in
            std::fs::read_dir(&folder).with_context(|| format!("reading {}", folder.display()))?
        {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if entry.path().join("Cargo.toml").is_file() && name.contains('-') {
                chapters.push(Chapter { folder: name });
            }
        }
        chapters.sort_by(|a, b| a.folder.cmp(&b.folder));
        Ok(chapters)
    }

    /// The chapter that `name` means: `6`, `06`, `log-storage` or `06-log-storage`.
    ///
    /// # Errors
    /// When there is none; says which there are.
    pub fn chapter(&self, name: &str) -> Result<Chapter> {
        let chapters = self.chapters()?;
        let wanted = name.to_ascii_lowercase();
        if let Some(chapter) = chapters.iter().find(|chapter| chapter.is_called(&wanted)) {
            return Ok(chapter.clone());
        }
        let known: Vec<_> = chapters.iter().map(|chapter| &*chapter.folder).collect();
        bail!(
            "there is no chapter `{name}` with exercises; there are {}",
            known.join(", ")
        );
    }
}

/// `book/src/06-log-storage.md` of `06-log-storage`.
pub(crate) fn page(name: &str) -> PathBuf {
    Path::new("book/src").join(format!("{name}.md"))
}

impl Chapter {
    /// `06`.
    #[must_use]
    pub fn number(&self) -> &str {
        self.folder.split('-').next().unwrap_or_default()
    }

    /// `6`, as in the tasks' names.
    #[must_use]
    pub fn short_number(&self) -> &str {
        short_number(self.number())
    }

    /// `log-storage`: the package of the chapter.
    #[must_use]
    pub fn name(&self) -> &str {
        self.folder
            .split_once('-')
            .map_or(&self.folder, |(_, name)| name)
    }

    /// The package that the learner works in.
    #[must_use]
    pub fn exercise_package(&self) -> String {
        format!("{}-exercise", self.name())
    }

    /// `exercises/06-log-storage`.
    #[must_use]
    pub fn exercise(&self) -> PathBuf {
        Path::new("exercises").join(&self.folder)
    }

    /// `solutions/06-log-storage`.
    #[must_use]
    pub fn solution(&self) -> PathBuf {
        Path::new("solutions").join(&self.folder)
    }

    /// `chapters/06-log-storage`, or `mini-projects/rpc` of `p2-rpc`: the package that is built
    /// on the part.
    #[must_use]
    pub fn home(&self) -> PathBuf {
        if self.is_case_study() {
            return Path::new("mini-projects").join(self.name());
        }
        Path::new("chapters").join(&self.folder)
    }

    /// Whether it is a mini-project, which has no place among the chapters.
    #[must_use]
    pub fn is_case_study(&self) -> bool {
        self.folder.starts_with('p')
    }

    /// Its page in the book.
    #[must_use]
    pub fn page(&self) -> PathBuf {
        page(&self.folder)
    }

    fn is_called(&self, name: &str) -> bool {
        [
            self.number(),
            self.short_number(),
            self.name(),
            &self.folder,
        ]
        .contains(&name)
    }
}
