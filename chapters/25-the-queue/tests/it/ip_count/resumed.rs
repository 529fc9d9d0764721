//! Jobs that are resumed, taken over, or refused.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use client::OffsetSpec;
use exactly_once_client::TransactionalProducer;
use message_model::{PartitionIndex, TopicName, TopicPartition};
use mqd_guard::Mqd;
use producer::{Producer, Record};
use record_batch::Header;
use stream_compute::{Error, Settings, Source, Summary, Verdict};
use tempfile::TempDir;

use super::{append, expected_rows, made_log, settings, start, wait_until_acknowledged};
use crate::exactly_once::{committed, connect};
use crate::support::mqd;

/// A broker, and a folder with a log.
pub(super) fn begin(log: &[u8]) -> (Mqd, TempDir, PathBuf) {
    let mqd = mqd()
        .set("transaction.state.log.num.partitions", "3")
        .set("offsets.topic.num.partitions", "3")
        .start()
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("log");
    fs::write(&file, log).unwrap();
    (mqd, folder, file)
}

fn of_source(mqd: &Mqd, source: Source, folder: &TempDir) -> Settings {
    settings(&mqd.address().to_string(), source, folder.path())
}

fn of_file(mqd: &Mqd, log: &Path, folder: &TempDir) -> Settings {
    of_source(mqd, Source::Files(vec![log.to_owned()]), folder)
}

fn run(settings: Settings) -> Result<Summary, Error> {
    start(settings).outcome()
}

fn right(settings: Settings) -> Summary {
    let summary = run(settings).unwrap();
    assert_eq!(summary.verdict, Verdict::Equal, "{summary}");
    summary
}

/// How many records the partitions of the lines have.
async fn lines_in_the_queue(mqd: &Mqd) -> i64 {
    let client = connect(mqd).await;
    let mut count = 0;
    for index in 0..2 {
        let partition = TopicPartition {
            topic: TopicName::new("lines").unwrap(),
            partition: PartitionIndex(index),
        };
        let end = client.list_offset(&partition, OffsetSpec::Latest).await;
        count += end.unwrap().unwrap().0;
    }
    count
}

async fn send(mqd: &Mqd, topic: &str, record: Record<'_>) {
    let producer = Producer::new(connect(mqd).await, producer::Settings::default());
    let topic = TopicName::new(topic).unwrap();
    producer.send(&topic, record).await.await.unwrap();
}

fn lines(log: &[u8], range: std::ops::Range<usize>) -> Vec<u8> {
    let lines: Vec<&[u8]> = log.split_inclusive(|byte| *byte == b'\n').collect();
    lines[range].concat()
}

#[tokio::test]
async fn a_job_that_has_ended_goes_on_with_what_its_file_has_since() {
    let log = made_log(1_000);
    let (mqd, folder, file) = begin(&lines(&log, 0..600));
    let first = right(of_file(&mqd, &file, &folder));
    assert_eq!((first.lines, first.tally.late), (600, 0));
    assert_eq!(lines_in_the_queue(&mqd).await, 600);
    assert_eq!(right(of_file(&mqd, &file, &folder)), first);
    assert_eq!(lines_in_the_queue(&mqd).await, 600, "nothing is fed again");
    append(&file, &lines(&log, 600..1_000));
    let all = right(of_file(&mqd, &file, &folder));
    assert_eq!(all.lines, 1_000);
    assert_eq!(lines_in_the_queue(&mqd).await, 1_000);
    // Their windows were closed when the file was at its end.
    assert!(all.tally.late > 0, "{all}");
    let bad = log
        .split(|byte| *byte == b'\n')
        .filter(|line| line.starts_with(b"a bad"));
    assert_eq!(usize::try_from(all.tally.unparsable), Ok(bad.count()));
}

/// To the broker they are new: another producer sends them.
#[tokio::test]
async fn lines_that_a_killed_job_left_on_their_way_are_skipped() {
    let log = made_log(1_000);
    let (mqd, folder, file) = begin(&lines(&log, 0..600));
    right(of_file(&mqd, &file, &folder));
    for (number, text) in (501..).zip(lines(&log, 500..550).split(|byte| *byte == b'\n')) {
        let partition = Some(PartitionIndex((number - 1) % 2));
        let number: String = i32::to_string(&number);
        let header = Header {
            key: "line",
            value: Some(number.as_bytes()),
        };
        let headers = &[header];
        if !text.is_empty() {
            let record = Record::of_value(text);
            let record = Record {
                partition,
                headers,
                ..record
            };
            send(&mqd, "lines", record).await;
        }
    }
    append(&file, &lines(&log, 600..1_000));
    let all = right(of_file(&mqd, &file, &folder));
    // The topic's last lines are 549 and 550, so those behind it are fed again.
    assert_eq!(all.tally.repeated, 50 + 50);
    assert_eq!(lines_in_the_queue(&mqd).await, 1_000 + 50 + 50);
}

