//! Bytes that a person can compare.

use std::fmt::Write;

use crate::run::fail;

/// A field of a layout: its name, where it starts and how long it is, in bytes.
type Field = (&'static str, usize, usize);

/// How many bytes of a field are shown.
const SHOWN_MAX: usize = 32;
/// What is shown of a long field begins at a multiple of this.
const ROW: usize = 16;

/// Checks that `got` is `expected`, byte by byte. A failure shows both by the
/// fields of the layout, and marks those that differ; what lies behind the last
/// field is shown as "rest". Without fields it is one run of bytes.
///
/// # Panics
/// When they differ.
pub fn expect_bytes(what: &str, got: &[u8], expected: &[u8], fields: &[Field]) {
    if got != expected {
        fail(
            what,
            &dump(expected, got, fields),
            &dump(got, expected, fields),
        );
    }
}

fn dump(bytes: &[u8], other: &[u8], fields: &[Field]) -> String {
    let mut text = format!("{} bytes", bytes.len());
    for (name, start, size) in with_rest(fields, bytes.len().max(other.len())) {
        let (mine, others) = (part(bytes, start, size), part(other, start, size));
        let (mark, important) = match first_difference(mine, others) {
            None => (' ', 0),
            Some(at) => ('>', at),
        };
        let hex = hex(mine, important);
        let _ = write!(text, "\n{mark} {start:>4}  {name:<24}{hex}");
    }
    text
}

fn with_rest(fields: &[Field], length: usize) -> Vec<Field> {
    let end = fields.last().map_or(0, |(_, start, size)| start + size);
    let mut fields = fields.to_vec();
    if length > end {
        let name = if fields.is_empty() { "all" } else { "rest" };
        fields.push((name, end, length - end));
    }
    fields
}

fn part(bytes: &[u8], start: usize, size: usize) -> &[u8] {
    let end = bytes.len().min(start + size);
    &bytes[start.min(end)..end]
}

fn first_difference(mine: &[u8], others: &[u8]) -> Option<usize> {
    let equal = mine.iter().zip(others).take_while(|(a, b)| a == b);
    (mine != others).then(|| equal.count())
}

/// At most [`SHOWN_MAX`] bytes, with the one at `important` among them: enough to
/// see a difference, short enough to read.
fn hex(bytes: &[u8], important: usize) -> String {
    if bytes.is_empty() {
        return "(no bytes)".to_owned();
    }
    let start = match important.min(bytes.len() - 1) {
        near if near < SHOWN_MAX => 0,
        far => far / ROW * ROW,
    };
    let end = bytes.len().min(start + SHOWN_MAX);
    let mut text = String::new();
    if start > 0 {
        let _ = write!(text, "… from +{start}: ");
    }
    for byte in &bytes[start..end] {
        let _ = write!(text, "{byte:02x} ");
    }
    if bytes.len() > SHOWN_MAX {
        let _ = write!(text, "… ({} bytes)", bytes.len());
    }
    text.trim_end().to_owned()
}
