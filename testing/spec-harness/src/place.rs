//! Which task of which chapter a case belongs to.

/// Where a case stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
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
        Place { chapter, task }
    }

    /// The task as learners know it: `6.1`.
    #[must_use]
    pub fn task_id(&self) -> String {
        let number = self.chapter.split('-').next().unwrap_or_default();
        format!("{}.{}", number.trim_start_matches('0'), self.task)
    }

    /// The page that explains it.
    #[must_use]
    pub fn page(&self) -> String {
        format!("book/src/{}.md", self.chapter)
    }
}
