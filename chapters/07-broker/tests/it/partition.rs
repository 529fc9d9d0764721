//! One partition: offsets, what is read, and a disk that fails.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use broker::{Ends, Error, Fetched, Partition, Reader, Room, error_code};
use message_model::{LeaderEpoch, Offset, OffsetRange};
use record_batch::{Batches, assign_offsets, layout};
use sim_disk::Call;
use wire_protocol::ErrorCode;

use crate::support::{Broker, NOW, append, batch, bytes, name, open, open_topics, overrides, read};

fn range(start: i64, end: i64) -> OffsetRange {
    OffsetRange {
        start: Offset(start),
        end: Offset(end),
    }
}

/// Nothing synced, nothing deleted.
fn ends(log_end: i64) -> Ends {
    Ends {
        log_start: Offset(0),
        durable: Offset(0),
        last_stable: Offset(log_end),
        high_watermark: Offset(log_end),
        log_end: Offset(log_end),
    }
}

async fn fetch(partition: &Partition, from: i64, room: u32) -> Result<Fetched, Error> {
    let room = Room {
        bytes: room,
        at_least_one: true,
    };
    partition
        .fetch(Reader::Uncommitted, Offset(from), room)
        .await
}

fn fetched_bytes(fetched: &Fetched) -> Vec<u8> {
    fetched.slice.as_ref().map(read).unwrap_or_default()
}

#[tokio::test]
async fn offsets_are_dense_and_the_rest_of_a_batch_stays_as_it_was() {
    let broker = Broker::with_topic().await;
    let partition = broker.partition("t", 0);
    let mut expected = Vec::new();
    let mut next = 0;
    for values in [&["a"][..], &["b", "c", "d"], &["e", "f"]] {
        let sent = batch(values);
        let appended = append(&partition, NOW, sent.clone()).await.unwrap();
        let end = next + i64::try_from(values.len()).unwrap();
        assert_eq!(appended.range, range(next, end));
        assert_eq!(appended.ends, ends(end));
        let mut stored = sent;
        assign_offsets(&mut stored, Offset(next), LeaderEpoch::FIRST);
        expected.extend(stored);
        next = end;
    }
    let fetched = broker.fetch_now("t", 0).await;
    assert_eq!(bytes(&fetched.records), expected);
}

#[tokio::test]
async fn a_fetch_begins_with_the_batch_that_holds_the_offset() {
    let broker = Broker::with_topic().await;
    let partition = broker.partition("t", 0);
    for values in [["a", "b", "c"], ["d", "e", "f"], ["g", "h", "i"]] {
        append(&partition, NOW, batch(&values)).await.unwrap();
    }
    for (from, first) in [(0, 0), (2, 0), (3, 3), (5, 3), (8, 6)] {
        let fetched = fetch(&partition, from, 100_000).await.unwrap();
        assert_eq!(fetched.range, range(first, 9), "from {from}");
        assert_eq!(fetched.ends, ends(9));
    }
}

#[tokio::test]
async fn the_end_is_an_empty_answer_and_beyond_it_is_an_error() {
    let broker = Broker::with_topic().await;
    let partition = broker.partition("t", 0);
    append(&partition, NOW, batch(&["a", "b"])).await.unwrap();
    let fetched = fetch(&partition, 2, 1_000).await.unwrap();
    assert!(fetched.slice.is_none());
    assert_eq!(fetched.range, range(2, 2));
    for outside in [-1, 3, i64::MIN, i64::MAX] {
        let error = fetch(&partition, outside, 1_000).await.unwrap_err();
        let code = error_code(&error);
        assert_eq!(code, ErrorCode::OFFSET_OUT_OF_RANGE, "from {outside}");
    }
}

#[tokio::test]
async fn a_full_disk_is_an_error_and_goes_on_when_there_is_room() {
    let broker = Broker::with_topic().await;
    let partition = broker.partition("t", 0);
    append(&partition, NOW, batch(&["a"])).await.unwrap();
    broker.disk.set_space(Some(10));
    let full = append(&partition, NOW, batch(&["b"])).await.unwrap_err();
    assert_eq!(error_code(&full), ErrorCode::KAFKA_STORAGE_ERROR);
    assert_eq!(partition.ends().unwrap(), ends(1));
    broker.disk.set_space(None);
    let appended = append(&partition, NOW, batch(&["c"])).await.unwrap();
    assert_eq!(appended.range, range(1, 2));
}

#[tokio::test]
async fn a_damaged_log_is_there_and_answers_56() {
    let broker = Broker::with_topic().await;
    broker.write(-1, "t", &["a"]).await;
    assert!(broker.topics.save_recovery_points().await.is_empty());
    let log = Path::new("/data/t-0/00000000000000000000.log");
    broker.disk.flip(log, 8 * layout::RECORDS);

    let opened = open(&broker.disk);
    assert_eq!(opened.offline.len(), 1);
    assert_eq!(opened.offline[0].0.to_string(), "t-0");
    let topic = opened.topics.get(&name("t")).unwrap();
    let error = append(&topic.partitions[0], NOW, batch(&["b"])).await;
    let code = error_code(&error.unwrap_err());
    assert_eq!(code, ErrorCode::KAFKA_STORAGE_ERROR);
}

