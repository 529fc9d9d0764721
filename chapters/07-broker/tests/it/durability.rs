//! The end up to which a partition is on disk, and the syncs that move it.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use broker::api;
use message_model::Offset;
use sim_disk::{Call, SimDisk};
use tokio::task::JoinHandle;
use wire_protocol::message::{ProducePartition, ProducePartitionResponse};
use wire_protocol::{ErrorCode, Records};

use crate::support::{
    Broker, NOW, batch, bytes, config, name, only_partition, open_topics, produce_request,
    response, until,
};

const T: &str = "/data/t-0";

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// An acks=all produce in a task of its own.
fn produce_all(broker: &Arc<Broker>, value: &str) -> JoinHandle<ProducePartitionResponse> {
    let (broker, batch) = (Arc::clone(broker), batch(&[value]));
    tokio::spawn(async move { broker.produce(-1, "t", batch).await })
}

async fn until_end(broker: &Broker, end: i64) {
    let partition = broker.partition("t", 0);
    let there = || partition.ends().unwrap().log_end == Offset(end);
    until(&format!("the log ends at {end}"), there).await;
}

#[tokio::test]
async fn sixty_four_producers_share_their_syncs() {
    let broker = Arc::new(Broker::with_topic().await);
    let before = broker.disk.counts().syncs;
    let parking = broker.disk.park_next(Call::Sync, Path::new(T));
    let producers: Vec<_> = (0..64)
        .map(|index| produce_all(&broker, &index.to_string()))
        .collect();
    until_end(&broker, 64).await;
    until("a sync stands still", || parking.count() == 1).await;
    parking.release();
    let mut offsets = Vec::new();
    for producer in producers {
        let answer = producer.await.unwrap();
        assert_eq!(answer.error_code, ErrorCode::NONE);
        offsets.push(answer.base_offset);
    }
    offsets.sort_unstable();
    assert!(offsets.into_iter().eq(0..64));
    let syncs = broker.disk.counts().syncs - before;
    assert!(syncs <= 2, "{syncs} syncs for 64 acknowledgements");
    assert!(broker.services.acknowledgements.is_empty());
}

/// Those who ask for what is on disk already cause no sync, nor does a roll that closes
/// what is on disk, though the batch that rolled is not.
#[tokio::test]
async fn a_sync_that_is_covered_is_not_made() {
    let broker = Broker::with_topic().await;
    broker.create("other", 1).await;
    let long = "x".repeat(4_000);
    broker.write(1, "t", &[&long]).await;
    broker.write(-1, "t", &[&long]).await;
    let parking = broker.disk.park_every(Call::Sync, Path::new(T));
    let partition = broker.partition("t", 0);
    let deadline = broker.clock().now().plus(millis(60_000));
    for end in 0..=2 {
        partition.durable(Offset(end), deadline).await.unwrap();
    }
    broker.write(1, "t", &[&long]).await;
    assert!(
        broker
            .disk
            .files()
            .iter()
            .any(|(path, _)| { path == Path::new("/data/t-0/00000000000000000002.log") }),
        "it rolled"
    );
    // Whatever was started above reaches the disk before this does.
    broker.write(-1, "other", &["safe"]).await;
    assert_eq!(parking.count(), 0);
    parking.release();
    broker.write(-1, "t", &["safe"]).await;
    let syncs = broker.disk.counts().syncs;
    assert!(broker.topics.sync_all().await.not_synced.is_empty());
    let recovery_points = broker.disk.counts().syncs - syncs;
    assert_eq!(recovery_points, 2, "nothing else was left to sync");
}

#[tokio::test(start_paused = true)]
async fn a_lone_producers_sync_starts_at_once() {
    let broker = Arc::new(Broker::with_topic().await);
    for round in 0..5 {
        let before = broker.clock().now();
        let parking = broker.disk.park_next(Call::Sync, Path::new(T));
        let produced = produce_all(&broker, "alone");
        // No time passes while this looks.
        until("the sync begins", || parking.count() == 1).await;
        assert_eq!(broker.clock().now(), before, "round {round}");
        tokio::time::advance(millis(80)).await;
        parking.release();
        assert_eq!(produced.await.unwrap().base_offset, round);
        assert_eq!(broker.clock().now().since(before), millis(80));
    }
}

