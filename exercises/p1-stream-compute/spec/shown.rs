//! Windows and rows in few words, so that a person can compare them.

use message_model::Timestamp;
use spec_harness::fail;

use super::part::Window;

/// The times `start..end`.
pub(crate) fn window(start: i64, end: i64) -> Window {
    Window {
        start: Timestamp(start),
        end: Timestamp(end),
    }
}

/// `0..10`.
pub(crate) fn shown(window: Window) -> String {
    format!("{}..{}", window.start.0, window.end.0)
}

/// One in a line.
pub(crate) fn in_lines(items: impl IntoIterator<Item = String>) -> String {
    let lines: Vec<String> = items.into_iter().collect();
    if lines.is_empty() {
        return "nothing".to_owned();
    }
    lines.join("\n")
}

/// Checks that two lists are the same, and shows them as text if they are not.
pub(crate) fn expect_list(what: &str, got: &[String], expected: &[String]) {
    if got != expected {
        let text = |list: &[String]| in_lines(list.iter().cloned());
        fail(what, &text(expected), &text(got));
    }
}