#[tokio::test]
async fn a_torn_tail_is_cut_off_and_reported() {
    let broker = Broker::with_topic().await;
    let partition = broker.partition("t", 0);
    append(&partition, NOW, batch(&["a"])).await.unwrap();
    let kept = partition.ends().unwrap();
    append(&partition, NOW, batch(&["b"])).await.unwrap();
    let log = Path::new("/data/t-0/00000000000000000000.log");
    let files = broker.disk.files();
    let (_, bytes) = files.iter().find(|(path, _)| path == log).unwrap();
    broker.disk.flip(log, 8 * (bytes.len() - 1));

    let opened = open(&broker.disk);
    let (partition, truncated) = &opened.truncated[0];
    assert_eq!(partition.to_string(), "t-0");
    assert_eq!(truncated.log_end, kept.log_end);
    assert!(opened.offline.is_empty());
}

/// Producers on several threads: every offset is given once, and each producer finds
/// its own batch where it was told. The segments are small, so some appends roll.
#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn concurrent_producers_share_the_offsets() {
    let broker = Broker::with_topic().await;
    let partition = broker.partition("t", 0);
    let produce = |producer: &'static str| {
        let partition = Arc::clone(&partition);
        tokio::spawn(async move {
            let mut appended = Vec::new();
            for index in 0..200 {
                let value = format!("{producer} {index}");
                let values = vec![value.as_str(); index % 3 + 1];
                let one = append(&partition, NOW, batch(&values)).await.unwrap();
                appended.push((one.range, value));
            }
            appended
        })
    };
    let (first, second) = (produce("a"), produce("b"));
    let mut all = first.await.unwrap();
    all.extend(second.await.unwrap());
    all.sort_by_key(|(range, _)| range.start);
    let mut next = Offset::ZERO;
    for (range, value) in all {
        assert_eq!(range.start, next, "no gap and no overlap");
        let fetched = fetch(&partition, range.start.0, 1).await.unwrap();
        let stored = fetched_bytes(&fetched);
        assert!(String::from_utf8_lossy(&stored).contains(&value));
        next = range.end;
    }
    assert_eq!(partition.ends().unwrap().log_end, next);
    let reopened = open_topics(&broker.disk).get(&name("t")).unwrap();
    assert_eq!(reopened.partitions[0].ends().unwrap().log_end, next);
}

#[tokio::test]
async fn offsets_are_never_given_twice_after_retention() {
    let broker = Broker::start();
    let settings = [("retention.bytes", "0"), ("segment.bytes", "1024")];
    let topic = broker.create_with("t", 1, &settings).await;
    let partition = &topic.partitions[0];
    let long = "x".repeat(400);
    let parking = broker.disk.park_every(Call::Sync, Path::new("/data/t-0"));
    for _ in 0..10 {
        append(partition, NOW, batch(&[&long])).await.unwrap();
    }
    assert!(!partition.apply_retention(NOW).await.unwrap());
    assert_eq!(
        partition.ends().unwrap().log_start,
        Offset::ZERO,
        "what is not on disk is not deleted"
    );
    parking.release();
    broker.write(-1, "t", &["durable"]).await;
    assert!(partition.apply_retention(NOW).await.unwrap());
    let now = partition.ends().unwrap();
    assert!(now.log_start > Offset::ZERO);
    assert_eq!(now.log_end, Offset(11));
    let gone = fetch(partition, 0, 1_000).await.unwrap_err();
    assert_eq!(error_code(&gone), ErrorCode::OFFSET_OUT_OF_RANGE);
    assert!(
        !partition.apply_retention(NOW).await.unwrap(),
        "once is enough"
    );
    for _ in 0..10 {
        let reopened = open_topics(&broker.disk.crash()).get(&name("t")).unwrap();
        let ends = reopened.partitions[0].ends().unwrap();
        assert_eq!((ends.log_start, ends.log_end), (now.log_start, now.log_end));
    }
}

/// What a consumer receives is what a walk along batches can read.
#[tokio::test]
async fn what_is_fetched_is_whole_batches() {
    let broker = Broker::with_topic().await;
    let partition = broker.partition("t", 0);
    for count in 1..20 {
        let values = vec!["v"; count];
        append(&partition, NOW, batch(&values)).await.unwrap();
    }
    let mut seen = BTreeSet::new();
    let mut next = 0;
    // Each fetch brings a batch at least.
    for _ in 1..20 {
        let fetched = fetch(&partition, next, 300).await.unwrap();
        for batch in Batches::new(&fetched_bytes(&fetched)) {
            let (header, _) = batch.unwrap();
            assert!(seen.insert(header.base_offset), "no batch comes twice");
        }
        next = fetched.range.end.0;
    }
    assert_eq!(Offset(next), partition.ends().unwrap().log_end);
    assert_eq!(seen.len(), 19);
}

/// The settings of a topic are those of its partitions.
#[tokio::test]
async fn a_topic_has_limits_of_its_own() {
    let broker = Broker::start();
    let topic = broker.create_with("t", 1, &[("max.message.bytes", "100")]);
    let partition = Arc::clone(&topic.await.partitions[0]);
    assert_eq!(partition.settings().log.batch_size_max, 100);
    let long = batch(&["x".repeat(100).as_str()]);
    let error = append(&partition, NOW, long).await.unwrap_err();
    assert_eq!(error_code(&error), ErrorCode::MESSAGE_TOO_LARGE);
    assert_eq!(
        topic_settings_of(&broker),
        overrides(&[("max.message.bytes", "100")])
    );
}

fn topic_settings_of(broker: &Broker) -> std::collections::BTreeMap<String, String> {
    broker
        .topics
        .get(&name("t"))
        .unwrap()
        .config
        .overrides
        .clone()
}