#[tokio::test]
async fn a_second_job_is_refused_while_the_first_one_runs() {
    let log = made_log(1_000);
    let (mqd, folder, file) = begin(&lines(&log, 0..400));
    let following = || of_source(&mqd, Source::Follow(file.clone()), &folder);
    let first = start(following());
    wait_until_acknowledged(&first.screen, 400);
    let refused = run(following()).unwrap_err();
    let is_locked = match &refused {
        Error::Job(stream_engine::Error::Store(_, error)) => error.kind() == ErrorKind::WouldBlock,
        _ => false,
    };
    assert!(is_locked, "{refused:?}");
    let elsewhere = Settings {
        checkpoint_dir: None,
        ..following()
    };
    let refused = run(elsewhere).unwrap_err();
    assert!(matches!(refused, Error::TopicInUse(_)), "{refused}");
    append(&file, &lines(&log, 400..1_000));
    wait_until_acknowledged(&first.screen, 1_000);
    first.stop.send_replace(true);
    let summary = first.outcome().unwrap();
    assert_eq!(summary.verdict, Verdict::Equal, "{summary}");
}

#[test]
fn a_job_that_must_go_on_does_not_begin() {
    let log = made_log(400);
    let (mqd, folder, file) = begin(&lines(&log, 0..400));
    let going_on = || Settings {
        must_resume: true,
        ..of_file(&mqd, &file, &folder)
    };
    let refused = causes(&run(going_on()).unwrap_err());
    assert!(refused.contains("no job has begun there"), "{refused}");
    right(of_file(&mqd, &file, &folder));
    right(going_on());
}

/// What an error says, and those behind it.
fn causes(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text += &format!(": {error}");
        cause = error.source();
    }
    text
}

/// The newest checkpoint in a folder.
fn newest(folder: &Path) -> Option<u64> {
    let names = fs::read_dir(folder).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let ids = names.filter_map(|name| name.strip_prefix("checkpoint-")?.parse().ok());
    ids.max()
}

/// Copies what a job would be resumed from. Returns the number of the checkpoint.
fn copy_checkpoints(from: &Path, to: &Path) -> u64 {
    fs::create_dir(to).unwrap();
    fs::copy(from.join("job"), to.join("job")).unwrap();
    loop {
        let name = |id| format!("checkpoint-{id}");
        // An old one may be gone before it is copied.
        if let Some(id) = newest(from)
            && fs::copy(from.join(name(id)), to.join(name(id))).is_ok()
        {
            return id;
        }
    }
}

#[tokio::test]
async fn the_older_one_of_two_is_fenced_and_says_so() {
    let log = made_log(1_000);
    // No window is closed by these lines.
    let (mqd, folder, file) = begin(&lines(&log, 0..50));
    let following = || of_source(&mqd, Source::Follow(file.clone()), &folder);
    let older = start(following());
    wait_until_acknowledged(&older.screen, 50);
    // The job is moved to another machine, but not ended here.
    let copy = folder.path().join("copy");
    let copied = copy_checkpoints(&folder.path().join("checkpoints"), &copy);
    let newer = start(Settings {
        checkpoint_dir: Some(copy.clone()),
        ..following()
    });
    while newest(&copy) <= Some(copied) {
        thread::yield_now();
    }
    // Windows close, for both.
    append(&file, &lines(&log, 50..800));
    let fenced = older.outcome().unwrap_err();
    let causes = causes(&fenced);
    let expected = "another ip-count has taken over";
    assert!(causes.contains(expected), "{causes}");
    append(&file, &lines(&log, 800..1_000));
    wait_until_acknowledged(&newer.screen, 1_000);
    newer.stop.send_replace(true);
    let summary = newer.outcome().unwrap();
    assert_eq!(summary.verdict, Verdict::Equal, "{summary}");
    let client = connect(&mqd).await;
    let mut rows = committed(&client, &TopicName::new("rows").unwrap(), 0).await;
    rows.sort();
    assert_eq!(rows, expected_rows(&log));
}

