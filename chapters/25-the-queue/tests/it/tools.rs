//! `mqd topics`, `mqd produce` and `mqd consume`.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::process::{Command, Output, Stdio};

use message_model::ProducerId;
use mqd_guard::Mqd;
use record_batch::BatchHeader;

use crate::raw::Raw;
use crate::support::{MQD, mqd, stderr, stdout};

/// Runs `mqd` with these words and `--bootstrap`, with `input` on its stdin.
pub(crate) fn tool(mqd: &Mqd, words: &[&str], input: &str) -> Output {
    let mut child = Command::new(MQD)
        .args(words)
        .args(["--bootstrap", &mqd.address().to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It may end without reading any of it.
    drop(child.stdin.take().unwrap().write_all(input.as_bytes()));
    child.wait_with_output().unwrap()
}

/// What it printed; it must have ended well.
pub(crate) fn ok(mqd: &Mqd, words: &[&str], input: &str) -> String {
    let output = tool(mqd, words, input);
    assert!(output.status.success(), "{words:?}: {}", stderr(&output));
    stdout(&output)
}

/// What it said; it must not have ended well.
pub(crate) fn refused(mqd: &Mqd, words: &[&str]) -> String {
    let output = tool(mqd, words, "");
    assert!(!output.status.success(), "{words:?}: {}", stdout(&output));
    stderr(&output)
}

/// As with Kafka's console producer, a line whose answer is lost is not there twice.
#[test]
fn produce_numbers_its_batches_unless_it_must_not() {
    let mqd = mqd().start().unwrap();
    ok(&mqd, &["produce", "numbered"], "a\nb\n");
    let plain = ["produce", "plain", "--without-idempotence"];
    ok(&mqd, &plain, "a\nb\n");
    let header = |topic: &str| {
        let fetched = Raw::connect(&mqd).fetch(topic, 0).unwrap();
        let records = fetched.records.into_mut();
        BatchHeader::read(&records).unwrap()
    };
    let numbered = header("numbered");
    assert!(numbered.producer_id > ProducerId::NONE);
    assert_eq!(numbered.base_sequence, 0);
    assert_eq!(header("plain").producer_id, ProducerId::NONE);
}

#[test]
fn topics_come_and_go() {
    let mqd = mqd().start().unwrap();
    assert_eq!(ok(&mqd, &["topics", "list"], ""), "");
    ok(&mqd, &["topics", "create", "logs", "--partitions", "3"], "");
    ok(
        &mqd,
        &["topics", "create", "brief", "--set", "retention.ms=1000"],
        "",
    );
    let list = ok(&mqd, &["topics", "list"], "");
    assert_eq!(list, "brief  1 partition\nlogs  3 partitions\n");
    ok(&mqd, &["produce", "logs", "--partition", "1"], "a\nb\n");
    let described = ok(&mqd, &["topics", "describe", "logs"], "");
    assert_eq!(
        described,
        "partition  first offset  next offset\n\
         \x20       0             0            0\n\
         \x20       1             0            2\n\
         \x20       2             0            0\n"
    );
    ok(&mqd, &["topics", "delete", "logs"], "");
    assert_eq!(ok(&mqd, &["topics", "list"], ""), "brief  1 partition\n");
}

#[test]
fn what_cannot_be_done_is_said_in_words() {
    let mqd = mqd().start().unwrap();
    ok(&mqd, &["topics", "create", "logs"], "");
    let cases: [(&[&str], &str); 11] = [
        (
            &["topics", "create", "logs"],
            "the topic logs exists already",
        ),
        (&["topics", "create", "a/b"], "a topic name consists of"),
        (
            &["topics", "create", "none", "--partitions", "0"],
            "cannot have 0 partitions",
        ),
        (
            &["topics", "create", "odd", "--set", "retention=1"],
            "no such setting of a topic",
        ),
        (&["topics", "delete", "gone"], "there is no topic gone"),
        (
            &["topics", "shrink", "logs"],
            "there is list, describe, create, alter, delete-records and delete",
        ),
        (&["consume", "gone"], "there is no topic gone"),
        (
            &["consume", "logs", "--partition", "4"],
            "the topic logs has partitions 0 to 0",
        ),
        (
            &["consume", "logs", "--from", "7"],
            "logs-0 has no offset 7",
        ),
        (&["consume"], "which topic? Try: mqd consume TOPIC"),
        (&["produce", "a", "b"], "\"b\" is one word too many"),
    ];
    for (words, wanted) in cases {
        let said = refused(&mqd, words);
        assert!(said.contains(wanted), "{words:?}: {said}");
    }
}

#[test]
fn nobody_there_is_said_with_what_to_do() {
    // A port that was free a moment ago.
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let output = Command::new(MQD)
        .args(["topics", "list", "--bootstrap", &port.to_string()])
        .output()
        .unwrap();
    let said = stderr(&output);
    assert!(
        said.contains(&format!("nobody serves at {port}; start a queue with")),
        "{said}"
    );
}

#[test]
fn lines_go_in_and_come_out() {
    let mqd = mqd().start().unwrap();
    let output = tool(
        &mqd,
        &["produce", "greetings", "--key-separator", ": "],
        "ada: hi\n\nplain",
    );
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(stderr(&output).contains("created greetings with 1 partition"));
    assert!(stderr(&output).contains("3 records are in greetings-0 at offsets 0 to 2"));
    let consume = |words: &[&str]| {
        let words = [&["consume", "greetings", "--to-end"], words].concat();
        ok(&mqd, &words, "")
    };
    assert_eq!(consume(&[]), "hi\n\nplain\n");
    let format = ["--format", "%t/%p/%o [%k] %s\\n"];
    assert_eq!(
        consume(&format),
        "greetings/0/0 [ada] hi\ngreetings/0/1 [] \ngreetings/0/2 [] plain\n"
    );
    assert_eq!(consume(&["--from", "2"]), "plain\n");
    assert_eq!(consume(&["--from", "end"]), "");
    assert_eq!(consume(&["--count", "1"]), "hi\n");
    assert_eq!(consume(&["--from", "@0", "--count", "1"]), "hi\n");
    assert_eq!(consume(&["--from", "@99999999999999"]), "");
}

/// Page 00 looks at the file of one batch that came of three lines.
#[test]
fn lines_that_arrive_together_are_one_batch() {
    let mqd = mqd().start().unwrap();
    for topic in (0..10).map(|number| format!("together{number}")) {
        ok(&mqd, &["produce", &topic], "hello\nfrom\nthe queue\n");
        let file = format!("{topic}-0/00000000000000000000.log");
        let log = std::fs::read(mqd.data_dir().join(file)).unwrap();
        // The header says in its last four bytes how many records there are.
        assert_eq!(
            (log.len(), &log[57..61]),
            (100, &[0, 0, 0, 3][..]),
            "{topic}"
        );
    }
}

#[test]
fn many_lines_keep_their_order() {
    let mqd = mqd().start().unwrap();
    let lines: String = (0..5_000)
        .map(|n| format!("{n} {}\n", "x".repeat(300)))
        .collect();
    ok(&mqd, &["produce", "many"], &lines);
    assert!(ok(&mqd, &["consume", "many", "--to-end"], "") == lines);
    assert_eq!(
        ok(&mqd, &["consume", "many", "--count", "5000"], "")
            .lines()
            .count(),
        5_000
    );
}

#[test]
fn all_partitions_are_read() {
    let mqd = mqd().start().unwrap();
    ok(&mqd, &["topics", "create", "wide", "--partitions", "2"], "");
    ok(&mqd, &["produce", "wide", "--partition", "0"], "a\n");
    ok(&mqd, &["produce", "wide", "--partition", "1"], "b\n");
    assert_eq!(ok(&mqd, &["consume", "wide", "--count", "2"], ""), "a\nb\n");
    assert_eq!(
        ok(
            &mqd,
            &["consume", "wide", "--to-end", "--partition", "1"],
            ""
        ),
        "b\n"
    );
}

#[test]
fn a_compressed_batch_is_read_like_any_other() {
    let mqd = mqd().start().unwrap();
    ok(&mqd, &["produce", "mixed"], "before\n");
    let mut raw = Raw::connect(&mqd);
    raw.produce("mixed", -1, crate::raw::gzipped()).unwrap();
    ok(&mqd, &["produce", "mixed"], "after\n");
    assert_eq!(
        ok(&mqd, &["consume", "mixed", "--to-end"], ""),
        "before\nfrom gzip\nafter\n"
    );
}

#[test]
fn partitions_that_are_added_are_followed() {
    let mqd = mqd().start().unwrap();
    ok(&mqd, &["topics", "create", "grows"], "");
    ok(&mqd, &["produce", "grows"], "a\n");
    let address = mqd.address().to_string();
    let follow = [
        "consume",
        "grows",
        "--follow",
        "--count",
        "2",
        "--bootstrap",
    ];
    let mut child = Command::new(MQD)
        .args(follow)
        .arg(&address)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut printed = [0; 2];
    let stdout = child.stdout.as_mut().unwrap();
    stdout.read_exact(&mut printed).unwrap();
    assert_eq!(&printed, b"a\n");
    ok(&mqd, &["topics", "alter", "grows", "--partitions", "2"], "");
    ok(&mqd, &["produce", "grows", "--partition", "1"], "b\n");
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "b\n");
}
