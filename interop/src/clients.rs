//! The clients, and how one gets them.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

/// kcat against the broker at `address`; add a mode (`-L`, `-P`, `-C`, `-Q`) and what it takes.
///
/// # Panics
/// When kcat is not installed.
#[must_use]
pub fn kcat(address: SocketAddr) -> Command {
    let found = Command::new("kcat").arg("-V").output().is_ok();
    assert!(
        found,
        "kcat is not installed. Run `interop/install`, or install the package `kcat`."
    );
    let mut command = Command::new("kcat");
    // No configuration of the person who runs the tests.
    command.env("KCAT_CONFIG", "/dev/null");
    command.arg("-b").arg(address.to_string());
    command
}

/// The version that the longer tests use.
pub const KAFKA_PYTHON: &str = "kafka-python-3.0.12";

/// One of the scripts in `interop/clients`, which all take the broker's address
/// as their first argument, with the packages of `interop/clients/requirements/{packages}.txt`.
///
/// # Panics
/// When they are not installed.
#[must_use]
pub fn python(packages: &str, script: &str, address: SocketAddr) -> Command {
    let mut command = Command::new(installed(&format!("python/{packages}/bin/python")));
    command.arg(here().join("clients").join(script));
    command.arg(address.to_string());
    command
}

/// A main class of Apache Kafka's jars, which hold its tools, its client, its node and
/// Kafka Connect; or of `interop/clients/features/java`.
///
/// # Panics
/// When they are not installed.
#[must_use]
pub fn java(main_class: &str) -> Command {
    java_with(&[], main_class)
}

/// As [`java`], with more options for the virtual machine.
pub(crate) fn java_with(options: &[&str], main_class: &str) -> Command {
    let jars = installed("kafka");
    let mut command = Command::new("java");
    command.arg("-Dorg.slf4j.simpleLogger.defaultLogLevel=warn");
    // A tool of a second is over before the optimizing compiler pays.
    command.args(["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"]);
    command.args(options);
    let ours = installed("java");
    let class_path = format!("{}:{}", jars.join("*").display(), ours.display());
    command.arg("-cp").arg(class_path).arg(main_class);
    command
}

pub(crate) fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

pub(crate) fn installed(path: &str) -> PathBuf {
    let path = here().join("../target/interop").join(path);
    assert!(
        path.exists(),
        "{} is not there. Run `interop/install`.",
        path.display()
    );
    path
}