#[tokio::test]
async fn another_input_is_refused() {
    let log = made_log(400);
    let (mqd, folder, file) = begin(&log);
    right(of_file(&mqd, &file, &folder));
    let last = made_log(401);
    let other = [lines(&log, 0..399), lines(&last, 400..401)].concat();
    for other in [lines(&log, 0..399), lines(&log, 1..400), other] {
        fs::write(&file, other).unwrap();
        for source in [
            Source::Files(vec![file.clone()]),
            Source::Follow(file.clone()),
        ] {
            let refused = run(of_source(&mqd, source, &folder)).unwrap_err();
            // The last lines of the partitions are compared.
            let is_named = match &refused {
                Error::OtherInput(line) => matches!(line, 399 | 400),
                Error::Rotated { line, .. } => *line == 399,
                _ => false,
            };
            assert!(is_named, "{refused}");
        }
    }
    assert_eq!(lines_in_the_queue(&mqd).await, 400);
    fs::write(&file, &log).unwrap();
    right(of_file(&mqd, &file, &folder));
}

#[tokio::test]
async fn a_job_that_counts_differently_is_refused() {
    let (mqd, folder, file) = begin(&made_log(100));
    right(of_file(&mqd, &file, &folder));
    let settings = Settings {
        out_of_order: Duration::from_secs(50),
        ..of_file(&mqd, &file, &folder)
    };
    let refused = run(settings).unwrap_err();
    assert!(matches!(refused, Error::OtherJob { .. }), "{refused}");
}

#[tokio::test]
async fn topics_of_something_else_are_refused() {
    for used in ["lines", "rows"] {
        let (mqd, folder, file) = begin(&made_log(100));
        let client = connect(&mqd).await;
        let topic = TopicName::new(used).unwrap();
        client.create_topic(&topic, 1, &[]).await.unwrap();
        send(&mqd, used, Record::of_value(b"of something else")).await;
        let refused = run(of_file(&mqd, &file, &folder)).unwrap_err();
        assert!(
            matches!(&refused, Error::TopicInUse(topic) if topic.as_str() == used),
            "{refused}"
        );
    }
}

#[tokio::test]
async fn a_row_that_is_there_twice_is_found() {
    let log = made_log(100);
    let (mqd, folder, file) = begin(&log);
    right(of_file(&mqd, &file, &folder));
    let row = expected_rows(&log).pop().unwrap();
    let words: Vec<&str> = row.split(' ').collect();
    let key = format!("{} {}", words[0], words[2]);
    send(&mqd, "rows", Record::of_key(key.as_bytes(), row.as_bytes())).await;
    let summary = run(of_file(&mqd, &file, &folder)).unwrap();
    assert_eq!(summary.verdict, Verdict::Twice { key: key.clone() });
    let said = format!("verdict: FAILED, row {key} is committed twice; ");
    assert!(summary.to_string().starts_with(&said), "{summary}");
}

#[tokio::test]
async fn what_more_subtasks_have_left_open_is_aborted_by_fewer() {
    let log = made_log(1_000);
    let (mqd, folder, file) = begin(&lines(&log, 0..600));
    let with = |parallelism| Settings {
        parallelism,
        ..of_file(&mqd, &file, &folder)
    };
    right(with(4));
    // Now the newest checkpoint names no transaction.
    right(with(4));
    // As if one of its four subtasks had gone on.
    let settings = exactly_once_client::Settings {
        timeout: Duration::from_secs(900),
        ..exactly_once_client::Settings::new("ip-count.rows.3.1")
    };
    let left = TransactionalProducer::init(connect(&mqd).await, settings);
    let mut left = left.await.unwrap();
    left.begin().unwrap();
    let row = Record::of_key(b"a row", b"that is not committed");
    let rows = TopicName::new("rows").unwrap();
    left.send(&rows, row).await.unwrap().await.unwrap();
    append(&file, &lines(&log, 600..1_000));
    let summary = right(with(1));
    let client = connect(&mqd).await;
    let committed = committed(&client, &rows, 0).await;
    assert_eq!(committed.len() as u64, summary.rows);
}

#[tokio::test]
async fn with_the_checkpoints_of_another_queue_a_job_does_not_go_on() {
    let log = made_log(600);
    let (mqd, folder, file) = begin(&log);
    right(of_file(&mqd, &file, &folder));
    // Now the newest checkpoint names no transaction.
    right(of_file(&mqd, &file, &folder));
    let (other, _folder, _) = begin(&[]);
    let refused = run(of_file(&other, &file, &folder)).unwrap_err();
    let text = causes(&refused);
    assert!(text.contains("topic lines has lost"), "{text}");
}
