//! Background work and the start and end of a broker that stand still, one call of the
//! disk after the other, on a runtime with one thread: producers and consumers go on.

use std::path::Path;
use std::sync::Arc;

use broker::api;
use message_model::{Offset, ProducerEpoch, ProducerId, Timestamp};
use record_batch::Marker;
use sim_disk::{Call, SimDisk};
use wire_protocol::message::InitProducerIdRequest;

use crate::producers::end;
use crate::rules::{Rules, Sent};
use crate::stalls::{
    its_own_partition_is_served, others_are_served_by_the_disk, spawn, two_topics, until_parked,
    with_two_topics,
};
use crate::support::{Broker, NOW, append, batch, config, name, until};

/// Every step of deleting old segments: the new log start is stored, then files go.
#[tokio::test]
async fn retention() {
    for call in [
        Call::Read,
        Call::Create,
        Call::Write,
        Call::Sync,
        Call::Rename,
        Call::SyncDir,
        Call::Remove,
    ] {
        let disk = SimDisk::new(7);
        let before = Broker::start_with(&disk, config());
        let settings = [("retention.ms", "1000"), ("segment.bytes", "1024")];
        before.create_with("t", 1, &settings).await;
        before.create("other", 1).await;
        before.write(1, "other", &["first"]).await;
        let long = "x".repeat(600);
        for _ in 0..5 {
            before.write(-1, "t", &[&long]).await;
        }
        drop(before);
        // After a restart nothing is known about the sealed segments.
        let broker = Arc::new(Broker::start_with(&disk, config()));
        let parking = disk.park_next(call, Path::new("/data/t-0"));
        let deleting = Arc::clone(&broker);
        let deleted =
            spawn(async move { deleting.topics.apply_retention(Timestamp(1 << 40)).await });
        until_parked(&parking, &format!("{call:?}")).await;
        others_are_served_by_the_disk(&broker).await;
        its_own_partition_is_served(&broker).await;
        assert!(!deleted.is_finished(), "{call:?}");
        parking.release();
        assert!(deleted.await.unwrap().is_empty());
        let ends = broker.partition("t", 0).ends().unwrap();
        assert_eq!((ends.log_start, ends.log_end), (Offset(4), Offset(6)));
    }
}

#[tokio::test]
async fn a_recovery_point() {
    for call in [
        Call::Create,
        Call::Write,
        Call::Sync,
        Call::Rename,
        Call::SyncDir,
    ] {
        let broker = two_topics().await;
        // A point that has not moved is not saved again.
        broker.write(-1, "t", &["safe"]).await;
        let parking = broker.disk.park_next(call, Path::new("/data/t-0"));
        let saving = Arc::clone(&broker);
        let saved = spawn(async move { saving.topics.save_recovery_points().await });
        until_parked(&parking, &format!("{call:?}")).await;
        others_are_served_by_the_disk(&broker).await;
        if !matches!(call, Call::Write) {
            its_own_partition_is_served(&broker).await;
        }
        parking.release();
        assert!(saved.await.unwrap().is_empty());
    }
}

