//! Where the programs of this workspace are.

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
        .get_or_init(|| build("mqd", "mqd").expect("mqd can be built"))
        .clone()
}

/// Builds the first case study's `ip-count`, as [`mqd_binary`] does `mqd`.
///
/// # Panics
/// When it cannot be built.
pub fn ip_count_binary() -> PathBuf {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY
        .get_or_init(|| build("stream-compute", "ip-count").expect("ip-count can be built"))
        .clone()
}

fn build(package: &str, binary: &str) -> Result<PathBuf> {
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
        .args(["build", "--quiet", "--package", package, "--bin", binary])
        .args(["--profile", profile])
        .arg("--target-dir")
        .arg(target_dir)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status()
        .context("cannot run cargo")?;
    ensure!(status.success(), "cargo build --package {package} failed");
    Ok(profile_dir.join(format!("{binary}{}", env::consts::EXE_SUFFIX)))
}
