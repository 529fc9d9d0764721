//! The sample log is what its README says.

use std::path::Path;

use stream_compute::{LineSplitter, Outcome, Pipeline, Recount, Rejected, ResumePoint, Unparsable};

use crate::five_seconds;

#[test]
fn eight_lines_of_it_are_bad() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample/access.log");
    let bytes = std::fs::read(&path).expect("the sample");
    let mut pipeline = Pipeline::resume(
        &ResumePoint::default(),
        five_seconds(),
        std::time::Duration::from_secs(60),
    );
    let mut bad = Vec::new();
    for line in LineSplitter::default().push(&bytes) {
        let text = line.text.expect("no line is too long");
        let offset = pipeline.resume_point().taken;
        match pipeline.take(offset, line.number, &text) {
            Outcome::Counted => {}
            Outcome::Rejected(Rejected::Unparsable(reason)) => bad.push((line.number, reason)),
            other => panic!("line {}: {other:?}", line.number),
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
    assert_eq!(pipeline.tally().counted, 2609);
    let recount = Recount::of(&path, u64::MAX, five_seconds()).expect("read");
    assert_eq!(recount.lines, 2617);
    assert_eq!(recount.rows.len(), 152);
}
