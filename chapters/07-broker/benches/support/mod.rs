//! What the benchmarks of this chapter share: a broker on a loopback socket, and a client.

mod broker;
mod client;

use tempfile::TempDir;

pub(crate) use broker::Broker;
pub(crate) use client::Client;

/// What the broker's threads are called.
pub(crate) const THREAD_NAME: &str = "broker";

/// A directory below `target/tmp`, so on the disk that the repository is on.
pub(crate) fn dir() -> TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("target/tmp can be written to")
}
