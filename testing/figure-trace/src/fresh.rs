//! A trace in the book is what its example writes.

use std::fs;
use std::path::Path;

use serde_json::Value;

/// Asserts that `book/src/traces/EXAMPLE.json` is `trace`, which an example of `package`
/// has made.
///
/// # Panics
/// When it is another one, or none; the message says how to write it again.
pub fn assert_fresh(package: &str, example: &str, trace: &Value) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../book/src/traces");
    let kept = fs::read_to_string(folder.join(format!("{example}.json")));
    let written = trace.to_string();
    assert!(
        kept.is_ok_and(|kept| kept.trim_end() == written),
        "write it again: cargo run -p {package} --example {example} \
         > book/src/traces/{example}.json"
    );
}