/// A request that comes while another one's sync runs had no part in it: the next sync starts at once
/// too.
#[tokio::test(start_paused = true)]
async fn after_a_sync_for_one_the_next_starts_at_once() {
    let broker = Arc::new(Broker::with_topic().await);
    let first_sync = broker.disk.park_next(Call::Sync, Path::new(T));
    let first = produce_all(&broker, "a");
    until("a sync stands still", || first_sync.count() == 1).await;
    let second = produce_all(&broker, "b");
    until_end(&broker, 2).await;
    let second_sync = broker.disk.park_next(Call::Sync, Path::new(T));
    tokio::time::advance(millis(80)).await;
    let before = broker.clock().now();
    first_sync.release();
    until("the next sync begins", || second_sync.count() == 1).await;
    assert_eq!(broker.clock().now(), before);
    second_sync.release();
    assert_eq!(first.await.unwrap().base_offset, 0);
    assert_eq!(second.await.unwrap().base_offset, 1);
}

/// After a shared sync the next one waits for an eighth of its duration, so that those
/// who come back share it too.
#[tokio::test(start_paused = true)]
async fn after_a_shared_sync_the_next_one_waits_for_company() {
    let broker = Arc::new(Broker::with_topic().await);
    let syncs = broker.disk.counts().syncs;
    let parking = broker.disk.park_next(Call::Sync, Path::new(T));
    let before = broker.clock().now();
    let first = [produce_all(&broker, "a"), produce_all(&broker, "b")];
    until_end(&broker, 2).await;
    until("a sync stands still", || parking.count() == 1).await;
    let late = produce_all(&broker, "c");
    until_end(&broker, 3).await;
    tokio::time::advance(millis(80)).await;
    parking.release();
    let mut again = Vec::new();
    for produced in first {
        produced.await.unwrap();
        again.push(produce_all(&broker, "back"));
    }
    for produced in again.into_iter().chain([late]) {
        assert_eq!(produced.await.unwrap().error_code, ErrorCode::NONE);
    }
    let waited = broker.clock().now().since(before);
    assert!(waited >= millis(80) && waited <= millis(92), "{waited:?}");
    assert_eq!(broker.disk.counts().syncs - syncs, 2);
}

#[tokio::test(start_paused = true)]
async fn only_acks_all_waits_for_the_disk() {
    let broker = Arc::new(Broker::with_topic().await);
    let parking = broker.disk.park_every(Call::Sync, Path::new(T));
    let waiting = produce_all(&broker, "a");
    until("a sync stands still", || parking.count() == 1).await;
    broker.write(1, "t", &["b"]).await;
    assert!(!waiting.is_finished());
    let ends = broker.partition("t", 0).ends().unwrap();
    assert_eq!((ends.durable, ends.high_watermark), (Offset(0), Offset(2)));
    parking.release();
    let answer = waiting.await.unwrap();
    assert_eq!(
        (answer.error_code, answer.base_offset),
        (ErrorCode::NONE, 0)
    );
}

