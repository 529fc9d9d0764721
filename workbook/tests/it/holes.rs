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
fn a_task_may_have_several_holes_which_are_filled_together() {
    let solution = PAIR.replace("task 6.2: multiply,", "task 6.1: multiply,");
    let found = holes::holes(&solution).unwrap();
    assert_eq!(
        (&found[0].task, &*found[0].title),
        (&task("6.1"), "add them")
    );
    assert_eq!(found[0].task, found[1].task);
    let stub = holes::stub(&solution, &BTreeSet::new()).unwrap();
    assert!(stub.contains("todo!(\"6.1: add them\")"));
    assert!(stub.contains("todo!(\"6.1: multiply,"));
    let filled = holes::stub(&solution, &BTreeSet::from([task("6.1")])).unwrap();
    assert_eq!(filled, solution);
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
        HoleError::NotEnded { task, line }
    );
}
