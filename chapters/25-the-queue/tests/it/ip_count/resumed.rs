//! Jobs that are resumed, taken over, or refused.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use client::OffsetSpec;
use message_model::{Offset, PartitionIndex, TopicName, TopicPartition};
use mqd_guard::Mqd;
use producer::{Producer, Record};
use record_batch::Header;
use stream_compute::{Error, Settings, Source, Summary, Verdict};

use super::{append, expected_rows, made_log, settings, start, wait_until_acknowledged};
use crate::exactly_once::{committed, connect};
use crate::support::mqd;

/// A broker, and a file beside its data.
fn begin(log: &[u8]) -> (Mqd, PathBuf) {
    let mqd = mqd()
        .set("transaction.state.log.num.partitions", "3")
        .set("offsets.topic.num.partitions", "3")
        .start()
        .unwrap();
    let file = mqd.data_dir().join("a.log");
    fs::write(&file, log).unwrap();
    (mqd, file)
}

fn of_file(mqd: &Mqd, log: &Path) -> Settings {
    settings(&mqd.address().to_string(), Source::File(log.to_owned()))
}

fn run(settings: Settings) -> Result<Summary, Error> {
    start(settings).outcome()
}

fn right(settings: Settings) -> Summary {
    let summary = run(settings).unwrap();
    assert_eq!(summary.verdict, Verdict::Equal, "{summary}");
    summary
}

async fn log_end(mqd: &Mqd, topic: &str) -> Offset {
    let client = connect(mqd).await;
    let partition = TopicPartition {
        topic: TopicName::new(topic).unwrap(),
        partition: PartitionIndex(0),
    };
    let end = client.list_offset(&partition, OffsetSpec::Latest).await;
    end.unwrap().unwrap()
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
    let (mqd, file) = begin(&lines(&log, 0..600));
    let first = right(of_file(&mqd, &file));
    assert_eq!((first.lines, first.tally.late), (600, 0));
    assert_eq!(log_end(&mqd, "lines").await, Offset(600));
    assert_eq!(right(of_file(&mqd, &file)), first);
    assert_eq!(
        log_end(&mqd, "lines").await,
        Offset(600),
        "nothing is fed again"
    );
    append(&file, &lines(&log, 600..1_000));
    let all = right(of_file(&mqd, &file));
    assert_eq!(all.lines, 1_000);
    assert_eq!(log_end(&mqd, "lines").await, Offset(1_000));
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
    let (mqd, file) = begin(&lines(&log, 0..600));
    right(of_file(&mqd, &file));
    for (number, text) in (501..).zip(lines(&log, 500..550).split(|byte| *byte == b'\n')) {
        let number: String = i32::to_string(&number);
        let header = Header {
            key: "line",
            value: Some(number.as_bytes()),
        };
        let headers = &[header];
        if !text.is_empty() {
            let record = Record::of_value(text);
            send(&mqd, "lines", Record { headers, ..record }).await;
        }
    }
    append(&file, &lines(&log, 600..1_000));
    let all = right(of_file(&mqd, &file));
    // The topic's last line is number 550, so those behind it are fed again.
    assert_eq!(all.tally.repeated, 50 + 50);
    assert_eq!(log_end(&mqd, "lines").await, Offset(1_000 + 50 + 50));
    let tally = all.tally;
    assert_eq!(tally.counted + tally.unparsable + tally.late, 1_000);
}

#[tokio::test]
async fn the_older_one_of_two_is_fenced_and_says_so() {
    let log = made_log(1_000);
    let (mqd, file) = begin(&lines(&log, 0..400));
    let following = || settings(&mqd.address().to_string(), Source::Follow(file.clone()));
    let older = start(following());
    wait_until_acknowledged(&older.screen, 400);
    let newer = start(following());
    wait_until_acknowledged(&newer.screen, 400);
    // Windows close, for both.
    append(&file, &lines(&log, 400..800));
    older.stop.send_replace(true);
    let fenced = older.outcome().unwrap_err();
    assert!(matches!(fenced, Error::Fenced(_)), "{fenced}");
    assert!(
        fenced
            .to_string()
            .contains("another ip-count has taken over"),
        "{fenced}"
    );
    append(&file, &lines(&log, 800..1_000));
    wait_until_acknowledged(&newer.screen, 1_000);
    newer.stop.send_replace(true);
    let summary = newer.outcome().unwrap();
    assert_eq!(summary.verdict, Verdict::Equal, "{summary}");
    let client = connect(&mqd).await;
    let rows = committed(&client, &TopicName::new("rows").unwrap(), 0).await;
    assert_eq!(rows, expected_rows(&log));
}

#[tokio::test]
async fn another_input_is_refused() {
    let log = made_log(400);
    let (mqd, file) = begin(&log);
    right(of_file(&mqd, &file));
    let last = made_log(401);
    let other = [lines(&log, 0..399), lines(&last, 400..401)].concat();
    for other in [lines(&log, 0..399), lines(&log, 1..400), other] {
        fs::write(&file, other).unwrap();
        for source in [Source::File(file.clone()), Source::Follow(file.clone())] {
            let refused = run(settings(&mqd.address().to_string(), source)).unwrap_err();
            assert!(matches!(refused, Error::OtherInput(400)), "{refused}");
        }
    }
    assert_eq!(log_end(&mqd, "lines").await, Offset(400));
    fs::write(&file, &log).unwrap();
    right(of_file(&mqd, &file));
}

#[tokio::test]
async fn a_job_that_counts_differently_is_refused() {
    let (mqd, file) = begin(&made_log(100));
    right(of_file(&mqd, &file));
    let settings = Settings {
        out_of_order: Duration::from_secs(50),
        ..of_file(&mqd, &file)
    };
    let refused = run(settings).unwrap_err();
    assert!(matches!(refused, Error::OtherJob(_)), "{refused}");
}

#[tokio::test]
async fn topics_of_something_else_are_refused() {
    for used in ["lines", "rows"] {
        let (mqd, file) = begin(&made_log(100));
        let client = connect(&mqd).await;
        let topic = TopicName::new(used).unwrap();
        client.create_topic(&topic, 1, &[]).await.unwrap();
        send(&mqd, used, Record::of_value(b"of something else")).await;
        let refused = run(of_file(&mqd, &file)).unwrap_err();
        assert!(
            matches!(&refused, Error::TopicInUse(topic) if topic.as_str() == used),
            "{refused}"
        );
    }
}

#[tokio::test]
async fn a_row_that_is_there_twice_is_found() {
    let log = made_log(100);
    let (mqd, file) = begin(&log);
    right(of_file(&mqd, &file));
    let row = expected_rows(&log).pop().unwrap();
    let words: Vec<&str> = row.split(' ').collect();
    let key = format!("{} {}", words[0], words[2]);
    send(&mqd, "rows", Record::of_key(key.as_bytes(), row.as_bytes())).await;
    let summary = run(of_file(&mqd, &file)).unwrap();
    assert_eq!(summary.verdict, Verdict::Twice { key: key.clone() });
    let said = format!("verdict: FAILED, row {key} is committed twice; ");
    assert!(summary.to_string().starts_with(&said), "{summary}");
}