/// The record stays; only its producer is not kept waiting.
#[tokio::test(start_paused = true)]
async fn a_slow_disk_is_answered_with_7_in_time() {
    let broker = Arc::new(Broker::with_topic().await);
    let parking = broker.disk.park_every(Call::Sync, Path::new(T));
    let mut request = produce_request(-1, "t", batch(&["a"]));
    request.timeout_ms = 500;
    let producing = Arc::clone(&broker);
    let produced =
        tokio::spawn(async move { response(api::produce(&producing, request).await).await });
    until("a sync stands still", || parking.count() == 1).await;
    tokio::time::advance(millis(499)).await;
    tokio::task::yield_now().await;
    assert!(!produced.is_finished());
    tokio::time::advance(millis(2)).await;
    let answer = only_partition(produced.await.unwrap());
    assert_eq!(answer.error_code, ErrorCode::REQUEST_TIMED_OUT);
    assert!(broker.services.acknowledgements.is_empty());
    parking.release();
    let partition = broker.partition("t", 0);
    until("it is on disk all the same", || {
        partition.ends().unwrap().durable == Offset(1)
    })
    .await;
    assert!(!broker.fetch_now("t", 0).await.records.is_empty());
}

/// A producer that goes away takes nobody's sync with it, and leaves nothing behind.
#[tokio::test]
async fn a_producer_that_is_gone() {
    let broker = Arc::new(Broker::with_topic().await);
    let parking = broker.disk.park_next(Call::Sync, Path::new(T));
    let gone = produce_all(&broker, "a");
    until("a sync stands still", || parking.count() == 1).await;
    let stays = produce_all(&broker, "b");
    until_end(&broker, 2).await;
    gone.abort();
    assert!(gone.await.unwrap_err().is_cancelled());
    parking.release();
    assert_eq!(stays.await.unwrap().base_offset, 1);
    assert!(broker.services.acknowledgements.is_empty());
    assert_eq!(broker.partition("t", 0).ends().unwrap().durable, Offset(2));
}

#[tokio::test]
async fn an_acknowledgement_waits_for_all_its_partitions() {
    let broker = Arc::new(Broker::start());
    broker.create("t", 2).await;
    let parking = broker.disk.park_next(Call::Sync, Path::new("/data/t-1"));
    let mut request = produce_request(-1, "t", batch(&["a"]));
    request.topics[0].partitions.push(ProducePartition {
        index: 1,
        records: Records::from_bytes(batch(&["b"])),
    });
    let producing = Arc::clone(&broker);
    let produced =
        tokio::spawn(async move { response(api::produce(&producing, request).await).await });
    until("a sync stands still", || parking.count() == 1).await;
    let first = broker.partition("t", 0);
    until("the other sync is made", || {
        first.ends().unwrap().durable == Offset(1)
    })
    .await;
    assert!(!produced.is_finished());
    parking.release();
    let answer = produced.await.unwrap();
    let codes = answer.topics[0].partitions.iter();
    assert!(
        codes
            .into_iter()
            .all(|one| one.error_code == ErrorCode::NONE)
    );
}

/// A roll waits for no sync; the sync after it takes all that is new, and the directory.
#[tokio::test]
async fn a_sync_takes_every_segment_that_is_new() {
    let broker = Broker::with_topic().await;
    let long = "x".repeat(4_000);
    let parking = broker.disk.park_next(Call::Sync, Path::new(T));
    for _ in 0..5 {
        broker.write(1, "t", &[&long]).await;
    }
    until("a sync stands still", || parking.count() == 1).await;
    assert_eq!(broker.partition("t", 0).ends().unwrap().durable, Offset(0));
    parking.release();
    broker.write(-1, "t", &["safe"]).await;
    for _ in 0..30 {
        let topic = open_topics(&broker.disk.crash()).get(&name("t")).unwrap();
        assert_eq!(topic.partitions[0].ends().unwrap().log_end, Offset(6));
    }
}

/// Also for producers that never ask for it, so that old segments can be deleted, and
/// their files closed.
#[tokio::test]
async fn what_a_roll_has_closed_is_synced_in_the_background() {
    let broker = Broker::start();
    let settings = [("retention.bytes", "0"), ("segment.bytes", "1024")];
    broker.create_with("t", 1, &settings).await;
    let long = "x".repeat(600);
    for _ in 0..4 {
        broker.write(1, "t", &[&long]).await;
    }
    let partition = broker.partition("t", 0);
    until("three segments are on disk", || {
        partition.ends().unwrap().durable >= Offset(3)
    })
    .await;
    assert!(broker.topics.apply_retention(NOW).await.is_empty());
    assert_eq!(partition.ends().unwrap().log_start, Offset(3));
}

