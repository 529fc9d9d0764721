//! Transactions as readers of committed data see them.

use std::sync::Arc;
use std::time::Duration;

use broker::api;
use message_model::Offset;
use record_batch::Marker;
use sim_disk::SimDisk;
use wire_protocol::ErrorCode;
use wire_protocol::message::{
    FetchRequest, ListOffsetsPartition, ListOffsetsRequest, ListOffsetsTopic,
};

use crate::producers::{end, open, with_rules};
use crate::rules::{Rules, Sent};
use crate::support::{Broker, NOW, bytes, fetch_request, until_waiting};

fn committed(from: i64, max_wait_ms: i32, min_bytes: i32) -> FetchRequest {
    FetchRequest {
        isolation_level: 1,
        ..fetch_request(&[("t", 0, from)], max_wait_ms, min_bytes)
    }
}

async fn latest(broker: &Broker, isolation_level: i8) -> i64 {
    let request = ListOffsetsRequest {
        isolation_level,
        topics: vec![ListOffsetsTopic {
            name: "t".to_owned(),
            partitions: vec![ListOffsetsPartition {
                timestamp: -1,
                ..ListOffsetsPartition::default()
            }],
        }],
        ..ListOffsetsRequest::default()
    };
    let mut response = api::list_offsets(broker, 7, request).await;
    response.topics.remove(0).partitions.remove(0).offset
}

/// The last stable offset is the first one of the oldest open transaction.
#[tokio::test]
async fn committed_readers_stop_at_the_oldest_open_transaction() {
    let (broker, _) = with_rules().await;
    let partition = broker.partition("t", 0);
    let stable = || partition.ends().unwrap().last_stable.0;
    broker.write(1, "t", &["free"]).await;
    assert_eq!(open(&partition, 4, 0).await.ends.last_stable, Offset(1));
    broker.write(1, "t", &["behind"]).await;
    open(&partition, 5, 0).await;
    assert_eq!(stable(), 1);
    let answers = [
        broker.fetch(committed(0, 0, 0)).await,
        broker.fetch(fetch_request(&[("t", 0, 0)], 0, 0)).await,
    ];
    let found = answers.map(|answer| answer.responses[0].partitions[0].clone());
    assert_eq!(
        bytes(&found[0].records).len(),
        crate::support::batch(&["free"]).len()
    );
    assert!(bytes(&found[1].records).len() > 4 * bytes(&found[0].records).len());
    assert!(found[1].aborted_transactions.is_none());
    for found in &found {
        assert_eq!((found.high_watermark, found.last_stable_offset), (6, 1));
    }
    assert_eq!((latest(&broker, 1).await, latest(&broker, 0).await), (1, 6));

    let ended = end(&partition, 4, Marker::Commit).await.unwrap();
    assert_eq!(ended.range.start, Offset(6));
    assert_eq!(stable(), 4, "where the other one begins");
    end(&partition, 5, Marker::Abort).await.unwrap();
    assert_eq!(stable(), 8, "the high watermark");
    let all = broker.fetch(committed(0, 0, 0)).await;
    let found = &all.responses[0].partitions[0];
    let aborted = found.aborted_transactions.as_ref().unwrap();
    let aborted: Vec<_> = aborted
        .iter()
        .map(|one| (one.producer_id, one.first_offset))
        .collect();
    assert_eq!(aborted, [(5, 4)]);
}

/// Between the last stable offset and the high watermark there is nothing for it yet.
#[tokio::test]
async fn a_committed_reader_that_is_too_far_finds_nothing() {
    let (broker, _) = with_rules().await;
    let partition = broker.partition("t", 0);
    for first in [0, 2, 4] {
        open(&partition, 4, first).await;
    }
    for from in 0..=6 {
        let answer = broker.fetch(committed(from, 0, 0)).await;
        let found = &answer.responses[0].partitions[0];
        assert_eq!(found.error_code, ErrorCode::NONE);
        assert!(found.records.is_empty(), "from {from}");
        assert!(found.aborted_transactions.as_ref().unwrap().is_empty());
    }
}

