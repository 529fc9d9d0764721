//! How the programs print. Nothing that cannot be printed makes one panic.

use std::fmt::{self, Display, Write as _};
use std::io::{self, ErrorKind, Write as _};
use std::sync::{OnceLock, mpsc};
use std::thread;
use std::time::Duration;

use anyhow::{Error, Result};
use tracing_appender::non_blocking::{NonBlocking, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::EnvFilter;

/// A longer line of a server is cut, in bytes: much of it may come from a peer.
const LINE_BYTES_MAX: usize = 1000;
/// How many lines may wait for a reader; further ones are lost.
const LINES_MAX: usize = 1000;
/// How long a program that ends waits for a reader of its last lines.
const LAST_LINES: Duration = Duration::from_secs(3);

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
        let _ = out.write_all(cut(line).as_bytes());
    }
}

/// Returns a line of at most [`LINE_BYTES_MAX`] and its end, whatever there is to say.
fn cut(line: impl Display) -> String {
    let mut cut = Cut(String::new());
    // It fails where there is no room, and nothing further is made.
    if write!(cut, "{line}").is_err() {
        cut.0.push('…');
    }
    cut.0.push('\n');
    cut.0
}

struct Cut(String);

impl fmt::Write for Cut {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let fits = text.floor_char_boundary(LINE_BYTES_MAX - self.0.len());
        self.0.push_str(&text[..fits]);
        (fits == text.len()).then_some(()).ok_or(fmt::Error)
    }
}

/// Says something to the person at the terminal, if it can be said.
pub fn complain(line: impl Display) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// Makes warnings go to standard error; `RUST_LOG` says how much. Lines that
/// [`tell`] has got and warnings are written by threads of their own. What is still to be written
/// is written by [`end_printing`].
pub(crate) fn begin_to_print() -> [WorkerGuard; 2] {
    let lines = || NonBlockingBuilder::default().buffered_lines_limit(LINES_MAX);
    let (stdout, told) = lines().finish(io::stdout());
    let _ = SERVER_OUT.set(stdout);
    let (stderr, warned) = lines().finish(io::stderr());
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

/// Writes the last lines, unless nobody takes them.
pub(crate) fn end_printing(printing: [WorkerGuard; 2]) {
    let (ended, is_ended) = mpsc::channel();
    // A guard that is dropped may wait for a full pipe without end.
    thread::spawn(move || {
        drop(printing);
        let _ = ended.send(());
    });
    let _ = is_ended.recv_timeout(LAST_LINES);
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
    fn a_line_of_a_server_is_cut_at_a_character() {
        assert_eq!(cut("short"), "short\n");
        let whole = "x".repeat(LINE_BYTES_MAX);
        assert_eq!(cut(&whole), format!("{whole}\n"));
        let (names, all) = (vec!["é"; 1000], "\"é\", ".repeat(1000));
        let line = cut(format_args!("called: {names:?}"));
        let said = line.strip_prefix("called: [").unwrap();
        let said = said.strip_suffix("…\n").unwrap();
        assert!(all.starts_with(said));
        assert!((LINE_BYTES_MAX..LINE_BYTES_MAX + 5).contains(&line.len()));
    }

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