/// Everyone who waits for it hears of it, and so does everyone who comes later, until
/// the log is opened again. The others are served.
#[tokio::test]
async fn a_failed_sync_takes_the_partition_offline() {
    let broker = Arc::new(Broker::with_topic().await);
    broker.create("other", 1).await;
    let waiting_fetch = {
        let broker = Arc::clone(&broker);
        let request = crate::support::fetch_request(&[("t", 0, 0)], 60_000, 1_000_000);
        tokio::spawn(async move { broker.fetch(request).await })
    };
    crate::support::until_waiting(&broker, 1).await;
    let parking = broker.disk.park_next(Call::Sync, Path::new(T));
    let first = produce_all(&broker, "a");
    until("a sync stands still", || parking.count() == 1).await;
    let second = produce_all(&broker, "b");
    until_end(&broker, 2).await;
    broker.disk.fail_at(broker.disk.operations());
    parking.release();

    let storage = ErrorCode::KAFKA_STORAGE_ERROR;
    for waiting in [first, second] {
        assert_eq!(waiting.await.unwrap().error_code, storage);
    }
    let fetched = waiting_fetch.await.unwrap();
    assert_eq!(fetched.responses[0].partitions[0].error_code, storage);
    assert!(broker.partition("t", 0).ends().is_err());
    for acks in [1, -1] {
        let answer = broker.produce(acks, "t", batch(&["late"])).await;
        assert_eq!(answer.error_code, storage);
    }
    assert_eq!(broker.fetch_now("t", 0).await.error_code, storage);
    assert_eq!(crate::admin::list(&broker, "t", -1).await.0, storage);
    broker.write(-1, "other", &["served"]).await;
    assert!(broker.services.acknowledgements.is_empty());
    assert!(broker.services.fetches.is_empty());
}

/// A sync fails; the broker is started again on the disk that is well by now; records
/// are acknowledged with acks=all; the power fails. Every one of them is there, whatever
/// the failed sync had lost: what was in the page cache then is not believed.
#[tokio::test]
async fn after_a_failed_sync_nothing_acknowledged_is_lost() {
    for seed in 0..40 {
        let disk = SimDisk::new(seed);
        let broker = Broker::start_with(&disk, config());
        broker.create("t", 1).await;
        broker.write(-1, "t", &["before"]).await;
        let long = "y".repeat(1_000);
        for _ in 0..3 {
            broker.write(1, "t", &[&long]).await;
        }
        disk.fail_at(disk.operations());
        let deadline = broker.clock().now().plus(millis(60_000));
        let synced = broker.partition("t", 0).durable(Offset(4), deadline).await;
        assert!(synced.is_err());
        drop(broker);

        let broker = Broker::start_with(&disk, config());
        let kept = broker.partition("t", 0).ends().unwrap();
        assert_eq!(kept.durable, kept.log_end, "what is opened is on disk");
        let mut acknowledged = Vec::new();
        for value in ["one", "two", "three"] {
            let answer = broker.produce(-1, "t", batch(&[value])).await;
            assert_eq!(answer.error_code, ErrorCode::NONE);
            acknowledged.push((answer.base_offset, value));
        }
        drop(broker);

        for _ in 0..5 {
            let survivor = disk.crash();
            let broker = Broker::start_with(&survivor, config());
            let end = broker.partition("t", 0).ends().unwrap().log_end;
            assert_eq!(end, kept.log_end.plus(3), "seed {seed}");
            for (offset, value) in &acknowledged {
                let found = broker.fetch_now("t", *offset).await;
                let bytes = bytes(&found.records);
                assert!(
                    String::from_utf8_lossy(&bytes).contains(value),
                    "seed {seed}: {value} is at {offset}"
                );
            }
        }
    }
}
