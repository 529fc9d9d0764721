//! DeleteRecords: what goes, what stays, and who hears of it.

use std::sync::Arc;
use std::time::Duration;

use broker::{Error, Topics, api};
use disk::Disk;
use networking::Peer;
use sim_disk::{Call, SimDisk};
use wire_protocol::ErrorCode;
use wire_protocol::message::{
    DeleteRecordsPartition, DeleteRecordsRequest, DeleteRecordsResponse, DeleteRecordsTopic,
};

use crate::admin::list;
use crate::stalls::until_parked;
use crate::support::{
    Broker, DATA_DIR, NOW, append, batch, config, fetch_request, name, open, services,
    until_waiting,
};

/// Topic, and in it partitions and offsets.
type Wanted<'a> = (&'a str, &'a [(i32, i64)]);

async fn delete(broker: &Broker, wanted: &[Wanted<'_>], timeout_ms: i32) -> DeleteRecordsResponse {
    let partition = |(partition_index, offset): &(i32, i64)| DeleteRecordsPartition {
        partition_index: *partition_index,
        offset: *offset,
    };
    let topic = |(name, partitions): &Wanted<'_>| DeleteRecordsTopic {
        name: (*name).to_owned(),
        partitions: partitions.iter().map(partition).collect(),
    };
    let request = DeleteRecordsRequest {
        topics: wanted.iter().map(topic).collect(),
        timeout_ms,
    };
    api::delete_records(broker, &Peer::default(), request).await
}

/// Topic, partition, code and low watermark, in the order of the answer.
fn results(response: &DeleteRecordsResponse) -> Vec<(&str, i32, ErrorCode, i64)> {
    let topics = response.topics.iter();
    let partitions = topics.flat_map(|topic| {
        let partitions = topic.partitions.iter();
        partitions.map(|one| {
            let name = topic.name.as_str();
            (name, one.partition_index, one.error_code, one.low_watermark)
        })
    });
    partitions.collect()
}

const FINE: ErrorCode = ErrorCode::NONE;
const UNKNOWN: ErrorCode = ErrorCode::UNKNOWN_TOPIC_OR_PARTITION;
const OUT_OF_RANGE: ErrorCode = ErrorCode::OFFSET_OUT_OF_RANGE;

#[tokio::test]
async fn records_below_an_offset_are_gone() {
    let broker = Broker::with_topic().await;
    broker.write(1, "t", &["a", "b", "c", "d"]).await;
    let deleted = delete(&broker, &[("t", &[(0, 2)])], 1_000).await;
    assert_eq!(results(&deleted), [("t", 0, FINE, 2)]);
    assert_eq!(list(&broker, "t", -2).await, (FINE, -1, 2));
    assert_eq!(broker.fetch_now("t", 1).await.error_code, OUT_OF_RANGE);
    let there = broker.fetch_now("t", 2).await;
    assert_eq!((there.error_code, there.log_start_offset), (FINE, 2));
    // Below the start nothing is left to delete; -1 deletes all.
    let less = delete(&broker, &[("t", &[(0, 1)])], 1_000).await;
    assert_eq!(results(&less), [("t", 0, FINE, 2)]);
    let all = delete(&broker, &[("t", &[(0, -1)])], 1_000).await;
    assert_eq!(results(&all), [("t", 0, FINE, 4)]);
    broker.write(1, "t", &["e"]).await;
    assert_eq!(list(&broker, "t", 0).await, (FINE, 1_000, 4));
}

