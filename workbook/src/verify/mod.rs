//! Proves the chapters' machinery: stubs, specs, wrong answers.
//!
//! Works in a copy of the workspace, `target/verify/workspace`, with a target
//! folder of its own. The exercises in the copy are made from the solutions.
//!
//! Start reading at [`run`].

mod chapter;
mod golden;
mod mirror;
mod report;

pub use golden::{normalise, pinned};
pub use mirror::Mirror;
pub use report::Report;

use anyhow::{Result, bail};

use crate::chapter::{Chapter, Workspace};
use crate::say;
use crate::screen::Paint;

/// Proves `chapters`, and prints each proof. With `bless`, the messages that
/// wrong answers get now become the ones that are expected.
///
/// # Errors
/// When something is not as it should be, or cannot be tried.
pub fn run(workspace: &Workspace, chapters: &[Chapter], bless: bool) -> Result<()> {
    let mirror = Mirror::new(workspace)?;
    let mut report = Report::new(Paint::for_stdout());
    for chapter in chapters {
        report.chapter(chapter);
        if let Err(error) = chapter::verify(workspace, &mirror, chapter, bless, &mut report) {
            report.fail("the chapter can be verified", &format!("{error:#}"));
        }
    }
    say!("{report}");
    if report.failed() > 0 {
        bail!("not everything holds: see ✗ above");
    }
    Ok(())
}
