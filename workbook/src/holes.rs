//! Holes: what the learner fills.
//!
//! # In a file
//! ```text
//! // task 6.1: the last entry at or below the target
//! …the body of a function…
//! // end
//! ```
//! Both comments stand on lines of their own, in the solution and in the
//! exercise. In a stub the body is `todo!("6.1: …")`. So a hole can be found,
//! compared, filled and emptied again without understanding Rust.
//!
//! # Invariants
//! - Everything outside of the holes is the same in a solution and its stub.
//! - Holes do not nest. A task may have several, in one file or in more; its title
//!   is that of the first.

use std::collections::BTreeSet;
use std::fmt;

/// The width that rustfmt breaks lines at.
const LINE_WIDTH: usize = 100;

/// A task, such as `6.1`: the chapter's number without leading zeros, and its own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TaskId {
    /// `6`, or `p1` for a mini-project.
    pub chapter: String,
    /// Counts from 1.
    pub number: u32,
}

impl TaskId {
    /// Reads `6.1`, `06.1` or `P1.2`.
    #[must_use]
    pub fn parse(text: &str) -> Option<TaskId> {
        let (chapter, number) = text.split_once('.')?;
        let number: u32 = number.parse().ok()?;
        let chapter = chapter.to_ascii_lowercase();
        let rest = chapter.strip_prefix('p').unwrap_or(&chapter);
        let digits = !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit());
        (digits && number > 0).then(|| TaskId {
            chapter: short_number(&chapter).to_owned(),
            number,
        })
    }
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.chapter, self.number)
    }
}

/// `06` as learners say it: `6`.
#[must_use]
pub fn short_number(number: &str) -> &str {
    let short = number.trim_start_matches('0');
    if short.is_empty() { number } else { short }
}

/// One hole of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hole {
    /// Which task fills it.
    pub task: TaskId,
    /// What the learner is to do in it, in one line.
    pub title: String,
    /// The line of the opening comment, counting from 1.
    pub line: usize,
    /// Where the body's bytes are: whole lines, without the two comments.
    pub body: std::ops::Range<usize>,
    indent: String,
}

impl Hole {
    /// The body as `text` has it; `text` is what the hole was found in.
    #[must_use]
    pub fn body_of<'a>(&self, text: &'a str) -> &'a str {
        &text[self.body.clone()]
    }

    /// The body of the untouched stub.
    #[must_use]
    pub fn stub(&self) -> String {
        let indent = &self.indent;
        let literal = format!("{}: {}", self.task, self.title)
            .replace('\\', "\\\\")
            .replace('"', "\\\"")
            .replace('{', "{{")
            .replace('}', "}}");
        let line = format!("{indent}todo!(\"{literal}\")");
        if line.chars().count() <= LINE_WIDTH {
            return line + "\n";
        }
        format!("{indent}todo!(\n{indent}    \"{literal}\"\n{indent})\n")
    }
}

/// What is wrong with a file's comments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HoleError {
    /// `// task` without `N.K: title`.
    Malformed {
        /// Of the comment, counting from 1.
        line: usize,
    },
    /// A hole without its `// end`, or a second hole in front of it.
    NotEnded {
        /// The open one.
        task: TaskId,
        /// Of its comment.
        line: usize,
    },
    /// `// end` without a hole.
    NotBegun {
        /// Of the comment.
        line: usize,
    },
}

impl fmt::Display for HoleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HoleError::Malformed { line } => write!(
                f,
                "line {line}: a hole begins with `// task N.K: title`, such as `// task 6.1: find the batch`"
            ),
            HoleError::NotEnded { task, line } => write!(
                f,
                "line {line}: the hole of task {task} has no `// end` on a line of its own"
            ),
            HoleError::NotBegun { line } => {
                write!(f, "line {line}: `// end` without a `// task N.K: title`")
            }
        }
    }
}

impl std::error::Error for HoleError {}

/// The holes of a file, in its order.
///
/// # Errors
/// When its comments do not pair up.
pub fn holes(text: &str) -> Result<Vec<Hole>, HoleError> {
    let mut found = Vec::<Hole>::new();
    let mut open: Option<Hole> = None;
    let mut at = 0;
    for (index, line) in text.split_inclusive('\n').enumerate() {
        let (number, content) = (index + 1, line.trim());
        let next = at + line.len();
        if let Some(rest) = content.strip_prefix("// task ") {
            if let Some(Hole { task, line, .. }) = open {
                return Err(HoleError::NotEnded { task, line });
            }
            let (task, title) = parse_marker(rest).ok_or(HoleError::Malformed { line: number })?;
            open = Some(Hole {
                task,
                title: title.to_owned(),
                line: number,
                body: next..next,
                indent: line[..line.len() - line.trim_start().len()].to_owned(),
            });
        } else if content == "// end" {
            let mut hole = open.take().ok_or(HoleError::NotBegun { line: number })?;
            hole.body.end = at;
            found.push(hole);
        }
        at = next;
    }
    match open {
        Some(Hole { task, line, .. }) => Err(HoleError::NotEnded { task, line }),
        None => Ok(found),
    }
}

fn parse_marker(text: &str) -> Option<(TaskId, &str)> {
    let (id, title) = text.split_once(':')?;
    let title = title.trim();
    Some((TaskId::parse(id)?, title)).filter(|_| !title.is_empty())
}

/// The stub of a solution's file, in which the holes of `filled` stay filled.
///
/// # Errors
/// When the solution's comments do not pair up.
pub fn stub(solution: &str, filled: &BTreeSet<TaskId>) -> Result<String, HoleError> {
    let mut text = solution.to_owned();
    for hole in holes(solution)?.iter().rev() {
        if !filled.contains(&hole.task) {
            text.replace_range(hole.body.clone(), &hole.stub());
        }
    }
    Ok(text)
}

/// Whether a body is still to be written: it has a `todo!` outside of comments.
#[must_use]
pub fn is_open(body: &str) -> bool {
    body.lines()
        .map(|line| line.split("//").next().unwrap_or_default())
        .any(|code| code.contains("todo!("))
}