/// As Kafka answers; time is none of its concern with one replica.
#[tokio::test]
async fn it_says_what_is_wrong_with_each() {
    let broker = Broker::with_topic().await;
    broker.write(1, "t", &["a", "b"]).await;
    for timeout_ms in [1_000, 0, -1] {
        let wanted: &[Wanted<'_>] = &[
            ("t", &[(0, 3), (7, 0), (-1, 0)]),
            ("u", &[(0, 0)]),
            ("not a name", &[(0, 0)]),
            ("", &[(0, 0)]),
            ("empty", &[]),
        ];
        let answer = delete(&broker, wanted, timeout_ms).await;
        let expected = [
            ("t", 0, OUT_OF_RANGE, -1),
            ("t", 7, UNKNOWN, -1),
            ("t", -1, UNKNOWN, -1),
            ("u", 0, UNKNOWN, -1),
            ("not a name", 0, UNKNOWN, -1),
            ("", 0, UNKNOWN, -1),
        ];
        assert_eq!(results(&answer), expected);
        let negative = delete(&broker, &[("t", &[(0, -2)])], timeout_ms).await;
        assert_eq!(results(&negative), [("t", 0, OUT_OF_RANGE, -1)]);
    }
    assert_eq!(list(&broker, "t", -2).await, (FINE, -1, 0));
}

/// As Kafka answers: what is compacted only goes by its keys, and internal topics are
/// the broker's.
#[tokio::test]
async fn what_is_not_deleted_by_offset() {
    let broker = Broker::start();
    for (topic, policy) in [("c", "compact"), ("d", "compact,delete"), ("e", "")] {
        broker
            .create_with(topic, 1, &[("cleanup.policy", policy)])
            .await;
    }
    broker.create("__consumer_offsets", 1).await;
    let topics = ["c", "d", "e", "__consumer_offsets"];
    let wanted = topics.map(|topic| (topic, &[(0, 0)][..]));
    let answer = delete(&broker, &wanted, 1_000).await;
    let expected = [
        ("c", 0, ErrorCode::POLICY_VIOLATION, -1),
        ("d", 0, FINE, 0),
        ("e", 0, FINE, 0),
        (
            "__consumer_offsets",
            0,
            ErrorCode::INVALID_TOPIC_EXCEPTION,
            -1,
        ),
    ];
    assert_eq!(results(&answer), expected);
}

