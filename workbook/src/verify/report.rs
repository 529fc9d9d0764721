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
}

impl Report {
    /// With nothing proven yet.
    #[must_use]
    pub fn new(paint: Paint) -> Report {
        Report {
            paint,
            passed: 0,
            failed: 0,
        }
    }

    /// What follows is about this chapter.
    pub fn chapter(&self, chapter: &Chapter) {
        say!("{}", self.paint.bold(&chapter.folder));
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

    /// How many proofs failed.
    #[must_use]
    pub fn failed(&self) -> usize {
        self.failed
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)
    }
}
