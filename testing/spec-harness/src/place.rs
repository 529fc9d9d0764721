//! Which task of which chapter a case belongs to.

use std::fs;
use std::path::Path;

/// Where a case stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The package's folder.
    folder: &'static Path,
    /// The chapter's folder, such as `06-log-storage`.
    pub chapter: &'static str,
    /// The task in it, such as 1.
    pub task: u32,
}

impl Place {
    /// Reads it off the package's folder and the case's module, which is or lies in `task_N`.
    ///
    /// # Panics
    /// When the case does not stand in such a module: a mistake of the spec's author.
    #[must_use]
    pub fn new(manifest_dir: &'static str, module: &'static str) -> Place {
        let chapter = manifest_dir
            .rsplit(['/', '\\'])
            .next()
            .unwrap_or(manifest_dir);
        let task = module
            .split("::")
            .find_map(|segment| segment.strip_prefix("task_")?.parse().ok())
            .expect("a case stands in a module task_N");
        Place {
            folder: Path::new(manifest_dir),
            chapter,
            task,
        }
    }

    /// The task as learners know it: `6.1`.
    #[must_use]
    pub fn task_id(&self) -> String {
        let number = self.chapter.split('-').next().unwrap_or_default();
        format!("{}.{}", number.trim_start_matches('0'), self.task)
    }

    /// The page that explains it: the one that `tasks.toml` names, else the chapter's.
    #[must_use]
    pub fn page(&self) -> String {
        let page = self.named_page();
        format!("book/src/{}.md", page.as_deref().unwrap_or(self.chapter))
    }

    /// Looks through the lines of the task's entry. (A reader of TOML would be built
    /// together with every learner's first case.)
    fn named_page(&self) -> Option<String> {
        // A spec is run in `exercises` and in `solutions`; the file is in the former.
        let exercise = Path::new("../../exercises").join(self.chapter);
        let file = self.folder.join(exercise).join("tasks.toml");
        let text = fs::read_to_string(file).ok()?;
        let own = format!("id = \"{}\"", self.task_id());
        let entries = text.split("[[task]]");
        let entry = entries.into_iter().find(|entry| has_line(entry, &own))?;
        let page = entry
            .lines()
            .find_map(|line| line.strip_prefix("page = \""))?;
        Some(page.split('"').next()?.to_owned())
    }
}

fn has_line(entry: &str, wanted: &str) -> bool {
    entry.lines().any(|line| line.starts_with(wanted))
}
