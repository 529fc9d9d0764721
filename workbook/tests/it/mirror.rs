use std::collections::BTreeSet;
use std::fs;
use std::time::SystemTime;

use workbook::holes::TaskId;
use workbook::verify::{self, normalise};

use crate::fixture::{Fixture, PAIR_STUB};

const COPY: &str = "target/verify/workspace/exercises/06-pairs/src/pair.rs";

#[test]
fn the_copy_has_the_stub_whatever_the_learner_wrote() {
    let fixture = Fixture::new();
    fixture.write("exercises/06-pairs/src/pair.rs", "a learner's text");
    fixture.write("exercises/06-pairs/src/notes.rs", "another");
    verify::mirror(&fixture.workspace).unwrap();
    assert_eq!(fixture.read(COPY), PAIR_STUB);
    assert!(!fixture.exists("target/verify/workspace/exercises/06-pairs/src/notes.rs"));
    let mine = fixture.read("exercises/06-pairs/src/pair.rs");
    assert_eq!(mine, "a learner's text");
}

#[test]
fn a_file_that_did_not_change_is_not_written_again() {
    let fixture = Fixture::new();
    fixture.write("exercises/06-pairs/src/pair.rs", "a learner's text");
    let touched = |path: &str| -> SystemTime {
        let metadata = fs::metadata(fixture.workspace.path(path)).unwrap();
        metadata.modified().unwrap()
    };
    verify::mirror(&fixture.workspace).unwrap();
    let solution = "target/verify/workspace/solutions/06-pairs/src/pair.rs";
    let before = (touched(COPY), touched(solution));
    let mirror = verify::mirror(&fixture.workspace).unwrap();
    assert_eq!((touched(COPY), touched(solution)), before);

    let first = BTreeSet::from([TaskId::parse("6.1").unwrap()]);
    mirror.fill(&fixture.chapter, &first).unwrap();
    assert!(fixture.read(COPY).contains("a + b"));
    assert!(fixture.read(COPY).contains("todo!(\"6.2"));
    assert_eq!(touched(solution), before.1);
}

#[test]
fn what_was_removed_goes_from_the_copy_too() {
    let fixture = Fixture::new();
    fixture.write("chapters/06-pairs/src/old.rs", "//! Old.\n");
    verify::mirror(&fixture.workspace).unwrap();
    let copy = "target/verify/workspace/chapters/06-pairs";
    assert!(fixture.exists(copy));
    fs::remove_dir_all(fixture.workspace.path("chapters/06-pairs")).unwrap();
    verify::mirror(&fixture.workspace).unwrap();
    assert!(!fixture.exists(copy));
}

#[test]
fn pinned_messages_have_no_line_numbers() {
    assert_eq!(
        normalise("where  exercises/06/src/a.rs:69:9\nand b.rs:7, c.rs: no"),
        "where  exercises/06/src/a.rs:LINE\nand b.rs:LINE, c.rs: no"
    );
}