/// Neither an append to a transaction nor a commit of another one that comes later.
#[tokio::test(start_paused = true)]
async fn a_committed_reader_is_woken_when_something_is_stable() {
    let (broker, _) = with_rules().await;
    let broker = Arc::new(broker);
    let partition = broker.partition("t", 0);
    for (producer, first) in [(4, 0), (5, 0), (4, 2), (5, 2)] {
        open(&partition, producer, first).await;
    }
    let size = i32::try_from(Sent::new(4, 0).batch(&["a", "b"]).len()).unwrap();
    // More than the markers, which are all that comes from now on.
    let request = committed(0, 50_000, 4 * size);
    let fetching = Arc::clone(&broker);
    let fetch = tokio::spawn(async move { fetching.fetch(request).await });
    until_waiting(&broker, 1).await;
    end(&partition, 5, Marker::Commit).await.unwrap();
    for _ in 0..1_000 {
        tokio::task::yield_now().await;
    }
    until_waiting(&broker, 1).await;
    assert!(!fetch.is_finished());
    let before = broker.clock().now();
    end(&partition, 4, Marker::Commit).await.unwrap();
    let response = fetch.await.unwrap();
    let waited = broker.clock().now().since(before);
    assert!(waited < Duration::from_secs(1), "{waited:?}");
    let found = &response.responses[0].partitions[0];
    assert_eq!(found.last_stable_offset, 10);
    assert!(broker.services.fetches.is_empty(), "nothing is left behind");
}

/// A transaction whose first records are deleted holds readers up at the log start.
#[tokio::test(start_paused = true)]
async fn records_of_an_open_transaction_can_be_deleted() {
    let (broker, _) = with_rules().await;
    let broker = Arc::new(broker);
    let partition = broker.partition("t", 0);
    open(&partition, 4, 0).await;
    open(&partition, 4, 2).await;
    let fetching = Arc::clone(&broker);
    let fetch = tokio::spawn(async move { fetching.fetch(committed(0, 3_600_000, 1)).await });
    until_waiting(&broker, 1).await;
    let before = broker.clock().now();
    assert_eq!(partition.delete_before(Offset(2)).await.unwrap(), Offset(2));
    let ends = partition.ends().unwrap();
    assert_eq!((ends.log_start, ends.last_stable), (Offset(2), Offset(2)));
    let gone = fetch.await.unwrap();
    let waited = broker.clock().now().since(before);
    assert!(waited < Duration::from_secs(1), "{waited:?}");
    let code = gone.responses[0].partitions[0].error_code;
    assert_eq!(code, ErrorCode::OFFSET_OUT_OF_RANGE);
    let waiting = broker.fetch(committed(2, 0, 0)).await;
    let found = &waiting.responses[0].partitions[0];
    assert_eq!(
        (found.error_code, found.last_stable_offset),
        (ErrorCode::NONE, 2)
    );
    assert!(found.records.is_empty());

    end(&partition, 4, Marker::Abort).await.unwrap();
    assert_eq!(partition.ends().unwrap().last_stable, Offset(5));
    let all = broker.fetch(committed(2, 0, 0)).await;
    let aborted = all.responses[0].partitions[0].aborted_transactions.as_ref();
    let aborted = &aborted.unwrap()[0];
    assert_eq!((aborted.producer_id, aborted.first_offset), (4, 0));
}

#[tokio::test]
async fn segments_with_an_open_transaction_can_expire() {
    let rules = Arc::new(Rules::default());
    let broker = Broker::start_with_rules(&SimDisk::new(7), &rules);
    let settings = [("retention.bytes", "0"), ("segment.bytes", "1024")];
    broker.create_with("t", 1, &settings).await;
    let partition = broker.partition("t", 0);
    open(&partition, 4, 0).await;
    let long = "x".repeat(400);
    for _ in 0..10 {
        broker.write(-1, "t", &[&long]).await;
    }
    assert!(partition.apply_retention(NOW).await.unwrap());
    let ends = partition.ends().unwrap();
    assert!(ends.log_start > Offset(2));
    assert_eq!(ends.last_stable, ends.log_start);
    end(&partition, 4, Marker::Commit).await.unwrap();
    let ends = partition.ends().unwrap();
    assert_eq!(ends.last_stable, ends.high_watermark);
}
