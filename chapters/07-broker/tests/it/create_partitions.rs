//! CreatePartitions: what is refused, and what goes on.

use std::path::Path;
use std::sync::Arc;

use broker::{Error, api};
use disk::Disk;
use networking::Peer;
use sim_disk::{Call, SimDisk};
use wire_protocol::ErrorCode;
use wire_protocol::message::{
    CreatePartitionsAssignment, CreatePartitionsRequest, CreatePartitionsTopic,
};

use crate::admin::{metadata, topics};
use crate::alter_configs::set;
use crate::stalls::{
    its_own_partition_is_served, others_are_served_by_the_disk, soon, spawn, two_topics,
    until_parked,
};
use crate::support::{
    Broker, DATA_DIR, batch, bytes, config, fetch_request, name, open, open_topics, until_waiting,
};

fn more(topic: &str, count: i32) -> CreatePartitionsTopic {
    CreatePartitionsTopic {
        name: topic.to_owned(),
        count,
        assignments: None,
    }
}

fn assigned(topic: &str, count: i32, brokers: &[&[i32]]) -> CreatePartitionsTopic {
    let assignment = |broker_ids: &&[i32]| CreatePartitionsAssignment {
        broker_ids: broker_ids.to_vec(),
    };
    CreatePartitionsTopic {
        assignments: Some(brokers.iter().map(assignment).collect()),
        ..more(topic, count)
    }
}

async fn ask(
    broker: &Broker,
    topics: Vec<CreatePartitionsTopic>,
    timeout_ms: i32,
    validate_only: bool,
) -> Vec<(String, ErrorCode)> {
    let request = CreatePartitionsRequest {
        topics,
        timeout_ms,
        validate_only,
    };
    let response = api::create_partitions(broker, &Peer::default(), request).await;
    let results = response.results.into_iter();
    results.map(|one| (one.name, one.error_code)).collect()
}

/// What is said of one topic, if it is only checked and if it grows.
async fn codes(broker: &Broker, topic: CreatePartitionsTopic) -> [ErrorCode; 2] {
    let checked = ask(broker, vec![topic.clone()], 30_000, true).await;
    let done = ask(broker, vec![topic], 30_000, false).await;
    [checked[0].1, done[0].1]
}

fn count(broker: &Broker, topic: &str) -> usize {
    broker.topics.get(&name(topic)).unwrap().partitions.len()
}

#[tokio::test]
async fn it_says_what_is_wrong_with_each() {
    let broker = Broker::start();
    broker.create("t", 2).await;
    broker.create("large", 90).await;
    broker.create("larger", 90).await;
    let few = ErrorCode::INVALID_PARTITIONS;
    let unknown = ErrorCode::UNKNOWN_TOPIC_OR_PARTITION;
    let assignment = ErrorCode::INVALID_REPLICA_ASSIGNMENT;
    let cases = [
        (more("t", 2), few),
        (more("t", 1), few),
        (more("t", 0), few),
        (more("t", -1), few),
        (more("u", 3), unknown),
        (more("not a name", 3), unknown),
        (more("", 3), unknown),
        // One topic can have 100, all together 250.
        (more("t", 101), few),
        (more("t", 71), few),
        (assigned("t", 3, &[&[4]]), assignment),
        (assigned("t", 3, &[&[3], &[3]]), assignment),
        (assigned("t", 4, &[&[3]]), assignment),
        (assigned("t", 3, &[]), assignment),
        (assigned("t", 3, &[&[]]), assignment),
        (assigned("t", 3, &[&[3, 3]]), assignment),
        (assigned("t", 3, &[&[3, 4]]), assignment),
        (assigned("t", 2, &[&[4]]), few),
        // Groups would be looked for where they are not.
        (
            more("__consumer_offsets", 9),
            ErrorCode::INVALID_TOPIC_EXCEPTION,
        ),
    ];
    for (topic, code) in cases {
        assert_eq!(codes(&broker, topic.clone()).await, [code; 2], "{topic:?}");
    }
    assert_eq!(count(&broker, "t"), 2);
    assert_eq!(codes(&broker, more("t", 3)).await, [ErrorCode::NONE; 2]);
    let by_hand = assigned("t", 5, &[&[3], &[3]]);
    assert_eq!(codes(&broker, by_hand).await, [ErrorCode::NONE; 2]);
    assert_eq!(codes(&broker, more("t", 70)).await, [ErrorCode::NONE; 2]);
    assert_eq!(count(&broker, "t"), 70);
    let described = metadata(&broker, Some(&["t"])).await;
    assert_eq!(topics(&described), [("t", ErrorCode::NONE, 70)]);
}

