//! What a learner sees when a case fails.

#![allow(
    clippy::todo,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use std::panic;
use std::sync::mpsc;
use std::time::Duration;

use spec_harness::{Place, expect, expect_bytes, expect_eq, fail, run, run_within};

fn place() -> Place {
    Place::new("/somewhere/exercises/06-log-storage", "spec::task_2::deep")
}

/// The message of a case with this body; `None` if it passes.
fn message(body: impl FnOnce() + Send + 'static) -> Option<String> {
    let result = panic::catch_unwind(panic::AssertUnwindSafe(|| run(place(), "It adds.", body)));
    let payload = result.err()?;
    Some(payload.downcast_ref::<String>().unwrap().clone())
}

#[test]
fn a_case_stands_in_its_chapter_and_task() {
    assert_eq!(place().task_id(), "6.2");
    assert_eq!(place().page(), "book/src/06-log-storage.md");
    let project = Place::new("p1-stream-compute", "task_10");
    assert_eq!(project.task_id(), "p1.10");
}

#[test]
fn a_task_names_the_page_that_teaches_it() {
    let groups = |package: &str| {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
        let folder = format!("{folder}/{package}/15-consumer-groups");
        |task| Place::new(folder.leak(), task).page()
    };
    for package in ["exercises", "solutions"] {
        assert_eq!(groups(package)("task_4"), "book/src/15-compaction.md");
        assert_eq!(groups(package)("task_3"), "book/src/15-consumer-groups.md");
    }
}

#[test]
fn a_case_that_holds_says_nothing() {
    let body = || {
        expect_eq("sum", 1 + 2, 3);
        expect("three is odd", true);
        expect_bytes("sum", &[3], &[3], &[]);
    };
    assert_eq!(message(body), None);
}

#[test]
fn a_failure_says_goal_expected_got_and_where_to_read() {
    let message = message(|| expect_eq("sum(1, 2)", 4, 3)).unwrap();
    assert_eq!(
        message,
        "
task 6.2 · It adds.
  what       sum(1, 2)
  expected   3
  got        4
  read       book/src/06-log-storage.md
  stuck?     cargo workbook hint 6.2
"
    );
}

#[test]
fn a_sentence_that_does_not_hold_is_said() {
    let message = message(|| expect("the sum is even", false)).unwrap();
    assert!(
        message.contains("  problem    this does not hold: the sum is even\n"),
        "{message}"
    );
}

#[test]
fn lines_of_a_value_line_up() {
    let message = message(|| fail("text", "a\nb", "c")).unwrap();
    let expected = "  expected   a\n             b\n  got        c\n";
    assert!(message.contains(expected), "{message}");
}

#[test]
fn a_long_value_is_cut() {
    let message = message(|| expect_eq("text", "é".repeat(5000), String::new())).unwrap();
    assert!(message.contains("… (10002 bytes in all)"), "{message}");
    assert!(message.len() < 5000);
}

#[test]
fn an_open_hole_is_no_ordinary_panic() {
    let message = message(|| todo!("6.1: find it")).unwrap();
    let problem = "  problem    this is still a hole: 6.1: find it\n";
    assert!(message.contains(problem), "{message}");
    assert!(message.contains("  where      testing/spec-harness/tests/it/main.rs:"));
}

#[test]
fn a_panic_of_the_part_is_told_with_its_place() {
    let message = message(|| {
        let none: Vec<u8> = Vec::new();
        let _ = none[std::hint::black_box(3)];
    })
    .unwrap();
    assert!(
        message.contains("your code panicked: index out of bounds"),
        "{message}"
    );
    assert!(message.contains("main.rs:"), "{message}");
}

#[test]
fn cases_that_panic_at_the_same_time_keep_their_own_messages() {
    let threads: Vec<_> = (0..50)
        .map(|number| {
            std::thread::spawn(move || (number, message(move || panic!("number {number}."))))
        })
        .collect();
    for thread in threads {
        let (number, message) = thread.join().unwrap();
        let message = message.unwrap();
        assert!(message.contains(&format!("number {number}.")), "{message}");
    }
}

#[test]
fn a_case_that_does_not_end_is_given_up() {
    let (_keep_open, never) = mpsc::channel::<()>();
    let limit = Duration::from_millis(20);
    let result = panic::catch_unwind(panic::AssertUnwindSafe(|| {
        run_within(limit, place(), "It ends.", move || {
            let _ = never.recv();
        });
    }));
    let payload = result.unwrap_err();
    let message = payload.downcast_ref::<String>().unwrap();
    assert!(
        message.contains("  problem    it did not end within 20ms: it waits for something"),
        "{message}"
    );
}

/// Run by the next test, in a process of its own: it aborts.
#[test]
#[ignore = "it aborts"]
fn asks_for_16_gib() {
    run(place(), "It is modest.", || {
        drop(std::hint::black_box(Vec::<u8>::with_capacity(16 << 30)));
    });
}

#[test]
#[cfg(target_os = "linux")]
fn a_length_that_is_believed_ends_the_process_with_its_place() {
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "asks_for_16_gib"])
        .env("RUST_BACKTRACE", "1")
        .output()
        .unwrap();
    assert!(!output.status.success());
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        stderr.contains("memory allocation of 17179869184 bytes failed"),
        "{stderr}"
    );
    assert!(stderr.contains("tests/it/main.rs:"), "{stderr}");
}

#[test]
fn bytes_are_shown_by_field_and_differences_marked() {
    let message = message(|| {
        let fields = [("base offset", 0, 8), ("length", 8, 4)];
        let mut got = [0_u8; 14];
        got[7] = 1;
        expect_bytes("the header", &got, &[0; 13], &fields);
    })
    .unwrap();
    let got = "\
  got        14 bytes
             >    0  base offset             00 00 00 00 00 00 00 01
                  8  length                  00 00 00 00
             >   12  rest                    00 00
";
    assert!(message.contains(got), "{message}");
}

#[test]
fn a_difference_far_behind_is_shown() {
    let message = message(|| {
        let mut got = vec![0; 200];
        got[150] = 7;
        expect_bytes("the payload", &got, &[0; 200], &[]);
    })
    .unwrap();
    assert!(
        message.contains("… from +144: 00 00 00 00 00 00 07 00") && !message.contains("from +192"),
        "{message}"
    );
}

#[test]
fn a_field_that_is_missing_says_so() {
    let message = message(|| {
        expect_bytes("two", &[1], &[1, 2], &[("first", 0, 1), ("second", 1, 1)]);
    })
    .unwrap();
    assert!(
        message.contains("second                  (no bytes)"),
        "{message}"
    );
}
