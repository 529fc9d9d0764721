//! How the programs print. Nothing that cannot be printed makes one panic.

use std::fmt::Display;
use std::io::{self, ErrorKind, Write as _};
use std::sync::OnceLock;

use anyhow::{Error, Result};
use tracing_appender::non_blocking;
use tracing_appender::non_blocking::{NonBlocking, WorkerGuard};
use tracing_subscriber::EnvFilter;

/// Where the lines of a server go.
static SERVER_OUT: OnceLock<NonBlocking> = OnceLock::new();

/// Standard output did not take what a caller prints.
#[derive(Debug, thiserror::Error)]
#[error("cannot write to standard output: {0}")]
struct Unprinted(io::Error);

/// Prints what a program was asked for, as it is.
///
/// # Errors
/// If it could not be written. [`program`](crate::program) takes a reader that has gone, as in
/// `rpc-call … | head`, for a wish to stop.
pub fn print(text: &str) -> Result<()> {
    let mut stdout = io::stdout().lock();
    let printed = stdout.write_all(text.as_bytes());
    let printed = printed.and_then(|()| stdout.flush());
    Ok(printed.map_err(Unprinted)?)
}

/// Returns whether a program ends because its reader wants no more.
pub(crate) fn is_enough(error: &Error) -> bool {
    let unprinted = error.downcast_ref::<Unprinted>();
    unprinted.is_some_and(|unprinted| unprinted.0.kind() == ErrorKind::BrokenPipe)
}

/// Prints a line of a server. A server goes on serving when its lines cannot be written, or when
/// they wait in a full pipe: a thread of its own writes them, and they may be lost.
pub fn tell(line: impl Display) {
    if let Some(mut out) = SERVER_OUT.get().cloned() {
        let _ = writeln!(out, "{line}");
    }
}

/// Says something to the person at the terminal, if it can be said.
pub fn complain(line: impl Display) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// Makes warnings go to standard error; `RUST_LOG` says how much. Lines that
/// [`tell`] has got and warnings are written by threads of their own. What is still to be written
/// is written when the returned guards are dropped.
pub(crate) fn begin_to_print() -> [WorkerGuard; 2] {
    let (stdout, told) = non_blocking(io::stdout());
    let _ = SERVER_OUT.set(stdout);
    let (stderr, warned) = non_blocking(io::stderr());
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"));
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(stderr)
        .log_internal_errors(false)
        .with_ansi(false);
    // A program begins to print once.
    let _ = subscriber.try_init();
    [told, warned]
}

/// Returns the text as one line that does nothing to a terminal: control characters, such as
/// those that a peer has sent, are written as in Rust's literals.
#[must_use]
pub fn printable(text: &str) -> String {
    let mut printable = String::new();
    for char in text.chars() {
        match char.is_control() {
            true => printable.extend(char.escape_default()),
            false => printable.push(char),
        }
    }
    printable
}

/// Returns a JSON text as one line that does nothing to a terminal. It is the same value.
#[must_use]
pub fn printable_json(json: &str) -> String {
    let mut printable = String::new();
    for char in json.chars() {
        match char {
            // JSON has these between its tokens only.
            '\n' | '\r' | '\t' => printable.push(' '),
            char if char.is_control() => printable += &format!("\\u{:04x}", u32::from(char)),
            char => printable.push(char),
        }
    }
    printable
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_peer_has_sent_does_nothing_to_a_terminal() {
        let sent = "\u{1b}[2JMei\r\n\u{9b}31m é";
        assert_eq!(printable(sent), "\\u{1b}[2JMei\\r\\n\\u{9b}31m é");
        let sent = "{\"a\":\r\n\"\u{9b}31m\u{7f}é\"}";
        let printed = printable_json(sent);
        assert_eq!(printed, "{\"a\":  \"\\u009b31m\\u007fé\"}");
        let value = |text| serde_json::from_str::<serde_json::Value>(text).ok();
        assert!(value(sent).is_some());
        assert_eq!(value(&printed), value(sent));
    }
}
