//! The clients, and how one gets them.

use std::net::SocketAddr;
use std::path::Path;
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

/// One of the scripts in `interop/clients`, which all take the broker's address
/// as their first argument and use kafka-python.
///
/// # Panics
/// When kafka-python is not installed.
#[must_use]
pub fn kafka_python(script: &str, address: SocketAddr) -> Command {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = here.join("../target/interop-venv/bin/python");
    assert!(
        python.is_file(),
        "kafka-python is not installed in target/interop-venv. Run `interop/install`."
    );
    let mut command = Command::new(python);
    command.arg(here.join("clients").join(script));
    command.arg(address.to_string());
    command
}
