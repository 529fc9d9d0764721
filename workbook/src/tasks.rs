//! What a chapter's author says of its tasks: `tasks.toml` and `wrong.toml`.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

use crate::chapter::{self, Chapter, Workspace};
use crate::entry::{self, Entry};
use crate::holes::{self, TaskId};
use crate::tree::{self, Files};

/// How a task is reached when the queue runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The running queue goes through it.
    Queue,
    /// It does not.
    Study,
    /// Async code around the part; the running queue goes through it.
    Shell,
}

/// One `[[task]]` of `tasks.toml`, with what its holes say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// `6.1`.
    pub id: TaskId,
    /// What the learner is to do, in one line: from `tasks.toml`, or from the comment of the
    /// only hole in the solution.
    pub title: String,
    /// The solution's files with its holes, such as `src/offset_index.rs`.
    pub files: Vec<String>,
    /// How it is reached.
    pub kind: Kind,
    /// How hard, from 0 to 3.
    pub stars: u8,
    /// How long it takes, about.
    pub minutes: u32,
    /// From a nudge to nearly the answer.
    pub hints: Vec<String>,
    /// The page that teaches it: the chapter's, if `tasks.toml` names no other.
    pub page: PathBuf,
}

/// One `[[wrong]]` of `wrong.toml`: a plausible mistake, as an edit of the solution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrongAnswer {
    /// Whose mistake it is.
    pub task: TaskId,
    /// Short, unique in its chapter; names the golden file.
    pub name: String,
    /// What is wrong with it, in one sentence for the learner.
    pub bug: String,
    /// The solution's file, such as `src/offset_index.rs`.
    pub file: String,
    /// Occurs once in that file.
    pub find: String,
    /// Stands there instead.
    pub replace: String,
    /// The cases that catch it: all of them, and no others.
    pub fails: Vec<String>,
}

/// The tasks of a chapter, in their order.
///
/// # Errors
/// When `tasks.toml` and the solution's holes do not name the same tasks, 1, 2, 3 …
pub fn tasks(workspace: &Workspace, chapter: &Chapter) -> Result<Vec<Task>> {
    let file = chapter.exercise().join("tasks.toml");
    let entries = described(&workspace.path(&file)).with_context(|| file.display().to_string())?;
    let mut tasks = holes_of_solution(workspace, chapter)?;
    tasks.sort_by_key(|task| task.id.number);
    for (index, task) in tasks.iter_mut().enumerate() {
        ensure!(
            task.id.number as usize == index + 1,
            "chapter {}: task {} is there, and the one before it is missing",
            chapter.folder,
            task.id
        );
        let Some(entry) = entries.iter().find(|entry| entry.id == task.id) else {
            continue;
        };
        if let Some(title) = &entry.title {
            task.title.clone_from(title);
        }
        task.kind = entry.kind;
        task.stars = entry.stars;
        task.minutes = entry.minutes;
        task.hints.clone_from(&entry.hints);
        if let Some(page) = &entry.page {
            task.page = chapter::page(page);
        }
    }
    for entry in &entries {
        ensure!(
            tasks.iter().any(|task| task.id == entry.id),
            "chapter {}: tasks.toml has a task {}, but the solution has no hole for it",
            chapter.folder,
            entry.id
        );
    }
    Ok(tasks)
}

/// What `tasks.toml` says of a task.
struct Described {
    id: TaskId,
    /// Of a task of several holes: each of these has only its own.
    title: Option<String>,
    kind: Kind,
    stars: u8,
    minutes: u32,
    hints: Vec<String>,
    /// Its name without an ending, such as `15-compaction`.
    page: Option<String>,
}

fn described(file: &Path) -> Result<Vec<Described>> {
    if !file.exists() {
        return Ok(Vec::new());
    }
    let entries = entry::entries(&tree::read_text(file)?, "task")?;
    entries.iter().map(Described::read).collect()
}

impl Described {
    fn read(entry: &Entry) -> Result<Described> {
        entry.has_only(&["id", "title", "kind", "stars", "minutes", "hints", "page"])?;
        let kind = match &*entry.text("kind")? {
            "queue" => Kind::Queue,
            "study" => Kind::Study,
            "shell" => Kind::Shell,
            other => bail!("`{other}` is no kind; the kinds are queue, study and shell"),
        };
        Ok(Described {
            id: task_id(&entry.text("id")?)?,
            title: entry.optional_text("title")?,
            kind,
            stars: entry.number("stars")?,
            minutes: entry.number("minutes")?,
            hints: entry.texts("hints")?,
            page: entry.optional_text("page")?,
        })
    }
}

