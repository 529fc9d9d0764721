//! How many files a partition keeps open, whatever the disk does.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use message_model::Offset;
use networking::write_chunks;
use sim_disk::Call;
use wire_protocol::ErrorCode;

use crate::stalls::{others_are_served, soon, spawn, two_topics, until_parked};
use crate::support::{batch, until};

/// Four closed segments that wait for a sync, and the active one.
const FILES_MAX: usize = 5;

/// Producers with `acks=1` fill one segment after the other, and no sync ends: a few
/// segments are closed and stay open, then appends wait for the disk.
#[tokio::test]
async fn rolls_that_no_sync_follows() {
    let broker = two_topics().await;
    let settings = [("segment.bytes", "1024")];
    broker.create_with("rolls", 1, &settings).await;
    let dir = Path::new("/data/rolls-0");
    let parking = broker.disk.park_every(Call::Sync, dir);
    let long = "x".repeat(600);
    let produced: Vec<_> = (0..20)
        .map(|_| {
            let (broker, batch) = (Arc::clone(&broker), batch(&[&long]));
            spawn(async move { broker.produce(1, "rolls", batch).await })
        })
        .collect();
    until_parked(&parking, "a sync").await;
    let partition = broker.partition("rolls", 0);
    let end = || partition.ends().unwrap().log_end;
    until("five segments are there", || end() >= Offset(5)).await;
    others_are_served(&broker).await;
    assert_eq!(end(), Offset(5), "the sixth waits");
    assert_eq!(broker.disk.open_files(dir), FILES_MAX);
    let old = soon("an old segment", broker.fetch_now("rolls", 0)).await;
    assert!(!old.records.is_empty());
    assert_eq!(broker.disk.open_files(dir), FILES_MAX);
    drop(old);
    parking.release();
    for produced in produced {
        let answer = soon("what waited", produced).await.unwrap();
        assert_eq!(answer.error_code, ErrorCode::NONE);
        assert!(broker.disk.open_files(dir) <= FILES_MAX + 4);
    }
    broker.write(-1, "rolls", &["safe"]).await;
    assert_eq!(partition.ends().unwrap().durable, Offset(21));
    // Four more are cached for those who read them.
    assert_eq!(broker.disk.open_files(dir), 1 + 4);
}

/// A reader asks for one old segment after the other and takes no answer: its answers hold a
/// few files, other readers of old segments are served, and in the end all answers can be sent.
#[tokio::test]
async fn answers_that_nobody_takes() {
    let broker = two_topics().await;
    let settings = [("segment.bytes", "1024")];
    broker.create_with("old", 1, &settings).await;
    let dir = Path::new("/data/old-0");
    let long = "x".repeat(600);
    for _ in 0..30 {
        broker.write(-1, "old", &[&long]).await;
    }
    let mut answers = Vec::new();
    for offset in 0..29 {
        answers.push(broker.fetch_now("old", offset).await.records);
    }
    // The active segment, four in the cache, and twice as many for answers.
    assert!(broker.disk.open_files(dir) <= 1 + 4 + 8);
    others_are_served(&broker).await;
    for offset in 0..29 {
        let again = broker.fetch_now("old", offset).await.records;
        assert_eq!(again.len(), answers[0].len());
    }
    for answer in answers {
        let mut written = Vec::new();
        let read = |range| broker.services.read(range);
        let minute = Duration::from_secs(60);
        write_chunks(&mut written, answer.chunks, minute, &read)
            .await
            .unwrap();
        assert!(written.ends_with(b"x\0"));
    }
}
