//! Where `mqd` is.

use std::env;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use anyhow::{Context as _, Result, ensure};

/// Builds `mqd` beside the tests that run now, once, and says where it is.
///
/// # Panics
/// When it cannot be built: no test here means anything without it.
pub fn mqd_binary() -> PathBuf {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY
        .get_or_init(|| build().expect("mqd can be built"))
        .clone()
}

fn build() -> Result<PathBuf> {
    // target/debug/deps/clients-0123456789abcdef
    let test = env::current_exe().context("a test knows where it is")?;
    let profile_dir = test
        .ancestors()
        .nth(2)
        .context("a test is in a profile's folder")?;
    let target_dir = profile_dir
        .parent()
        .context("a profile's folder is in target")?;
    let profile = match profile_dir.file_name().and_then(|name| name.to_str()) {
        Some("release") => "release",
        _ => "dev",
    };
    let status = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--package", "mqd", "--profile", profile])
        .arg("--target-dir")
        .arg(target_dir)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status()
        .context("cannot run cargo")?;
    ensure!(status.success(), "cargo build --package mqd failed");
    Ok(profile_dir.join(format!("mqd{}", env::consts::EXE_SUFFIX)))
}
