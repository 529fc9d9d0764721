//! Calls of the disk that stand still, one kind after the other, on a runtime with one
//! thread: every request that does not need that very call is served.
//!
//! A call that stood still on the runtime's own thread would stop the test itself; the
//! simulated disk gives up after 20 seconds, and the test fails.

use std::future::Future;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use message_model::Offset;
use sim_disk::{Call, Parking, SimDisk};
use tokio::task::JoinHandle;
use wire_protocol::message::FetchRequest;
use wire_protocol::{ErrorCode, decode_response, encode_request};

use crate::admin::{list, metadata};
use crate::client::{correlation_id, limits, receive, send, serve_on, with_broker};
use crate::support::{Broker, batch, bytes, config, fetch_request, name, until, until_waiting};

/// Shorter than the simulated disk waits for a release.
const PATIENCE: Duration = Duration::from_secs(10);

/// What `future` returns, which must not take long.
pub(crate) async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    let done = tokio::time::timeout(PATIENCE, future).await;
    done.unwrap_or_else(|_| panic!("{what} is held up"))
}

pub(crate) fn spawn<T: Send + 'static>(
    future: impl Future<Output = T> + Send + 'static,
) -> JoinHandle<T> {
    tokio::spawn(future)
}

pub(crate) async fn until_parked(parking: &Parking, what: &str) {
    until(&format!("{what} stands still"), || parking.count() > 0).await;
}

/// A broker with the topics `t`, whose calls stand still, and `other`.
pub(crate) async fn two_topics() -> Arc<Broker> {
    with_two_topics(Broker::start()).await
}

/// This broker, with the same topics.
pub(crate) async fn with_two_topics(broker: Broker) -> Arc<Broker> {
    broker.create("t", 1).await;
    broker.create("other", 1).await;
    broker.write(1, "t", &["first"]).await;
    broker.write(1, "other", &["first"]).await;
    Arc::new(broker)
}

/// Appends and fetches of the topic `other`.
pub(crate) async fn others_are_served(broker: &Broker) {
    let end = broker.partition("other", 0).ends().unwrap().log_end;
    soon(
        "an append of another",
        broker.write(1, "other", &["one more"]),
    )
    .await;
    let found = soon("a fetch of another", broker.fetch_now("other", end.0)).await;
    assert_eq!(found.error_code, ErrorCode::NONE);
    assert_eq!(found.high_watermark, end.0 + 1);
    assert!(!found.records.is_empty());
    soon("metadata", metadata(broker, None)).await;
    let latest = soon("an end", list(broker, "other", -1)).await;
    assert_eq!(latest.2, end.0 + 1);
}

/// The same, and a synced append, a look-up by time and a new topic: what needs a lane.
pub(crate) async fn others_are_served_by_the_disk(broker: &Broker) {
    others_are_served(broker).await;
    soon("a sync of another", broker.write(-1, "other", &["safe"])).await;
    let found = soon("a look-up of another", list(broker, "other", 0)).await;
    assert_eq!(found, (ErrorCode::NONE, 1_000, 0));
    let number = broker.topics.all().len();
    let topic = format!("new-{number}");
    soon("a new topic", broker.create(&topic, 1)).await;
}

/// Appends to `t`, and fetches of what is in memory.
pub(crate) async fn its_own_partition_is_served(broker: &Broker) {
    let end = broker.partition("t", 0).ends().unwrap().log_end;
    soon("its own append", broker.write(1, "t", &["meanwhile"])).await;
    let found = soon("its own fetch", broker.fetch_now("t", end.0)).await;
    assert_eq!(found.high_watermark, end.0 + 1);
    assert!(!found.records.is_empty());
}

