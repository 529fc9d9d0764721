//! What several files of tests need.

use std::process::{Command, Output};
use std::time::Duration;

use mqd_guard::{Mqd, Options};

/// Longer than anything that a test waits for takes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// The binary of this crate.
pub(crate) const MQD: &str = env!("CARGO_BIN_EXE_mqd");

/// How it is started.
pub(crate) fn mqd() -> Options {
    Mqd::options(MQD)
}

/// Runs `mqd` with these arguments to its end.
pub(crate) fn run(arguments: &[&str]) -> Output {
    Command::new(MQD)
        .args(arguments)
        .output()
        .expect("mqd can be run")
}

/// What it said on stderr.
pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// What it said on stdout.
pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}