/// As in Kafka.
#[tokio::test]
async fn twice_named_and_without_time_nothing_grows() {
    let broker = Broker::start();
    for topic in ["a", "b", "c"] {
        broker.create(topic, 1).await;
    }
    let wanted = vec![more("a", 2), more("b", 2), more("a", 3)];
    for timeout_ms in [0, -1] {
        let expected = [
            ("a".to_owned(), ErrorCode::INVALID_REQUEST),
            ("b".to_owned(), ErrorCode::REQUEST_TIMED_OUT),
        ];
        assert_eq!(
            ask(&broker, wanted.clone(), timeout_ms, false).await,
            expected
        );
    }
    assert_eq!((count(&broker, "a"), count(&broker, "b")), (1, 1));
    let answers = ask(&broker, wanted, 1_000, false).await;
    assert_eq!(answers[1].1, ErrorCode::NONE);
    assert_eq!((count(&broker, "a"), count(&broker, "b")), (1, 2));
}

/// What waited at a partition before goes on to wait, and is woken by a record.
#[tokio::test]
async fn producers_and_consumers_go_on() {
    let broker = Arc::new(Broker::with_topic().await);
    let fetch = {
        let broker = Arc::clone(&broker);
        let request = fetch_request(&[("t", 0, 0)], 50_000, 1);
        tokio::spawn(async move { broker.fetch(request).await })
    };
    until_waiting(&broker, 1).await;
    broker.topics.grow(&name("t"), 3).await.unwrap();
    assert_eq!(broker.services.fetches.len(), 1);
    broker.write(1, "t", &["a"]).await;
    let answer = fetch.await.unwrap();
    let records = &answer.responses[0].partitions[0].records;
    assert_eq!(bytes(records), batch(&["a"]));
    let new = broker.partition("t", 2);
    assert_eq!(new.ends().unwrap().log_end.0, 0);
}

/// Growth is at its slowest point: its own partitions, others, other topics, metadata
/// and changes of settings are served. Its deletion waits, and then takes all of it.
#[tokio::test]
async fn growth_that_stands_still_holds_up_nothing_else() {
    for call in [Call::List, Call::CreateDir, Call::Create] {
        let broker = two_topics().await;
        broker.create("slow", 1).await;
        let parking = broker.disk.park_next(call, Path::new("/data/slow-1"));
        let growing = {
            let topics = Arc::clone(&broker.topics);
            spawn(async move { topics.grow(&name("slow"), 2).await })
        };
        until_parked(&parking, &format!("{call:?}")).await;
        others_are_served_by_the_disk(&broker).await;
        its_own_partition_is_served(&broker).await;
        soon("a write", broker.write(1, "slow", &["a"])).await;
        let asked = soon("metadata", metadata(&broker, Some(&["slow"]))).await;
        assert_eq!(topics(&asked), [("slow", ErrorCode::NONE, 1)]);
        let changed = soon("a change", set(&broker, "slow", "segment.bytes", "2000")).await;
        assert_eq!(changed, ErrorCode::NONE);
        let deleting = {
            let topics = Arc::clone(&broker.topics);
            spawn(async move { topics.delete(&name("slow")).await })
        };
        assert!(!growing.is_finished(), "{call:?}");
        parking.release();
        growing.await.unwrap().unwrap();
        deleting.await.unwrap().unwrap();
        assert!(broker.topics.get(&name("slow")).is_none());
        let left = broker.disk.list(Path::new(DATA_DIR)).unwrap();
        assert!(
            !left.iter().any(|name| name.starts_with("slow")),
            "{left:?}"
        );
    }
}