fn task_id(text: &str) -> Result<TaskId> {
    TaskId::parse(text).with_context(|| format!("`{text}` is no task N.K"))
}

/// What the solution's text alone says of its tasks: no hints, 0 minutes.
fn holes_of_solution(workspace: &Workspace, chapter: &Chapter) -> Result<Vec<Task>> {
    let folder = workspace.path(chapter.solution().join("src"));
    let mut tasks = Vec::<Task>::new();
    for (name, text) in tree::read(&folder)? {
        let found =
            holes::holes(&text).with_context(|| folder.join(&name).display().to_string())?;
        let file = format!("src/{}", name.display());
        for hole in found {
            let known = tasks.iter_mut().find(|task| task.id == hole.task);
            match known {
                Some(task) if task.files.contains(&file) => {}
                Some(task) => task.files.push(file.clone()),
                None => tasks.push(Task {
                    id: hole.task,
                    title: hole.title,
                    files: vec![file.clone()],
                    kind: Kind::Queue,
                    stars: 0,
                    minutes: 0,
                    hints: Vec::new(),
                    page: chapter.page(),
                }),
            }
        }
    }
    Ok(tasks)
}

/// The wrong answers of a chapter, in its author's order.
///
/// # Errors
/// When `wrong.toml` cannot be read.
pub fn wrong_answers(workspace: &Workspace, chapter: &Chapter) -> Result<Vec<WrongAnswer>> {
    let file = workspace.path(chapter.exercise().join("wrong.toml"));
    if !file.exists() {
        return Ok(Vec::new());
    }
    parse_wrong_answers(&tree::read_text(&file)?).with_context(|| file.display().to_string())
}

/// Reads the text of a `wrong.toml`.
///
/// # Errors
/// When it is no such text, a task is not `N.K`, a name is not unique or cannot
/// name a file, or a wrong answer names no case.
pub fn parse_wrong_answers(text: &str) -> Result<Vec<WrongAnswer>> {
    let mut answers: Vec<WrongAnswer> = Vec::new();
    for entry in entry::entries(text, "wrong")? {
        let answer = WrongAnswer::read(&entry)?;
        let name = &answer.name;
        ensure!(
            answers.iter().all(|other| other.name != *name),
            "`{name}` is there twice"
        );
        answers.push(answer);
    }
    Ok(answers)
}

impl WrongAnswer {
    fn read(entry: &Entry) -> Result<WrongAnswer> {
        entry.has_only(&["task", "name", "bug", "file", "find", "replace", "fails"])?;
        let name = entry.text("name")?;
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        ensure!(
            !name.is_empty() && name.bytes().all(plain),
            "`{name}`: a name has only a-z, 0-9 and -"
        );
        let mut fails = entry.texts("fails")?;
        fails.sort();
        ensure!(!fails.is_empty(), "`{name}` names no case that catches it");
        Ok(WrongAnswer {
            task: task_id(&entry.text("task")?)?,
            bug: entry.text("bug")?,
            file: entry.text("file")?,
            find: entry.text("find")?,
            replace: entry.text("replace")?,
            name,
            fails,
        })
    }

    /// The file that it changes, of the files below the solution's `src`.
    ///
    /// # Errors
    /// When there is no such file.
    pub fn file_of<'a>(&self, solution: &'a Files) -> Result<(&'a Path, &'a str)> {
        let name = Path::new(&self.file).strip_prefix("src").ok();
        let found = name.and_then(|name| solution.get_key_value(name));
        let (name, text) =
            found.with_context(|| format!("`{}`: the solution has no {}", self.name, self.file))?;
        Ok((name, text))
    }

    /// The solution's file with the mistake in it.
    ///
    /// # Errors
    /// When `find` does not occur exactly once.
    pub fn apply(&self, solution: &str) -> Result<String> {
        let count = solution.matches(&self.find).count();
        ensure!(
            count == 1,
            "`{}`: its `find` occurs {count} times in {}, and must occur once",
            self.name,
            self.file
        );
        Ok(solution.replacen(&self.find, &self.replace, 1))
    }
}
