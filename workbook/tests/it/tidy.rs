//! Style that a compiler does not check.

use std::fs;

use workbook::figures;

use crate::fixture::{taught, this_tree};

/// The most lines of a file, outside of tests.
const FILE_LINES_MAX: usize = 400;
/// Files that are longer, each with its reason.
const LONG_FILES: [&str; 0] = [];
/// A `lib.rs` is a table of contents.
const LIB_LINES_MAX: usize = 80;
/// How many `allow` attributes there are. May only fall; each has a reason.
const ALLOWS_MAX: usize = 2;

#[test]
fn no_file_is_too_long() {
    for file in figures::measure(&this_tree()).unwrap().files {
        let most = if file.name.ends_with("/lib.rs") {
            LIB_LINES_MAX
        } else {
            FILE_LINES_MAX
        };
        assert!(
            file.lines <= most || LONG_FILES.contains(&&*file.name),
            "{} has {} lines, more than {most}: which part of it has a name of its own?",
            file.name,
            file.lines
        );
    }
}

#[test]
fn no_lint_is_waived_without_being_counted() {
    let allows = figures::measure(&this_tree()).unwrap().allows;
    assert!(allows <= ALLOWS_MAX, "{allows} `allow`s, not {ALLOWS_MAX}");
}

#[test]
fn nothing_is_left_for_later() {
    // Written apart, so that this file does not find itself.
    let marks = [
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
        concat!("XX", "X:"),
    ];
    for (file, text) in figures::sources(&this_tree()).unwrap() {
        for mark in marks {
            assert!(!text.contains(mark), "{} says {mark}", file.display());
        }
    }
}

#[test]
fn every_file_says_what_it_is_for() {
    for (file, text) in figures::sources(&this_tree()).unwrap() {
        let first = text.lines().next().unwrap_or_default();
        assert!(
            first.starts_with("//!") || first.starts_with("#!["),
            "{} does not begin with `//!`",
            file.display()
        );
    }
}

#[test]
fn every_part_has_a_page_and_the_page_is_in_the_book() {
    let workspace = this_tree();
    let summary = fs::read_to_string(workspace.path("book/src/SUMMARY.md")).unwrap();
    for chapter in taught(&workspace) {
        let page = chapter.page();
        assert!(
            workspace.path(&page).is_file(),
            "{} is missing",
            page.display()
        );
        let name = page.file_name().and_then(|name| name.to_str()).unwrap();
        assert!(
            summary.contains(&format!("({name})")),
            "SUMMARY.md has no {name}"
        );
    }
}

#[test]
fn chapter_solution_and_exercise_come_in_threes() {
    let workspace = this_tree();
    for chapter in workspace.chapters().unwrap() {
        for folder in [chapter.home(), chapter.solution(), chapter.exercise()] {
            assert!(
                workspace.path(&folder).join("Cargo.toml").is_file(),
                "{} is missing",
                folder.display()
            );
        }
    }
}
