//! Unmodified Kafka clients against `mqd`, each test with a broker of its own.

#![allow(
    clippy::unwrap_used,
    reason = "a helper of a test may fail as the test itself does"
)]

mod kafka_python;
mod kafka_tools;
mod kafka_tools_admin;
mod kafka_tools_verify;
mod kafka_transactions;
mod kcat;
mod kcat_transactions;
mod restart;

use interop::mqd_binary;
use mqd_guard::Mqd;

/// A broker with its defaults on a temporary directory.
fn start_mqd() -> Mqd {
    Mqd::options(mqd_binary()).start().unwrap()
}

/// `<prefix>0` to `<prefix>{count - 1}`, a line each.
fn lines(prefix: &str, count: usize) -> String {
    (0..count).map(|i| format!("{prefix}{i}\n")).collect()
}
