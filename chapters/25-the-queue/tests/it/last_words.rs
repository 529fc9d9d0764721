//! A panic on any thread ends the process, and says what the learner needs.

use std::process::{Command, Output};
use std::thread;

use crate::support::stderr;

/// Runs one of the "children" below as a process of its own.
fn run_child(name: &str) -> Output {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &format!("last_words::{name}")])
        .args(["--ignored", "--nocapture"])
        .output()
        .unwrap()
}

#[test]
#[ignore = "a child of the test below: it ends its process"]
fn child_with_a_hole() {
    mqd::end_on_panic();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        tokio::spawn(async { panic!("not yet implemented: 6.1: find the batch") });
        std::future::pending::<()>().await;
    });
}

#[test]
fn a_hole_ends_the_process_with_its_task() {
    let output = run_child("child_with_a_hole");
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(70), "{said}");
    assert!(
        said.contains("task 6.1 is still a hole: find the batch"),
        "{said}"
    );
    assert!(said.contains("cargo workbook check 6"), "{said}");
}

#[test]
#[ignore = "a child of the test below: it ends its process"]
fn child_with_many_panics() {
    mqd::end_on_panic();
    let threads: Vec<_> = (0..8).map(|_| thread::spawn(|| panic!("oh no"))).collect();
    threads.into_iter().for_each(|thread| drop(thread.join()));
    thread::park();
}

#[test]
fn panics_at_the_same_time_are_told_once() {
    let output = run_child("child_with_many_panics");
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(70), "{said}");
    assert_eq!(
        said.matches("a bug in mqd, or in a part of yours: oh no")
            .count(),
        1,
        "{said}"
    );
}