/// Every step of saving what is known about producers, and about aborted transactions.
#[tokio::test]
async fn a_snapshot_of_producers() {
    for (call, path) in [
        (Call::Create, "00000000000000000000.txnindex.next"),
        (Call::Sync, "00000000000000000000.txnindex.next"),
        (Call::Create, "producers.next"),
        (Call::Write, "producers.next"),
        (Call::Sync, "producers.next"),
        (Call::Rename, "producers"),
    ] {
        let rules = Arc::new(Rules::default());
        let broker = Broker::start_with_rules(&SimDisk::new(7), &rules);
        let broker = with_two_topics(broker).await;
        let partition = broker.partition("t", 0);
        let (id, epoch) = (ProducerId(4), ProducerEpoch(0));
        partition.begin_transaction(NOW, id, epoch).await.unwrap();
        let sent = Sent::new(4, 0).in_transaction();
        append(&partition, NOW, sent.batch(&["a"])).await.unwrap();
        end(&partition, 4, Marker::Abort).await.unwrap();
        broker.write(-1, "t", &["safe"]).await;
        let parking = broker
            .disk
            .park_next(call, &Path::new("/data/t-0").join(path));
        let saving = Arc::clone(&broker);
        let saved = spawn(async move { saving.topics.save_recovery_points().await });
        until_parked(&parking, &format!("{call:?} {path}")).await;
        others_are_served_by_the_disk(&broker).await;
        its_own_partition_is_served(&broker).await;
        append(&partition, NOW, Sent::new(4, 1).batch(&["b"]))
            .await
            .unwrap();
        parking.release();
        assert!(saved.await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_block_of_producer_ids() {
    for (call, path) in [
        (Call::Create, "/data/producer-ids.next"),
        (Call::Write, "/data/producer-ids.next"),
        (Call::Sync, "/data/producer-ids.next"),
        (Call::Rename, "/data/producer-ids"),
    ] {
        let broker = two_topics().await;
        let parking = broker.disk.park_next(call, Path::new(path));
        let asking = Arc::clone(&broker);
        let answer = spawn(async move {
            let request = InitProducerIdRequest::default();
            api::init_producer_id(&asking, request).await
        });
        until_parked(&parking, &format!("{call:?}")).await;
        others_are_served_by_the_disk(&broker).await;
        its_own_partition_is_served(&broker).await;
        assert!(!answer.is_finished());
        parking.release();
        assert_eq!(answer.await.unwrap().producer_id, 0);
    }
}

/// A stop syncs several partitions at a time: a slow one does not hold up the others.
#[tokio::test]
async fn a_stop() {
    let broker = Broker::start();
    broker.create("t", 10).await;
    for index in 0..10 {
        let partition = broker.partition("t", index);
        append(&partition, NOW, batch(&["a"])).await.unwrap();
    }
    let broker = Arc::new(broker);
    let parking = broker.disk.park_next(Call::Sync, Path::new("/data/t-0"));
    let stopping = Arc::clone(&broker);
    let stopped = spawn(async move { stopping.topics.sync_all().await });
    let is_durable = |index| broker.partition("t", index).ends().unwrap().durable == Offset(1);
    until("all others are on disk", || (1..10).all(is_durable)).await;
    assert!(!is_durable(0) && !stopped.is_finished());
    parking.release();
    let all = stopped.await.unwrap();
    assert!(all.not_synced.is_empty() && all.not_saved.is_empty());
}

/// A long replay of one log holds up no other.
#[test]
fn a_start_knows_the_producers_of_several_logs_at_a_time() {
    let disk = SimDisk::new(7);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(async {
        let rules = Arc::new(Rules::default());
        let broker = Broker::start_with_rules(&disk, &rules);
        broker.create("t", 2).await;
        for index in 0..2 {
            let partition = broker.partition("t", index);
            append(&partition, NOW, Sent::new(4, 0).batch(&["a"]))
                .await
                .unwrap();
        }
        assert!(broker.topics.sync_all().await.not_saved.is_empty());
    });
    let slow = disk.park_next(Call::Read, Path::new("/data/t-0/producers"));
    let next = disk.park_next(Call::Read, Path::new("/data/t-1/producers"));
    let starting = {
        let disk = disk.clone();
        std::thread::spawn(move || {
            let config = broker::TopicsConfig {
                open_threads: 2,
                ..config()
            };
            let rules = Arc::new(Rules::default());
            let services = crate::support::services_with_rules(&disk, &rules);
            broker::Topics::open(services, Path::new("/data"), config).unwrap();
            rules.known().len()
        })
    };
    slow.wait();
    next.wait();
    next.release();
    slow.release();
    assert_eq!(starting.join().unwrap(), 1);
}

/// Logs are opened several at a time at a start, so a slow one does not add up.
#[test]
fn a_start_opens_several_logs_at_a_time() {
    let disk = SimDisk::new(7);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(async {
        let topics = crate::support::open_topics(&disk);
        let t = name("t");
        let created = topics.create(&t, 3, topics.new_config()).await.unwrap();
        let partition = Arc::clone(&created.partitions[1]);
        append(&partition, NOW, batch(&["a"])).await.unwrap();
    });
    let slow = disk.park_next(Call::Open, Path::new("/data/t-0"));
    let next = disk.park_next(Call::Open, Path::new("/data/t-1"));
    let starting = {
        let disk = disk.clone();
        std::thread::spawn(move || {
            let config = broker::TopicsConfig {
                open_threads: 2,
                ..config()
            };
            let services = crate::support::services(&disk);
            let opened = broker::Topics::open(services, Path::new("/data"), config).unwrap();
            opened.topics.all()[0].partitions.len()
        })
    };
    slow.wait();
    next.wait();
    next.release();
    slow.release();
    assert_eq!(starting.join().unwrap(), 3);
}
