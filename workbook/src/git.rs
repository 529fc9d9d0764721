//! The little that is asked of git.

use std::path::Path;
use std::process::{Command, Stdio};

/// Whether git has this file exactly as it is on disk. Not if it is new,
/// changed, or there is no git.
#[must_use]
pub fn is_committed(root: &Path, file: &Path) -> bool {
    let git = |arguments: &[&str]| {
        Command::new("git")
            .current_dir(root)
            .args(arguments)
            .arg("--")
            .arg(file)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    };
    git(&["ls-files", "--error-unmatch"]) && git(&["diff", "--quiet", "HEAD"])
}
