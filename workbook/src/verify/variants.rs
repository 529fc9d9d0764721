//! A part in all its variants, as one text.
//!
//! A *variant* is a state of the part: with the tasks up to one solved, or with a
//! wrong answer. Holes are whole function bodies, so the body of each becomes a
//! `match` with an arm for each body that it has in some variant:
//!
//! ```text
//! match ::spec_harness::variant(5) {
//!     1..=2 => { todo!("6.2: …") }
//!     17 => { …the body with the mistake… }
//!     _ => { …the solution's body… }
//! }
//! ```
//!
//! So part and spec are compiled and linked once, and the process of a case is told
//! which variant it runs. It tells in turn which holes it has entered: here, number 5 of
//! the part's.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::cargo::Message;
use crate::chapter::Chapter;
use crate::holes::{self, Hole};
use crate::spec::SOLUTION;
use crate::tasks::WrongAnswer;
use crate::tree::Files;

/// The text of a part with all its variants.
#[derive(Debug)]
pub struct Variants {
    /// The part's files.
    pub files: Files,
    /// The wrong answers that are in `files`.
    pub together: Vec<Variant>,
    /// The wrong answers that change something outside of the holes: they are not in
    /// `files`.
    pub apart: Vec<WrongAnswer>,
    /// The number of each hole's task.
    tasks: Vec<u32>,
    arms: Vec<Arm>,
}

/// A wrong answer that changes one hole.
#[derive(Debug)]
pub struct Variant {
    /// Its number among the variants.
    pub number: u32,
    /// Its hole's number in the part, from 0.
    pub hole: usize,
    /// What is wrong.
    pub wrong: WrongAnswer,
}

/// How many holes a part may have: the harness has a bit for each.
const HOLES_MAX: usize = 64;

/// The lines of `files` that belong to one wrong answer.
#[derive(Debug)]
struct Arm {
    variant: u32,
    file: PathBuf,
    lines: RangeInclusive<usize>,
}

/// The variant in which the tasks up to the number `filled` are solved, and at least
/// one is not.
#[must_use]
pub fn filled_up_to(filled: u32) -> u32 {
    SOLUTION + 1 + filled
}

impl Variants {
    /// Makes the text from that of the solution, which has `tasks` tasks.
    ///
    /// # Errors
    /// When the solution's comments do not pair up, or a wrong answer cannot be applied.
    pub fn new(solution: &Files, tasks: u32, wrong: &[WrongAnswer]) -> Result<Variants> {
        let holes = numbered_holes(solution)?;
        let (mut together, mut apart) = (Vec::new(), Vec::new());
        // By hole.
        let mut bodies: BTreeMap<usize, Vec<(u32, String)>> = BTreeMap::new();
        for (number, wrong) in (filled_up_to(tasks)..).zip(wrong) {
            let (name, text) = wrong.file_of(solution)?;
            let changed = wrong.apply(text)?;
            let Some((hole, found)) = changed_hole(name, text, &holes, wrong) else {
                apart.push(wrong.clone());
                continue;
            };
            let mut body = found.body.clone();
            body.end = body.end + changed.len() - text.len();
            let bodies = bodies.entry(hole).or_default();
            bodies.push((number, changed[body].to_owned()));
            together.push(Variant {
                number,
                hole,
                wrong: wrong.clone(),
            });
        }
        let mut variants = Variants {
            files: Files::new(),
            together,
            apart,
            tasks: holes.iter().map(|(_, hole)| hole.task.number).collect(),
            arms: Vec::new(),
        };
        for (name, text) in solution {
            let mut file = Writer {
                name,
                out: String::new(),
                arms: &mut variants.arms,
            };
            let mut copied = 0;
            let holes = holes.iter().enumerate();
            for (number, (_, hole)) in holes.filter(|(_, (file, _))| file == name) {
                file.out.push_str(&text[copied..hole.body.start]);
                let wrong = bodies.remove(&number).unwrap_or_default();
                file.hole(number, hole, hole.body_of(text), &wrong);
                copied = hole.body.end;
            }
            file.out.push_str(&text[copied..]);
            let text = file.out;
            variants.files.insert(name.clone(), text);
        }
        Ok(variants)
    }

    /// The wrong answer that a message of the compiler about this chapter's part is
    /// about; `None` if it is about something else.
    #[must_use]
    pub fn blame(&self, chapter: &Chapter, message: &Message) -> Option<&WrongAnswer> {
        let source = chapter.exercise().join("src");
        let mut arms = message.places.iter().filter_map(|(name, line)| {
            self.arms.iter().find(|arm| {
                let file = source.join(&arm.file);
                Path::new(name).ends_with(&file) && arm.lines.contains(line)
            })
        });
        let arm = arms.next()?;
        let mut together = self.together.iter();
        let found = together.find(|variant| variant.number == arm.variant);
        found.map(|variant| &variant.wrong)
    }

    /// A bit for each hole of a task behind number `filled`.
    pub(super) fn open_behind(&self, filled: u32) -> u64 {
        let holes = self.tasks.iter().enumerate();
        let open = holes.filter(|(_, task)| **task > filled);
        open.fold(0, |bits, (hole, _)| bits | 1 << hole)
    }
}

/// A file that is being written.
struct Writer<'a> {
    name: &'a Path,
    out: String,
    arms: &'a mut Vec<Arm>,
}

impl Writer<'_> {
    fn hole(&mut self, number: usize, hole: &Hole, solved: &str, wrong: &[(u32, String)]) {
        let open = filled_up_to(0)..=filled_up_to(hole.task.number - 1);
        let asked = format!("match ::spec_harness::variant({number}) {{\n");
        self.out.push_str(&asked);
        self.arm(&format!("{}..={}", open.start(), open.end()), &hole.stub());
        for (variant, body) in wrong {
            let first = self.line();
            self.arm(&variant.to_string(), body);
            self.arms.push(Arm {
                variant: *variant,
                file: self.name.to_owned(),
                lines: first..=self.line() - 1,
            });
        }
        self.arm("_", solved);
        self.out.push_str("}\n");
    }

    fn arm(&mut self, pattern: &str, body: &str) {
        for text in [pattern, " => {\n", body, "}\n"] {
            self.out.push_str(text);
        }
    }

    /// The number of the line that is being written, from 1.
    fn line(&self) -> usize {
        self.out.matches('\n').count() + 1
    }
}

/// The holes of all files, in the order of their numbers.
fn numbered_holes(solution: &Files) -> Result<Vec<(PathBuf, Hole)>> {
    let mut holes = Vec::new();
    for (name, text) in solution {
        let found = holes::holes(text).with_context(|| name.display().to_string())?;
        holes.extend(found.into_iter().map(|hole| (name.clone(), hole)));
    }
    ensure!(
        holes.len() <= HOLES_MAX,
        "a part has at most {HOLES_MAX} holes"
    );
    Ok(holes)
}

/// Which hole has all that `wrong` replaces in the file `name`.
fn changed_hole<'a>(
    name: &Path,
    text: &str,
    holes: &'a [(PathBuf, Hole)],
    wrong: &WrongAnswer,
) -> Option<(usize, &'a Hole)> {
    let start = text.find(&wrong.find)?;
    let end = start + wrong.find.len();
    let mut holes = holes.iter().enumerate();
    let (number, (_, hole)) = holes.find(|(_, (file, hole))| {
        file == name && hole.body.start <= start && end <= hole.body.end
    })?;
    Some((number, hole))
}
