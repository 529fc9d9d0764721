//! Snapshots that are made while others append and sync.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use message_model::{Moment, Offset};
use record_batch::Marker;
use sim_disk::{Call, SimDisk};

use crate::producer_restarts::{
    aborted_transactions, begin, from_the_log, has_file, has_snapshot, start, without_begin,
};
use crate::producers::end;
use crate::rules::Sent;
use crate::stalls::until_parked;
use crate::support::{Broker, NOW, append, batch, until};

/// What is not on disk is not in the file; and one that had to wait comes to it, although the log
/// has grown meanwhile.
#[tokio::test]
async fn a_snapshot_waits_until_the_log_is_on_disk() {
    let (broker, _) = start(&SimDisk::new(7));
    broker.create("t", 1).await;
    let partition = broker.partition("t", 0);
    let batch = |first| Sent::new(4, first).batch(&["a"]);
    append(&partition, NOW, batch(0)).await.unwrap();
    for first in 1..4 {
        assert!(broker.topics.save_recovery_points().await.is_empty());
        assert!(!has_snapshot(&broker.disk), "it was never synced");
        append(&partition, NOW, batch(first)).await.unwrap();
    }
    let deadline = Moment::after_start(Duration::MAX);
    partition.durable(Offset(1), deadline).await.unwrap();
    append(&partition, NOW, batch(4)).await.unwrap();
    assert!(broker.topics.save_recovery_points().await.is_empty());
    assert!(has_snapshot(&broker.disk));
    let (_broker, rules) = start(&broker.disk.crash());
    assert!(rules.known()[&4].batches.len() >= 4);
}

/// A snapshot is made while others append: piece after piece, each of another moment.
#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn snapshots_are_made_while_others_append() {
    let disk = SimDisk::new(7);
    let (broker, _) = start(&disk);
    broker.create("t", 1).await;
    let partition = broker.partition("t", 0);
    let write = |ids: [i64; 3]| {
        let partition = Arc::clone(&partition);
        tokio::spawn(async move {
            for round in 0..60 {
                for id in ids {
                    begin(&partition, id).await.unwrap();
                    let sent = Sent::new(id, round).in_transaction();
                    append(&partition, NOW, sent.batch(&["a"])).await.unwrap();
                    if round % 3 == 0 {
                        end(&partition, id, Marker::Abort).await.unwrap();
                    }
                }
            }
        })
    };
    let writers = [write([1, 4, 7]), write([2, 5, 8]), write([3, 6, 9])];
    while !writers.iter().all(|writer| writer.is_finished()) {
        let end = partition.ends().unwrap().log_end;
        let deadline = Moment::after_start(Duration::MAX);
        partition.durable(end, deadline).await.unwrap();
        assert!(broker.topics.save_recovery_points().await.is_empty());
        let copy = disk.crash();
        let (restarted, rules) = start(&copy);
        assert_eq!(without_begin(rules.known()), from_the_log(&copy).await);
        drop(restarted);
    }
    for writer in writers {
        writer.await.unwrap();
    }
}

/// An older snapshot that waits is nearer to the disk than a newer one: it keeps its place.
#[tokio::test]
async fn a_snapshot_that_waits_is_not_put_off() {
    let (broker, _) = start(&SimDisk::new(7));
    broker.create("t", 1).await;
    let partition = broker.partition("t", 0);
    let batch = |first| Sent::new(4, first).batch(&["a"]);
    append(&partition, NOW, batch(0)).await.unwrap();
    assert!(broker.topics.save_recovery_points().await.is_empty());
    let parking = broker.disk.park_next(Call::Sync, Path::new("/data/t-0"));
    let syncing = Arc::clone(&partition);
    let deadline = Moment::after_start(Duration::MAX);
    let synced = tokio::spawn(async move { syncing.durable(Offset(1), deadline).await });
    until_parked(&parking, "the sync").await;
    append(&partition, NOW, batch(1)).await.unwrap();
    assert!(broker.topics.save_recovery_points().await.is_empty());
    parking.release();
    synced.await.unwrap().unwrap();
    append(&partition, NOW, batch(2)).await.unwrap();
    assert_eq!(partition.ends().unwrap().durable, Offset(1));
    assert!(broker.topics.save_recovery_points().await.is_empty());
    assert!(has_snapshot(&broker.disk));
}

