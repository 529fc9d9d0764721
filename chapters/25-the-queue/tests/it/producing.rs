//! How `mqd produce` ends when not all goes well.

use std::io::Write as _;
use std::process::{Child, Command, Output, Stdio};

use mqd_guard::Mqd;

use crate::support::{MQD, mqd, stderr};
use crate::tools::{ok, tool};

/// `mqd produce` with a stdin that stays open, and the two lines that it has sent.
fn with_two_lines(mqd: &Mqd) -> Child {
    let mut child = Command::new(MQD)
        .args(["produce", "lines", "--bootstrap"])
        .arg(mqd.address().to_string())
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();

    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(b"a\nb\n").unwrap();
    child.stdin = Some(stdin);
    while !ok(mqd, &["topics", "list"], "").contains("lines") {}
    let both = ok(mqd, &["consume", "lines", "--count", "2"], "");
    assert_eq!(both, "a\nb\n");
    // They are seen before they are on disk and acknowledged; this one is on disk behind them.
    ok(mqd, &["produce", "lines"], "behind");
    child
}

/// What it says at its end, which comes although its stdin stays open.
fn end(mut child: Child) -> Output {
    let stdin = child.stdin.take();
    let output = child.wait_with_output().unwrap();
    drop(stdin);
    assert!(!output.status.success(), "{}", stderr(&output));
    output
}

#[test]
fn ctrl_c_says_how_many_were_acknowledged() {
    let mqd = mqd().start().unwrap();
    let child = with_two_lines(&mqd);
    let sent = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(sent.unwrap().success());
    let said = stderr(&end(child));
    assert!(
        said.contains("mqd: after 2 acknowledged records: interrupted"),
        "{said}"
    );
}

#[test]
fn a_dead_queue_is_said_with_what_was_acknowledged() {
    let mut mqd = mqd().start().unwrap();
    let mut child = with_two_lines(&mqd);
    mqd.kill_9().unwrap();
    let stdin = child.stdin.as_mut().unwrap();
    stdin.write_all(b"c\nd\ne\n").unwrap();
    let said = stderr(&end(child));
    let wanted = format!(
        "the queue at {} did not acknowledge them within 10 s",
        mqd.address()
    );
    assert!(
        said.contains("mqd: after 2 acknowledged records; "),
        "{said}"
    );
    assert!(said.contains(&wanted), "{said}");
}

#[test]
fn a_record_that_the_topic_refuses_ends_it_with_the_count() {
    let mqd = mqd().start().unwrap();
    let small = [
        "topics",
        "create",
        "small",
        "--set",
        "max.message.bytes=200",
    ];
    ok(&mqd, &small, "");
    let line = format!("{}\n", "x".repeat(100));
    // One batch of three records is cut until what fits is in the log.
    let output = tool(&mqd, &["produce", "small"], &line.repeat(3));
    assert!(output.status.success(), "{}", stderr(&output));
    let long = format!("{line}{}\n{line}", "y".repeat(500));
    let output = tool(&mqd, &["produce", "small"], &long);
    let said = stderr(&output);
    assert!(!output.status.success(), "{said}");
    assert!(said.contains("acknowledged record"), "{said}");
    assert!(
        said.contains("1 are not in the queue: the record is too large"),
        "{said}"
    );
}

#[test]
fn a_line_that_is_too_long_leaves_those_before_it_in_the_queue() {
    let mqd = mqd().start().unwrap();
    let lines = format!("a\nb\n{}\n", "x".repeat(1_048_001));
    let output = tool(&mqd, &["produce", "long"], &lines);
    let said = stderr(&output);
    assert!(!output.status.success(), "{said}");
    assert!(
        said.contains("after 2 acknowledged records: a line is longer than 1048000 bytes"),
        "{said}"
    );
    assert_eq!(ok(&mqd, &["consume", "long", "--to-end"], ""), "a\nb\n");
}