#[tokio::test]
async fn a_sync() {
    for (call, rolls) in [(Call::Sync, false), (Call::SyncDir, true)] {
        let broker = two_topics().await;
        // The first roll of a log that was never synced would need a sync of its directory.
        broker.write(-1, "t", &["safe"]).await;
        let parking = broker.disk.park_next(call, Path::new("/data/t-0"));
        let long = "x".repeat(4_000);
        for _ in 0..if rolls { 3 } else { 0 } {
            broker.write(1, "t", &[&long]).await;
        }
        let producing = Arc::clone(&broker);
        let produced = spawn(async move { producing.write(-1, "t", &["safe"]).await });
        until_parked(&parking, &format!("{call:?}")).await;
        others_are_served_by_the_disk(&broker).await;
        its_own_partition_is_served(&broker).await;
        assert!(
            !produced.is_finished(),
            "it is acknowledged when it is synced"
        );
        parking.release();
        produced.await.unwrap();
    }
}

/// Even if all threads of the lane for syncs stand still.
#[tokio::test]
async fn all_syncs() {
    let broker = two_topics().await;
    let parking = broker.disk.park_every(Call::Sync, Path::new("/data"));
    for topic in ["u", "v"] {
        // A creation syncs too, so these are made elsewhere.
        assert!(broker.topics.get(&name(topic)).is_none());
    }
    let produce = |topic: &'static str| {
        let broker = Arc::clone(&broker);
        spawn(async move { broker.write(-1, topic, &["safe"]).await })
    };
    let produced = [produce("t"), produce("other"), produce("t")];
    until("two syncs stand still", || parking.count() == 2).await;
    others_are_served(&broker).await;
    its_own_partition_is_served(&broker).await;
    parking.release();
    for produced in produced {
        produced.await.unwrap();
    }
}

/// A cold read: of a header, of a segment that is not open, of its index.
#[tokio::test]
async fn a_read_or_an_open() {
    for call in [Call::Read, Call::Open] {
        let disk = SimDisk::new(7);
        let before = Broker::start_with(&disk, config());
        for topic in ["t", "other"] {
            before.create(topic, 1).await;
            let long = "x".repeat(4_000);
            for _ in 0..6 {
                before.write(-1, topic, &[&long]).await;
            }
        }
        drop(before);
        let broker = Arc::new(Broker::start_with(&disk, config()));
        broker.write(1, "t", &["in memory"]).await;
        let parking = disk.park_next(call, Path::new("/data/t-0"));
        let fetching = Arc::clone(&broker);
        let fetched = spawn(async move { fetching.fetch_now("t", 0).await });
        until_parked(&parking, &format!("{call:?}")).await;
        others_are_served(&broker).await;
        let found = soon("a look-up of another", list(&broker, "other", 0)).await;
        assert_eq!(found.2, 0);
        let old = soon("a cold fetch of another", broker.fetch_now("other", 0)).await;
        assert!(!old.records.is_empty());
        its_own_partition_is_served(&broker).await;
        assert!(!fetched.is_finished());
        parking.release();
        assert!(!fetched.await.unwrap().records.is_empty());
    }
}

/// More cold reads of one partition than the lane has threads.
#[tokio::test]
async fn many_cold_reads() {
    let broker = two_topics().await;
    let long = "x".repeat(4_000);
    for _ in 0..4 {
        broker.write(1, "t", &[&long]).await;
    }
    let sealed = Path::new("/data/t-0/00000000000000000000.log");
    let parking = broker.disk.park_every(Call::Read, sealed);
    let fetches: Vec<_> = (0..20)
        .map(|_| {
            let broker = Arc::clone(&broker);
            spawn(async move { broker.fetch_now("t", 0).await })
        })
        .collect();
    until_parked(&parking, "a read").await;
    others_are_served(&broker).await;
    its_own_partition_is_served(&broker).await;
    parking.release();
    for fetch in fetches {
        assert!(!fetch.await.unwrap().records.is_empty());
    }
}

/// A look-up by time, which a client may ask for as often as it likes.
#[tokio::test]
async fn a_look_up_by_time() {
    let broker = two_topics().await;
    let parking = broker.disk.park_next(Call::Read, Path::new("/data/t-0"));
    let asking = Arc::clone(&broker);
    let found = spawn(async move { list(&asking, "t", 1_000).await });
    until_parked(&parking, "a read").await;
    others_are_served_by_the_disk(&broker).await;
    its_own_partition_is_served(&broker).await;
    parking.release();
    assert_eq!(found.await.unwrap(), (ErrorCode::NONE, 1_000, 0));
}

