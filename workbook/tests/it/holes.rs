use std::collections::BTreeSet;

use workbook::holes::{self, HoleError, TaskId};

use crate::fixture::{PAIR, PAIR_STUB};

fn task(text: &str) -> TaskId {
    TaskId::parse(text).unwrap()
}

#[test]
fn tasks_are_called_as_learners_call_them() {
    assert_eq!(task("06.1"), task("6.1"));
    assert_eq!(task("P1.2").to_string(), "p1.2");
    assert_eq!(task("25.10").to_string(), "25.10");
    for wrong in [
        "", "6", "6.", ".1", "6.0", "6.x", "log.1", "6.1.2", "p.1", "-6.1",
    ] {
        assert_eq!(TaskId::parse(wrong), None, "{wrong}");
    }
}

#[test]
fn a_stub_has_a_todo_where_the_solution_has_a_body() {
    assert_eq!(holes::stub(PAIR, &BTreeSet::new()).unwrap(), PAIR_STUB);
}

#[test]
fn a_stub_can_keep_some_tasks_filled() {
    let stub = holes::stub(PAIR, &BTreeSet::from([task("6.1")])).unwrap();
    assert!(stub.contains("    a + b\n"));
    assert!(stub.contains("todo!(\"6.2"));
    let all = BTreeSet::from([task("6.1"), task("6.2")]);
    assert_eq!(holes::stub(PAIR, &all).unwrap(), PAIR);
}

#[test]
fn filling_every_hole_of_a_stub_gives_the_solution() {
    let mut text = PAIR_STUB.to_owned();
    for hole in holes::holes(PAIR).unwrap() {
        let filled = holes::with_body(&text, &hole.task, hole.body_of(PAIR));
        text = filled.unwrap().unwrap();
    }
    assert_eq!(text, PAIR);
    assert_eq!(holes::with_body(&text, &task("6.3"), ""), Ok(None));
}

#[test]
fn a_learners_additions_around_a_hole_stay() {
    let edited = PAIR_STUB.replace("//! A pair.", "//! A pair.\nuse std::fmt;");
    let reset = holes::with_body(&edited, &task("6.1"), "    b + a\n").unwrap();
    assert_eq!(
        reset.unwrap(),
        edited.replace("    todo!(\"6.1: add them\")\n", "    b + a\n")
    );
}

#[test]
fn a_long_title_is_broken_as_rustfmt_breaks_it() {
    let title = "x".repeat(90);
    let text = format!("    // task 6.1: {title}\n    1\n    // end\n");
    let stub = holes::stub(&text, &BTreeSet::new()).unwrap();
    let expected = format!("    todo!(\n        \"6.1: {title}\"\n    )\n");
    assert!(stub.contains(&expected), "{stub}");
}

#[test]
fn an_open_hole_has_a_todo_that_is_code() {
    assert!(holes::is_open("    todo!(\"6.1: add\")\n"));
    assert!(holes::is_open("    let x = 1;\n    todo!()\n"));
    assert!(!holes::is_open("    // was todo!(\"6.1\")\n    a + b\n"));
    assert!(!holes::is_open(""));
}

#[test]
fn comments_that_do_not_pair_up_are_told_by_line() {
    let error = |text: &str| holes::holes(text).unwrap_err();
    let line = 2;
    assert_eq!(
        error("a\n// task 6.1 title\n"),
        HoleError::Malformed { line }
    );
    assert_eq!(error("a\n// task 6.1:\n"), HoleError::Malformed { line });
    assert_eq!(error("a\n// end\n"), HoleError::NotBegun { line });
    let task = task("6.1");
    assert_eq!(
        error("a\n// task 6.1: x\n"),
        HoleError::NotEnded {
            task: task.clone(),
            line
        }
    );
    assert_eq!(
        error("a\n// task 6.1: x\n// task 6.2: y\n// end\n"),
        HoleError::NotEnded {
            task: task.clone(),
            line
        }
    );
    assert_eq!(
        error("// task 6.1: x\n// end\n// task 6.1: y\n// end\n"),
        HoleError::Twice { task, line: 3 }
    );
}