/// Saves a snapshot of five producers in three pieces. After the first of them two producers end
/// their transactions and write again, and after the second one the log rolls.
async fn append_between_the_pieces(broker: &Arc<Broker>) {
    let partition = broker.partition("t", 0);
    let long_batch = batch(&[&"x".repeat(4_500)]);
    // A roll has the writer; the snapshot is behind it, and then those who append.
    let parking = broker.disk.park_next(Call::Create, Path::new("/data/t-0"));
    let rolling = Arc::clone(&partition);
    let next = long_batch.clone();
    let mut tasks = vec![tokio::spawn(async move {
        append(&rolling, NOW, next).await.unwrap();
    })];
    until_parked(&parking, "the roll").await;
    let saving = Arc::clone(broker);
    tasks.push(tokio::spawn(async move {
        assert!(saving.topics.save_recovery_points().await.is_empty());
    }));
    // The saving of the recovery point comes before it, on another thread.
    until("the recovery point is saved", || {
        has_file(&broker.disk, "recovery-point")
    })
    .await;
    for _ in 0..1_000 {
        tokio::task::yield_now().await;
    }
    for id in [1, 5] {
        let partition = Arc::clone(&partition);
        tasks.push(tokio::spawn(async move {
            end(&partition, id, Marker::Abort).await.unwrap();
            append(&partition, NOW, Sent::new(id, 1).batch(&["b"]))
                .await
                .unwrap();
        }));
        tokio::task::yield_now().await;
    }
    // And another roll, so that the first markers are in a closed segment.
    let rolling = Arc::clone(&partition);
    tasks.push(tokio::spawn(async move {
        for _ in 0..2 {
            append(&rolling, NOW, long_batch.clone()).await.unwrap();
        }
    }));
    tokio::task::yield_now().await;
    parking.release();
    for task in tasks {
        task.await.unwrap();
    }
}

/// Between two pieces of a snapshot others append: to producers of the first piece and of the last.
#[tokio::test]
async fn the_pieces_of_a_snapshot_are_of_several_moments() {
    let disk = SimDisk::new(7);
    let (broker, _) = start(&disk);
    broker.create("t", 1).await;
    let broker = Arc::new(broker);
    let partition = broker.partition("t", 0);
    for id in 1..=5 {
        begin(&partition, id).await.unwrap();
        let sent = Sent::new(id, 0).in_transaction();
        append(&partition, NOW, sent.batch(&["a"])).await.unwrap();
    }
    let long = "x".repeat(4_500);
    for _ in 0..2 {
        append(&partition, NOW, batch(&[&long])).await.unwrap();
    }
    let deadline = Moment::after_start(Duration::MAX);
    partition.durable(Offset(7), deadline).await.unwrap();

    append_between_the_pieces(&broker).await;
    let end = partition.ends().unwrap().log_end;
    partition.durable(end, deadline).await.unwrap();
    // Not on disk, so that it is the older one that is saved.
    append(&partition, NOW, batch(&["behind"])).await.unwrap();
    assert!(broker.topics.save_recovery_points().await.is_empty());
    assert!(has_snapshot(&disk));
    let aborted = aborted_transactions(&partition).await;
    for _ in 0..8 {
        let copy = disk.crash();
        let (broker, rules) = start(&copy);
        assert_eq!(without_begin(rules.known()), from_the_log(&copy).await);
        let partition = broker.partition("t", 0);
        assert_eq!(aborted_transactions(&partition).await, aborted);
    }
}