/// The one call that holds up appends: the creation of the partition's own next
/// segment. Its readers and its syncs go on.
#[tokio::test]
async fn the_creation_of_a_segment() {
    let broker = two_topics().await;
    let long = "x".repeat(4_000);
    broker.write(1, "t", &[&long]).await;
    broker.write(1, "t", &[&long]).await;
    let parking = broker.disk.park_next(Call::Create, Path::new("/data/t-0"));
    let produce = || {
        let (broker, long) = (Arc::clone(&broker), long.clone());
        spawn(async move { broker.produce(1, "t", batch(&[&long])).await })
    };
    let mut produced = vec![produce()];
    until_parked(&parking, "a creation").await;
    produced.push(produce());
    others_are_served_by_the_disk(&broker).await;
    let found = soon("its own fetch", broker.fetch_now("t", 0)).await;
    assert_eq!(found.high_watermark, 3);
    let partition = broker.partition("t", 0);
    let deadline = broker.clock().now().plus(PATIENCE);
    let durable = partition.durable(Offset(3), deadline);
    soon("its own sync", durable).await.unwrap();
    assert!(produced.iter().all(|produced| !produced.is_finished()));
    parking.release();
    let mut offsets = Vec::new();
    for produced in produced {
        offsets.push(produced.await.unwrap().base_offset);
    }
    assert_eq!(offsets, [3, 4]);
}

/// A produce whose client goes away while the next segment is created is finished, and seen.
#[tokio::test]
async fn a_produce_that_is_dropped_during_a_roll_is_seen() {
    let broker = two_topics().await;
    let long = "x".repeat(4_000);
    broker.write(1, "t", &[&long]).await;
    broker.write(1, "t", &[&long]).await;
    let waiting = {
        let broker = Arc::clone(&broker);
        spawn(async move { broker.fetch(fetch_request(&[("t", 0, 3)], 60_000, 1)).await })
    };
    until_waiting(&broker, 1).await;
    let parking = broker.disk.park_next(Call::Create, Path::new("/data/t-0"));
    let produced = {
        let (broker, long) = (Arc::clone(&broker), long.clone());
        spawn(async move { broker.produce(1, "t", batch(&[&long])).await })
    };
    until_parked(&parking, "a creation").await;
    produced.abort();
    assert!(produced.await.unwrap_err().is_cancelled());
    parking.release();
    let response = soon("the fetch that waits", waiting).await.unwrap();
    let found = &response.responses[0].partitions[0];
    assert_eq!(found.high_watermark, 4);
    assert!(String::from_utf8_lossy(&bytes(&found.records)).contains(&long));
    broker.write(1, "t", &["next"]).await;
    assert_eq!(broker.partition("t", 0).ends().unwrap().log_end, Offset(5));
}

/// An answer's bytes that are not in memory are read elsewhere: another connection is
/// answered, of the same partition too.
#[tokio::test]
async fn an_answer_from_a_cold_file() {
    let broker = two_topics().await;
    let connect = async || {
        let answer = {
            let broker = Arc::clone(&broker);
            move |request| with_broker(Arc::clone(&broker), request)
        };
        let services = Arc::clone(&broker.services);
        serve_on(services, limits(), answer).await
    };
    let (mut cold, _cold_task, _cold_stop) = connect().await;
    let (mut warm, _warm_task, _warm_stop) = connect().await;
    let parking = broker.disk.park_next(Call::Read, Path::new("/data/t-0"));
    let request = encode_request(&fetch_request(&[("t", 0, 0)], 0, 0), 11, 1, "test");
    send(&mut cold, &request).await;
    until_parked(&parking, "a read").await;
    for topic in ["other", "t"] {
        let request = encode_request(&fetch_request(&[(topic, 0, 0)], 0, 0), 11, 2, "test");
        send(&mut warm, &request).await;
        let answer = soon("another connection", receive(&mut warm)).await;
        let response = decode_response::<FetchRequest>(&answer, 11).unwrap();
        assert!(!response.responses[0].partitions[0].records.is_empty());
    }
    parking.release();
    assert_eq!(correlation_id(&receive(&mut cold).await), 1);
}
