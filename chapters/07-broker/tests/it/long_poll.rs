//! A fetch that waits. Time is paused: it jumps to the next deadline when nothing else can run.

use std::sync::Arc;
use std::time::Duration;

use broker::api::{self, FetchLimits};
use tokio::sync::Barrier;
use tokio::task::JoinHandle;
use wire_protocol::ErrorCode;
use wire_protocol::message::{DeleteTopicsRequest, FetchRequest, FetchResponse};

use crate::support::{Broker, LIMITS, NOW, append, batch, bytes, fetch_request, until_waiting};

fn spawn(broker: &Arc<Broker>, request: FetchRequest) -> JoinHandle<(FetchResponse, Duration)> {
    let broker = Arc::clone(broker);
    tokio::spawn(async move {
        let before = broker.clock().now();
        let response = tokio::time::timeout(seconds(3600), broker.fetch(request)).await;
        let response = response.expect("every fetch ends");
        (response, broker.clock().now().since(before))
    })
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[tokio::test(start_paused = true)]
async fn without_records_it_waits_as_long_as_it_was_told() {
    let broker = Arc::new(Broker::with_topic().await);
    let (response, waited) = spawn(&broker, fetch_request(&[("t", 0, 0)], 5_000, 1))
        .await
        .unwrap();
    let found = &response.responses[0].partitions[0];
    assert_eq!(found.error_code, ErrorCode::NONE);
    assert!(found.records.is_empty());
    assert!(waited >= seconds(5) && waited < seconds(6), "{waited:?}");
    assert!(broker.services.fetches.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_record_wakes_it_at_once() {
    let broker = Arc::new(Broker::with_topic().await);
    let fetch = spawn(&broker, fetch_request(&[("t", 0, 0)], 50_000, 1));
    until_waiting(&broker, 1).await;
    tokio::time::sleep(seconds(3)).await;
    broker.write(1, "t", &["at last"]).await;
    let (response, waited) = fetch.await.unwrap();
    assert_eq!(
        bytes(&response.responses[0].partitions[0].records),
        batch(&["at last"])
    );
    assert!(waited >= seconds(3) && waited < seconds(4), "{waited:?}");
    assert!(broker.services.fetches.is_empty(), "nothing is left behind");
}

#[tokio::test(start_paused = true)]
async fn it_does_not_wait_when_it_need_not() {
    let broker = Arc::new(Broker::with_topic().await);
    let no_partitions = FetchRequest {
        topics: vec![wire_protocol::message::FetchTopic {
            topic: "t".to_owned(),
            partitions: Vec::new(),
        }],
        ..fetch_request(&[], 5_000, 1)
    };
    for request in [
        fetch_request(&[("t", 0, 0)], 0, 1),
        fetch_request(&[("t", 0, 0)], -1, 1),
        fetch_request(&[("t", 0, 0)], 5_000, 0),
        fetch_request(&[("t", 0, 0)], 5_000, -1),
        fetch_request(&[("u", 0, 0)], 5_000, 1),
        fetch_request(&[], 5_000, 1),
        no_partitions,
    ] {
        let (_, waited) = spawn(&broker, request.clone()).await.unwrap();
        assert_eq!(waited, Duration::ZERO, "{request:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_longer_than_the_broker_allows() {
    let broker = Arc::new(Broker::with_topic().await);
    let (_, waited) = spawn(&broker, fetch_request(&[("t", 0, 0)], i32::MAX, i32::MAX))
        .await
        .unwrap();
    assert!(
        waited >= LIMITS.wait_max && waited < LIMITS.wait_max + seconds(1),
        "{waited:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn it_waits_for_min_bytes() {
    let broker = Arc::new(Broker::with_topic().await);
    let size = i32::try_from(batch(&["a"]).len()).unwrap();
    let fetch = spawn(&broker, fetch_request(&[("t", 0, 0)], 50_000, 3 * size));
    for _ in 0..3 {
        until_waiting(&broker, 1).await;
        assert!(!fetch.is_finished());
        broker.write(1, "t", &["a"]).await;
    }
    let (response, _) = fetch.await.unwrap();
    assert_eq!(response.responses[0].partitions[0].high_watermark, 3);
}

/// Bytes of several partitions count together, and so does what was there before.
#[tokio::test(start_paused = true)]
async fn min_bytes_is_a_sum() {
    let broker = Arc::new(Broker::with_topic().await);
    broker.create("u", 1).await;
    broker.write(1, "u", &["a"]).await;
    let size = i32::try_from(batch(&["a"]).len()).unwrap();
    let asked = [("t", 0, 0), ("u", 0, 0)];
    let fetch = spawn(&broker, fetch_request(&asked, 50_000, 3 * size));
    for topic in ["t", "u"] {
        until_waiting(&broker, 1).await;
        assert!(!fetch.is_finished(), "before {topic}");
        broker.write(1, topic, &["a"]).await;
    }
    let (response, waited) = fetch.await.unwrap();
    assert_eq!(waited, Duration::ZERO);
    let sizes: Vec<usize> = response
        .responses
        .iter()
        .map(|topic| topic.partitions[0].records.len())
        .collect();
    let size = batch(&["a"]).len();
    assert_eq!(sizes, [size, 2 * size]);
}

/// Waiting for more than the limits let through would be waiting for nothing.
#[tokio::test(start_paused = true)]
async fn it_does_not_wait_for_more_than_it_may_have() {
    let broker = Arc::new(Broker::with_topic().await);
    for _ in 0..3 {
        broker.write(1, "t", &["a"]).await;
    }
    let mut request = fetch_request(&[("t", 0, 0)], 50_000, 1_000_000);
    request.max_bytes = 100;
    let (response, waited) = spawn(&broker, request).await.unwrap();
    assert_eq!(waited, Duration::ZERO);
    assert!(!response.responses[0].partitions[0].records.is_empty());
}

#[tokio::test(start_paused = true)]
async fn any_of_several_partitions_wakes_it() {
    let broker = Arc::new(Broker::with_topic().await);
    broker.create("u", 2).await;
    let asked = [("t", 0, 0), ("u", 0, 0), ("u", 1, 0)];
    let fetch = spawn(&broker, fetch_request(&asked, 50_000, 1));
    until_waiting(&broker, 1).await;
    let partition = broker.partition("u", 1);
    append(&partition, NOW, batch(&["a"])).await.unwrap();
    let (response, waited) = fetch.await.unwrap();
    let sizes: Vec<usize> = response
        .responses
        .iter()
        .map(|topic| topic.partitions[0].records.len())
        .collect();
    assert_eq!(sizes, [0, 0, batch(&["a"]).len()]);
    assert_eq!(waited, Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn another_partition_does_not_wake_it() {
    let broker = Arc::new(Broker::with_topic().await);
    broker.create("u", 1).await;
    let fetch = spawn(&broker, fetch_request(&[("t", 0, 0)], 5_000, 1));
    until_waiting(&broker, 1).await;
    broker.write(1, "u", &["a"]).await;
    assert_eq!(broker.services.fetches.len(), 1);
    let (_, waited) = fetch.await.unwrap();
    assert!(waited >= seconds(5));
}

#[tokio::test(start_paused = true)]
async fn one_record_wakes_all_that_wait_for_it() {
    let broker = Arc::new(Broker::with_topic().await);
    let fetches: Vec<_> = (0..100)
        .map(|_| spawn(&broker, fetch_request(&[("t", 0, 0)], 50_000, 1)))
        .collect();
    until_waiting(&broker, 100).await;
    broker.write(1, "t", &["a"]).await;
    for fetch in fetches {
        let (response, _) = fetch.await.unwrap();
        assert!(!response.responses[0].partitions[0].records.is_empty());
    }
    assert!(broker.services.fetches.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_deleted_topic_wakes_it() {
    let broker = Arc::new(Broker::with_topic().await);
    let fetch = spawn(&broker, fetch_request(&[("t", 0, 0)], 50_000, 1));
    until_waiting(&broker, 1).await;
    let request = DeleteTopicsRequest {
        topic_names: vec!["t".to_owned()],
        timeout_ms: 1_000,
    };
    api::delete_topics(&broker, request).await;
    let (response, waited) = fetch.await.unwrap();
    let code = response.responses[0].partitions[0].error_code;
    // The partition goes offline a moment before the topic is gone.
    let codes = [
        ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
        ErrorCode::KAFKA_STORAGE_ERROR,
    ];
    assert!(codes.contains(&code), "{code:?}");
    assert_eq!(waited, Duration::ZERO);
}

/// The log start moves past a reader: it hears so, at the latest when its wait is over.
#[tokio::test(start_paused = true)]
async fn a_reader_that_retention_overtakes_is_out_of_range() {
    let broker = Arc::new(Broker::start());
    let settings = [("retention.bytes", "0"), ("segment.bytes", "1024")];
    broker.create_with("t", 1, &settings).await;
    let long = "x".repeat(600);
    broker.write(1, "t", &[&long]).await;
    let fetch = spawn(&broker, fetch_request(&[("t", 0, 1)], 50_000, 10_000));
    until_waiting(&broker, 1).await;
    for _ in 0..3 {
        broker.write(-1, "t", &[&long]).await;
    }
    let partition = broker.partition("t", 0);
    assert!(partition.apply_retention(NOW).await.unwrap());
    assert!(partition.ends().unwrap().log_start.0 > 1);
    let (response, _) = fetch.await.unwrap();
    let code = response.responses[0].partitions[0].error_code;
    assert_eq!(code, ErrorCode::OFFSET_OUT_OF_RANGE);
}

#[tokio::test(start_paused = true)]
async fn a_stop_ends_all_waits_with_an_answer() {
    let broker = Arc::new(Broker::with_topic().await);
    let waiting = spawn(&broker, fetch_request(&[("t", 0, 0)], 50_000, 1));
    until_waiting(&broker, 1).await;
    broker.services.fetches.stop();
    let late = spawn(&broker, fetch_request(&[("t", 0, 0)], 50_000, 1));
    for fetch in [waiting, late] {
        let (response, waited) = fetch.await.unwrap();
        assert_eq!(
            response.responses[0].partitions[0].error_code,
            ErrorCode::NONE
        );
        assert_eq!(waited, Duration::ZERO);
    }
    broker.write(-1, "t", &["still"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_fetch_that_is_dropped_leaves_nothing_behind() {
    let broker = Arc::new(Broker::with_topic().await);
    let fetch = spawn(&broker, fetch_request(&[("t", 0, 0)], 50_000, 1));
    until_waiting(&broker, 1).await;
    fetch.abort();
    assert!(fetch.await.is_err());
    assert!(broker.services.fetches.is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_earlier_deadline_is_not_overslept() {
    let broker = Arc::new(Broker::with_topic().await);
    let long = spawn(&broker, fetch_request(&[("t", 0, 0)], 50_000, 1));
    until_waiting(&broker, 1).await;
    let (_, waited) = spawn(&broker, fetch_request(&[("t", 0, 0)], 2_000, 1))
        .await
        .unwrap();
    assert!(waited >= seconds(2) && waited < seconds(3), "{waited:?}");
    let (_, waited) = long.await.unwrap();
    assert!(waited >= seconds(50) && waited < seconds(51), "{waited:?}");
}

/// A record may come between the look and the wait, with real threads a thousand
/// times: when all have read a record, the consumers ask for the next one while the
/// producer appends it.
#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn no_wake_up_is_lost() {
    const RECORDS: i64 = 1_000;
    let patient = FetchLimits {
        wait_max: seconds(600),
        ..LIMITS
    };
    let broker = Broker::start().but(|broker| broker.fetch_limits = patient);
    let broker = Arc::new(broker);
    broker.create("t", 1).await;
    let all_have_read = Arc::new(Barrier::new(3));
    let consume = || {
        let (broker, all_have_read) = (Arc::clone(&broker), Arc::clone(&all_have_read));
        tokio::spawn(async move {
            for next in 0..RECORDS {
                all_have_read.wait().await;
                let request = fetch_request(&[("t", 0, next)], 600_000, 1);
                let found = broker.fetch(request).await;
                assert_eq!(found.responses[0].partitions[0].high_watermark, next + 1);
            }
        })
    };
    let consumers = [consume(), consume()];
    let all = async {
        for _ in 0..RECORDS {
            all_have_read.wait().await;
            broker.write(1, "t", &["a"]).await;
        }
        for consumer in consumers {
            consumer.await.unwrap();
        }
    };
    let done = tokio::time::timeout(seconds(60), all).await;
    done.expect("no fetch sleeps beside its record");
}