/// New partitions have the settings that were set while their logs were made.
#[tokio::test]
async fn settings_that_change_meanwhile_hold_for_the_new_partitions_too() {
    let broker = two_topics().await;
    broker.create("slow", 1).await;
    let parking = broker
        .disk
        .park_next(Call::Create, Path::new("/data/slow-1"));
    let growing = {
        let topics = Arc::clone(&broker.topics);
        spawn(async move { topics.grow(&name("slow"), 2).await })
    };
    until_parked(&parking, "a creation").await;
    let changed = set(&broker, "slow", "max.message.bytes", "100").await;
    assert_eq!(changed, ErrorCode::NONE);
    parking.release();
    growing.await.unwrap().unwrap();
    for index in [0, 1] {
        let settings = broker.partition("slow", index).settings();
        assert_eq!(settings.log.batch_size_max, 100, "{index}");
    }
    let topics = open_topics(&broker.disk.crash());
    let topic = topics.get(&name("slow")).unwrap();
    assert_eq!(topic.partitions.len(), 2);
    assert_eq!(topic.config.overrides["max.message.bytes"], "100");
}

/// A directory of somebody else is where a new partition would be.
#[tokio::test]
async fn a_stranger_is_never_touched() {
    let broker = Broker::with_topic().await;
    let stranger = Path::new(DATA_DIR).join("t-2");
    broker.disk.create_dir_all(&stranger).unwrap();
    let precious = broker.disk.create(&stranger.join("precious")).unwrap();
    precious.write_all_at(b"!", 0).unwrap();
    let grown = broker.topics.grow(&name("t"), 4).await;
    assert!(matches!(grown, Err(Error::Exists)), "{grown:?}");
    assert_eq!(count(&broker, "t"), 1);
    assert_eq!(broker.disk.list(&stranger).unwrap(), ["precious"]);
    broker.topics.grow(&name("t"), 2).await.unwrap();
}

/// Each operation of the disk fails once. The topic has what it had, or all of it,
/// and can grow again.
#[tokio::test]
async fn a_failed_growth_leaves_nothing() {
    let disk = SimDisk::new(7);
    let broker = Broker::start_with(&disk, config());
    broker.create("t", 1).await;
    let before = disk.operations();
    broker.topics.grow(&name("t"), 3).await.unwrap();
    let steps = disk.operations() - before;
    broker.topics.delete(&name("t")).await.unwrap();
    let mut failed = 0;
    for step in 0..steps {
        broker.create("t", 1).await;
        disk.fail_at(disk.operations() + step);
        if broker.topics.grow(&name("t"), 3).await.is_err() {
            failed += 1;
            assert_eq!(count(&broker, "t"), 1, "step {step}");
            let found = open(&disk.crash());
            assert_eq!(found.topics.get(&name("t")).unwrap().partitions.len(), 1);
            assert!(found.strangers.is_empty());
            broker.topics.grow(&name("t"), 2).await.unwrap();
        }
        broker.topics.delete(&name("t")).await.unwrap();
    }
    assert!(failed > 4, "{failed}");
    let left = disk.list(Path::new(DATA_DIR)).unwrap();
    assert!(!left.iter().any(|name| name.starts_with("t-")), "{left:?}");
}

/// The directory with all partitions is synced when `topics.json` is replaced, and a new log
/// has nothing else that must not be lost.
#[tokio::test]
async fn partitions_are_made_without_a_sync_for_each() {
    let syncs = async |partitions: u32| {
        let broker = Broker::start();
        let before = broker.disk.counts();
        broker.create("t", partitions).await;
        broker
            .topics
            .grow(&name("t"), 2 * partitions)
            .await
            .unwrap();
        let after = broker.disk.counts();
        let directories = after.directory_syncs - before.directory_syncs;
        (after.syncs - before.syncs, directories)
    };
    assert_eq!(syncs(1).await, (4, 4), "two replacements each");
    assert_eq!(syncs(50).await, (4, 4));
}
