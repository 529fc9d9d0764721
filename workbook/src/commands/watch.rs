//! `watch [N | N.K [CASE]]`: checks again at every save.

use std::thread;
use std::time::Duration;

use anyhow::Result;

use super::check::{self, Only};
use crate::chapter::{Chapter, Workspace};
use crate::say;
use crate::verdict;

/// How often it looks: short beside the time that a build takes.
const LOOK_EVERY: Duration = Duration::from_millis(150);

/// Checks, waits for another text, checks again; until Ctrl-C.
///
/// # Errors
/// When the part or its spec cannot be read.
pub fn run(workspace: &Workspace, chapter: &Chapter, only: Option<&Only>) -> Result<()> {
    loop {
        let checked = verdict::hash(workspace, chapter)?;
        if let Err(error) = check::run(workspace, chapter, only) {
            say!("{error:#}");
        }
        say!(
            "\nwaiting for a save in {} (Ctrl-C ends)",
            chapter.exercise().display()
        );
        while verdict::hash(workspace, chapter)? == checked {
            thread::sleep(LOOK_EVERY);
        }
        say!("\n────────────────────────────────────────");
    }
}
