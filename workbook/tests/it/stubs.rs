use workbook::commands::{reset, stubs};
use workbook::holes::TaskId;

use crate::fixture::{Fixture, PAIR, PAIR_STUB};

const EXERCISE: &str = "exercises/06-pairs/src/pair.rs";

fn stubs(fixture: &Fixture, force: bool) -> anyhow::Result<String> {
    stubs::run(
        &fixture.workspace,
        std::slice::from_ref(&fixture.chapter),
        force,
    )
}

#[test]
fn a_committed_placeholder_becomes_the_stub() {
    let fixture = Fixture::new();
    stubs(&fixture, false).unwrap();
    assert_eq!(fixture.read(EXERCISE), PAIR_STUB);
    let lib = fixture.read("exercises/06-pairs/src/lib.rs");
    assert_eq!(lib, "//! Pairs.\n\nmod pair;\n");
}

#[test]
fn a_file_that_differs_from_git_is_left_alone_unless_forced() {
    let fixture = Fixture::new();
    stubs(&fixture, false).unwrap();
    fixture.commit();
    let mine = PAIR_STUB.replace("todo!(\"6.1: add them\")", "a - b");
    fixture.write(EXERCISE, &mine);
    let error = stubs(&fixture, false).unwrap_err().to_string();
    assert!(error.contains(EXERCISE), "{error}");
    assert_eq!(fixture.read(EXERCISE), mine);
    stubs(&fixture, true).unwrap();
    assert_eq!(fixture.read(EXERCISE), PAIR_STUB);
}

#[test]
fn an_answer_in_a_new_file_is_left_alone() {
    let fixture = Fixture::new();
    fixture.write(EXERCISE, "// mine, never committed\n");
    stubs(&fixture, false).unwrap_err();
    assert_eq!(fixture.read(EXERCISE), "// mine, never committed\n");
}

#[test]
fn a_committed_file_that_the_solution_has_no_more_goes() {
    let fixture = Fixture::new();
    fixture.write("exercises/06-pairs/src/old.rs", "//! Old.\n");
    fixture.commit();
    stubs(&fixture, false).unwrap();
    assert!(!fixture.exists("exercises/06-pairs/src/old.rs"));
}

#[test]
fn a_hole_of_another_chapter_is_refused() {
    let fixture = Fixture::new();
    let foreign = PAIR.replace("task 6.2", "task 7.2");
    fixture.write("solutions/06-pairs/src/pair.rs", &foreign);
    let error = stubs(&fixture, false).unwrap_err().to_string();
    assert!(error.contains("7.2"), "{error}");
}

#[test]
fn solve_and_reset_change_one_hole_and_keep_what_was_there() {
    let fixture = Fixture::new();
    stubs(&fixture, false).unwrap();
    let mine = PAIR_STUB
        .replace("todo!(\"6.1: add them\")", "a - b")
        .replace("//! A pair.", "//! A pair. With my notes.");
    fixture.write(EXERCISE, &mine);
    let task = TaskId::parse("6.1").unwrap();

    let said = reset::solve(&fixture.workspace, &fixture.chapter, &task).unwrap();
    assert!(said.contains("pair.1.rs"), "{said}");
    assert_eq!(fixture.read(EXERCISE), mine.replace("a - b", "a + b"));
    let kept = "target/workbook/kept/06-pairs/src/pair.1.rs";
    assert_eq!(fixture.read(kept), mine);

    let said = reset::reset(&fixture.workspace, &fixture.chapter, &task).unwrap();
    assert!(said.contains("pair.2.rs"), "{said}");
    assert_eq!(
        fixture.read(EXERCISE),
        mine.replace("a - b", "todo!(\"6.1: add them\")")
    );
    let kept = "target/workbook/kept/06-pairs/src/pair.2.rs";
    assert_eq!(fixture.read(kept), mine.replace("a - b", "a + b"));
}

#[test]
fn a_hole_whose_comments_are_gone_is_not_guessed_at() {
    let fixture = Fixture::new();
    stubs(&fixture, false).unwrap();
    let mine = PAIR_STUB.replacen("    // end\n", "", 1);
    fixture.write(EXERCISE, &mine);
    let task = TaskId::parse("6.1").unwrap();
    let error = reset::reset(&fixture.workspace, &fixture.chapter, &task).unwrap_err();
    let error = format!("{error:#}");
    assert!(error.contains("// task 6.1: add them"), "{error}");
    assert_eq!(fixture.read(EXERCISE), mine);
}

/// Task 6.1 has three holes in two files, and there is no other task.
fn with_a_build_task() -> Fixture {
    let fixture = Fixture::new();
    let pair = PAIR.replace("6.2", "6.1");
    fixture.write("solutions/06-pairs/src/pair.rs", &pair);
    let third = "// task 6.1: the third\n    3\n    // end\n";
    fixture.write("solutions/06-pairs/src/other.rs", third);
    stubs(&fixture, false).unwrap();
    fixture
}

#[test]
fn solve_and_reset_change_every_hole_of_a_task() {
    let fixture = with_a_build_task();
    let stub = fixture.read(EXERCISE);
    let mine = stub.replace("todo!(\"6.1: add them\")", "a - b");
    fixture.write(EXERCISE, &mine);
    let task = TaskId::parse("6.1").unwrap();

    let said = reset::solve(&fixture.workspace, &fixture.chapter, &task).unwrap();
    assert!(
        said.contains("other.rs, exercises/06-pairs/src/pair.rs"),
        "{said}"
    );
    assert_eq!(fixture.read(EXERCISE), PAIR.replace("6.2", "6.1"));
    assert!(
        fixture
            .read("exercises/06-pairs/src/other.rs")
            .contains("    3\n")
    );
    assert_eq!(
        fixture.read("target/workbook/kept/06-pairs/src/pair.1.rs"),
        mine
    );

    reset::reset(&fixture.workspace, &fixture.chapter, &task).unwrap();
    assert_eq!(fixture.read(EXERCISE), stub);
    assert!(
        fixture
            .read("exercises/06-pairs/src/other.rs")
            .contains("todo!(\"6.1: the third\")")
    );
}

#[test]
fn a_hole_of_several_whose_comments_are_gone_is_named() {
    let fixture = with_a_build_task();
    let mine = fixture
        .read(EXERCISE)
        .replace("    // task 6.1: add them\n", "");
    fixture.write(EXERCISE, &mine);
    let task = TaskId::parse("6.1").unwrap();
    let error = reset::solve(&fixture.workspace, &fixture.chapter, &task).unwrap_err();
    let error = format!("{error:#}");
    assert!(error.contains("pair.rs has lost"), "{error}");
    assert!(error.contains("2 holes in this file"), "{error}");
    assert!(error.contains("// task 6.1: add them"), "{error}");
    assert_eq!(fixture.read(EXERCISE), mine);
}
