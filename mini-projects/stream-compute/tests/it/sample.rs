//! The sample log is what its README says.

use std::path::Path;

use stream_compute::{LineSplitter, Recount, Unparsable, parse};

use crate::five_seconds;

#[test]
fn eight_lines_of_it_are_bad() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample/access.log");
    let bytes = std::fs::read(&path).expect("the sample");
    let mut bad = Vec::new();
    for line in LineSplitter::default().push(&bytes) {
        let text = line.text.expect("no line is too long");
        if let Err(reason) = parse(&text) {
            bad.push((line.number, reason));
        }
    }
    assert_eq!(
        bad,
        [
            (100, Unparsable::Empty),
            (400, Unparsable::Quotes),
            (700, Unparsable::Address),
            (1000, Unparsable::Time),
            (1300, Unparsable::Address),
            (1600, Unparsable::NotUtf8),
            (1900, Unparsable::Status),
            (2200, Unparsable::Address),
        ]
    );
    let recount = Recount::of(&[(path, u64::MAX)], five_seconds()).expect("read");
    assert_eq!(recount.lines, 2617);
    assert_eq!(recount.rows.len(), 152);
    assert_eq!(recount.rows.values().sum::<u64>(), 2609);
}
