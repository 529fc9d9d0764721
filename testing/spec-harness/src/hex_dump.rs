//! Bytes that a person can compare.

use std::fmt::Write;

use crate::run::fail;

/// A field of a layout: its name, where it starts and how long it is, in bytes.
type Field = (&'static str, usize, usize);

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
        let mine = part(bytes, start, size);
        let mark = if mine == part(other, start, size) {
            ' '
        } else {
            '>'
        };
        let _ = write!(text, "\n{mark} {start:>4}  {name:<24}{}", hex(mine));
    }
    text
}

fn with_rest(fields: &[Field], length: usize) -> Vec<Field> {
    let end = fields.last().map_or(0, |(_, start, size)| start + size);
    let mut fields = fields.to_vec();
    if length > end {
        fields.push(("rest", end, length - end));
    }
    fields
}

fn part(bytes: &[u8], start: usize, size: usize) -> &[u8] {
    let end = bytes.len().min(start + size);
    &bytes[start.min(end)..end]
}

/// At most 32 bytes: enough to see a difference, short enough to read.
fn hex(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in bytes.iter().take(32) {
        let _ = write!(text, "{byte:02x} ");
    }
    if bytes.len() > 32 {
        let _ = write!(text, "… ({} bytes)", bytes.len());
    }
    text.trim_end().to_owned()
}