/// A disk that stands still: the client hears of it after a minute, and the others
/// are served.
#[tokio::test(start_paused = true)]
async fn it_ends_when_the_disk_stands_still() {
    let broker = Arc::new(Broker::with_topic().await);
    broker.create("u", 1).await;
    broker.write(1, "t", &["a"]).await;
    broker.write(1, "u", &["a", "b"]).await;
    let parking = broker
        .disk
        .park_next(Call::Sync, std::path::Path::new("/data/t-0"));
    let wanted: &[Wanted<'_>] = &[("t", &[(0, -1)]), ("u", &[(0, -1)])];
    let deleting = Arc::clone(&broker);
    let deleting = tokio::spawn(async move { delete(&deleting, wanted, 1_000).await });
    until_parked(&parking, "the sync").await;
    let alone = delete(&broker, &[("u", &[(0, 1)])], 1_000).await;
    assert_eq!(results(&alone), [("u", 0, FINE, 1)]);
    // No time passes by itself while a thread waits for the disk.
    tokio::time::advance(Duration::from_secs(59)).await;
    assert!(!deleting.is_finished());
    tokio::time::advance(Duration::from_secs(1)).await;
    let answer = deleting.await.unwrap();
    let late = ErrorCode::REQUEST_TIMED_OUT;
    assert_eq!(results(&answer), [("t", 0, late, -1), ("u", 0, late, -1)]);
    parking.release();
}

#[tokio::test]
async fn of_several_entries_for_a_partition_the_last_one_counts() {
    let broker = Broker::start();
    for topic in ["a", "b"] {
        broker.create(topic, 2).await;
        broker.write(1, topic, &["x", "y", "z"]).await;
    }
    let wanted: &[Wanted<'_>] = &[
        ("a", &[(0, 3), (1, 0), (0, 2)]),
        ("b", &[(0, 1)]),
        ("a", &[(0, 1)]),
    ];
    let answer = delete(&broker, wanted, 1_000).await;
    let expected = [("a", 0, FINE, 1), ("a", 1, FINE, 0), ("b", 0, FINE, 1)];
    assert_eq!(results(&answer), expected);
}

#[tokio::test]
async fn segments_wholly_below_are_removed() {
    let broker = Broker::start();
    broker
        .create_with("t", 1, &[("segment.bytes", "1024")])
        .await;
    let long = "x".repeat(600);
    for _ in 0..6 {
        broker.write(1, "t", &[&long]).await;
    }
    let before = broker.partition("t", 0).size().unwrap();
    let deleted = delete(&broker, &[("t", &[(0, 3)])], 1_000).await;
    assert_eq!(results(&deleted), [("t", 0, FINE, 3)]);
    let names = broker
        .disk
        .list(&std::path::Path::new(DATA_DIR).join("t-0"));
    let logs: Vec<String> = names
        .unwrap()
        .into_iter()
        .filter(|name| name.ends_with(".log"))
        .collect();
    assert_eq!(logs, [3, 4, 5].map(|base| format!("{base:020}.log")));
    assert_eq!(broker.partition("t", 0).size().unwrap(), before / 2);
}

/// A fetch that has too little of what is deleted now hears of it at once.
#[tokio::test(start_paused = true)]
async fn a_fetch_that_waits_below_the_new_start_is_answered() {
    let broker = Arc::new(Broker::with_topic().await);
    broker.write(1, "t", &["a", "b"]).await;
    let fetch = {
        let broker = Arc::clone(&broker);
        let request = fetch_request(&[("t", 0, 0)], 50_000, 10_000);
        tokio::spawn(async move { broker.fetch(request).await })
    };
    until_waiting(&broker, 1).await;
    let before = broker.clock().now();
    delete(&broker, &[("t", &[(0, -1)])], 1_000).await;
    let answer = fetch.await.unwrap();
    let found = &answer.responses[0].partitions[0];
    assert_eq!(found.error_code, OUT_OF_RANGE);
    assert!(broker.clock().now().since(before).as_secs() < 5);
}

async fn produce_and_delete(topics: &Arc<Topics>) -> Result<(), Error> {
    let t = name("t");
    let topic = topics.create(&t, 1, topics.new_config()).await?;
    let partition = &topic.partitions[0];
    for _ in 0..40 {
        let long = "x".repeat(600);
        append(partition, NOW, batch(&[&long])).await?;
    }
    Ok(())
}

/// Whatever crashes: a start that a client was told of stays, and nothing at or
/// above a start that it was not told of is lost either.
#[tokio::test]
async fn a_new_start_survives_every_crash() {
    let disk = SimDisk::new(1);
    let operations = run(&disk).await.1;
    let mut below = 0;
    for operation in operations.0..operations.1 {
        let disk = SimDisk::new(operation);
        disk.power_off_at(operation);
        let told = run(&disk).await.0;
        for _ in 0..4 {
            let opened = open(&disk.crash());
            assert!(opened.offline.is_empty(), "{operation}");
            let Some(topic) = opened.topics.get(&name("t")) else {
                assert!(told.is_none());
                continue;
            };
            let ends = topic.partitions[0].ends().unwrap();
            assert!(
                Some(ends.log_start.0) >= told,
                "{operation}: {ends:?} after {told:?}"
            );
            assert!(Some(ends.log_end.0) >= told, "{operation}: {ends:?}");
            assert!(ends.log_start.0 <= 30);
            below += usize::from(ends.log_start.0 == 0);
        }
    }
    assert!(below > 0, "some crashes come before the new start");
}

/// Deletes below 10, then below 30. Which start a client was told of last, and
/// the operations of the disk at which the deleting began and ended.
async fn run(disk: &SimDisk) -> (Option<i64>, (u64, u64)) {
    let opened = Topics::open(services(disk), std::path::Path::new(DATA_DIR), config());
    let Ok(opened) = opened else {
        return (None, (0, 0));
    };
    let topics = Arc::new(opened.topics);
    if produce_and_delete(&topics).await.is_err() {
        return (None, (0, 0));
    }
    let began = disk.operations();
    let partition = &topics.get(&name("t")).unwrap().partitions[0];
    let mut told = None;
    for offset in [10, 30] {
        match partition.delete_before(message_model::Offset(offset)).await {
            Ok(start) => told = Some(start.0),
            Err(_) => break,
        }
    }
    (told, (began, disk.operations()))
}
