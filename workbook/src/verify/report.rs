//! What `verify` prints and counts.

use std::fmt;

use crate::chapter::Chapter;
use crate::say;
use crate::screen::Paint;

/// Prints each proof as it is made, and counts.
#[derive(Debug)]
pub struct Report {
    paint: Paint,
    passed: usize,
    failed: usize,
    /// Proofs that held before, on what has not changed since.
    held_before: u64,
}

impl Report {
    /// With nothing proven yet.
    #[must_use]
    pub fn new(paint: Paint) -> Report {
        Report {
            paint,
            passed: 0,
            failed: 0,
            held_before: 0,
        }
    }

    /// What follows is about this chapter.
    pub fn chapter(&self, chapter: &Chapter) {
        say!("{}", self.paint.bold(&chapter.folder));
    }

    /// Everything held on this chapter as it is now; it is not tried again.
    pub fn held_before(&mut self, chapter: &Chapter, proofs: u64) {
        self.held_before += proofs;
        let folder = self.paint.bold(&chapter.folder);
        say!("{folder}  not tried again: its {proofs} proofs held, nothing has changed");
    }

    /// `what` holds.
    pub fn pass(&mut self, what: &str) {
        self.passed += 1;
        say!("  {} {what}", self.paint.green("✓"));
    }

    /// `what` should hold and does not, as `why` says.
    pub fn fail(&mut self, what: &str, why: &str) {
        self.failed += 1;
        say!("  {} {what}", self.paint.red("✗"));
        for line in why.lines() {
            say!("      {line}");
        }
    }

    /// `what` holds unless there are `problems`.
    pub fn unless(&mut self, what: &str, problems: &[String]) {
        if problems.is_empty() {
            self.pass(what);
        } else {
            self.fail(what, &problems.join("\n"));
        }
    }

    /// How many proofs passed.
    #[must_use]
    pub fn passed(&self) -> usize {
        self.passed
    }

    /// How many proofs failed.
    #[must_use]
    pub fn failed(&self) -> usize {
        self.failed
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)?;
        match self.held_before {
            0 => Ok(()),
            proofs => write!(f, "; {proofs} held before (`--all` tries them too)"),
        }
    }
}
