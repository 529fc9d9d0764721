//! Proves the chapters' machinery: stubs, specs, wrong answers.
//!
//! Works in a copy of the workspace, `target/verify/workspace`, with a target
//! folder of its own. The exercises in the copy are made from the solutions.
//!
//! Start reading at [`run`].

mod builds;
mod chapter;
mod golden;
mod kept;
mod report;
mod runs;
mod variants;
mod wrong_answers;

pub use golden::{normalise, pinned};
pub use kept::Kept;
pub use report::Report;
pub use runs::Runs;
pub use variants::{Variant, Variants, filled_up_to};

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Result, bail};

use crate::cargo::Cargo;
use crate::chapter::{Chapter, Workspace};
use crate::commands::stubs::stubs_of;
use crate::mirror::{Changes, Mirror};
use crate::say;
use crate::screen::Paint;
use builds::Builds;
use chapter::Proof;

/// What the copy of an exercise's manifest has at its end: a part with all its variants
/// asks the harness which of them runs.
const HARNESS: &str = "
[target.'cfg(all())'.dependencies]
spec-harness.workspace = true
";

/// What to prove, and how.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Order {
    /// Which chapters.
    pub chapters: Vec<Chapter>,
    /// Leaves out those on which everything held as they are now.
    pub only_changed: bool,
    /// The messages that wrong answers get become the ones that are expected.
    pub bless: bool,
}

/// Proves what `order` says, and prints each proof.
///
/// # Errors
/// When something is not as it should be, or cannot be tried.
pub fn run(workspace: &Workspace, order: &Order) -> Result<()> {
    let mirror = mirror(workspace)?;
    let kept = Kept::new(workspace, &mirror)?;
    let mut report = Report::new(Paint::for_stdout());
    let mut proofs = Vec::new();
    for chapter in &order.chapters {
        if let Some(passed) = kept.passed(chapter).filter(|_| order.only_changed) {
            report.held_before(chapter, passed);
            continue;
        }
        match Proof::new(workspace, &mirror, chapter) {
            Ok(proof) => proofs.push(proof),
            Err(error) => {
                report.chapter(chapter);
                report.fail("the chapter can be verified", &format!("{error:#}"));
            }
        }
    }
    if !proofs.is_empty() {
        say!("building stubs, variants and tests of {} …", proofs.len());
        let builds = Builds::new(&mirror, &mut proofs)?;
        for proof in &proofs {
            let (passed, failed) = (report.passed(), report.failed());
            report.chapter(&proof.chapter);
            if let Err(error) = proof.judge(&builds, order.bless, &mut report) {
                report.fail("the chapter can be verified", &format!("{error:#}"));
            }
            mirror.fill(&proof.chapter, &BTreeSet::new())?;
            if report.failed() == failed && !order.bless {
                kept.keep(&proof.chapter, report.passed() - passed)?;
            }
        }
    }
    say!("{report}");
    if report.failed() > 0 {
        bail!("not everything holds: see ✗ above");
    }
    Ok(())
}

/// The copy that proofs are made in, with every exercise as its untouched stub.
///
/// # Errors
/// When a file cannot be read or written, or a solution's holes are not in order.
pub fn mirror(workspace: &Workspace) -> Result<Mirror> {
    let edited = |name: &Path, mut bytes: Vec<u8>| {
        if name == Path::new("Cargo.toml") {
            bytes = line_tables(workspace, String::from_utf8(bytes)?)?.into_bytes();
        } else if name.starts_with("exercises") && name.ends_with("Cargo.toml") {
            bytes.extend_from_slice(HARNESS.as_bytes());
        }
        Ok(bytes)
    };
    let changes = Changes {
        part: &|chapter| stubs_of(workspace, chapter, &BTreeSet::new()),
        edited: &edited,
    };
    Mirror::new(workspace, "target/verify/workspace", &changes)
}

/// The root manifest of the copy: of the parts, and of nothing else, a backtrace
/// names the lines.
fn line_tables(workspace: &Workspace, mut manifest: String) -> Result<String> {
    const LINES: &str = "debug = \"line-tables-only\"\n";
    for chapter in workspace.chapters()? {
        let header = format!("[profile.dev.package.{}]\n", chapter.exercise_package());
        let with_lines = format!("{header}{LINES}");
        if manifest.contains(&header) {
            manifest = manifest.replacen(&header, &with_lines, 1);
        } else {
            manifest += &format!("\n{with_lines}");
        }
    }
    Ok(manifest)
}

/// Builds in the copy.
fn cargo(mirror: &Mirror) -> Cargo {
    let root = &mirror.workspace().root;
    let target = root.with_file_name("target");
    // Nobody steps through what is built here: a sixth of the processor time is saved.
    Cargo::new(root)
        .with("CARGO_TARGET_DIR", target)
        .with("CARGO_PROFILE_DEV_DEBUG", "none")
}
