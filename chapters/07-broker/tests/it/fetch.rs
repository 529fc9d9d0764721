//! What a fetch returns when it does not have to wait.

use std::time::Duration;

use broker::api::FetchLimits;
use wire_protocol::ErrorCode;
use wire_protocol::message::FetchRequest;

use crate::support::{Broker, NOW, append, batch, bytes, fetch_request};

#[tokio::test]
async fn a_fetch_returns_what_was_produced() {
    let broker = Broker::with_topic().await;
    broker.produce(1, "t", batch(&["a", "b"])).await;
    let found = broker.fetch_now("t", 0).await;
    assert_eq!(found.error_code, ErrorCode::NONE);
    assert_eq!(
        bytes(&found.records),
        batch(&["a", "b"]),
        "offset 0, epoch 0: not a byte differs"
    );
    let ends = (
        found.log_start_offset,
        found.last_stable_offset,
        found.high_watermark,
    );
    assert_eq!(ends, (0, 2, 2));
    assert_eq!(
        found.preferred_read_replica, -1,
        "anything else makes librdkafka drop the batches"
    );
    assert!(found.aborted_transactions.is_none());
}

#[tokio::test]
async fn a_committed_reader_gets_a_list_of_aborted_transactions() {
    let broker = Broker::with_topic().await;
    broker.produce(1, "t", batch(&["a"])).await;
    let mut request = fetch_request(&[("t", 0, 0)], 0, 0);
    request.isolation_level = 1;
    let response = broker.fetch(request).await;
    let found = &response.responses[0].partitions[0];
    assert_eq!(found.aborted_transactions.as_ref().map(Vec::len), Some(0));
    assert_eq!(bytes(&found.records), batch(&["a"]));
}

#[tokio::test]
async fn errors_are_per_partition_and_at_once() {
    let broker = Broker::with_topic().await;
    broker.create("v", 2).await;
    broker.produce(1, "t", batch(&["a"])).await;
    let asked = [
        ("v", 0, 2),
        ("v", 1, -1),
        ("t", 1, 0),
        ("u", 0, 0),
        ("t", 0, 0),
    ];
    let response = broker.fetch(fetch_request(&asked, 60_000, 1_000_000)).await;
    let codes: Vec<ErrorCode> = response
        .responses
        .iter()
        .map(|topic| topic.partitions[0].error_code)
        .collect();
    let expected = vec![
        ErrorCode::OFFSET_OUT_OF_RANGE,
        ErrorCode::OFFSET_OUT_OF_RANGE,
        ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
        ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
        ErrorCode::NONE,
    ];
    assert_eq!(codes, expected);
    assert_eq!(response.responses[0].partitions[0].high_watermark, -1);
}

#[tokio::test]
async fn the_leader_epoch_is_compared() {
    let broker = Broker::with_topic().await;
    let with_epoch = |epoch| {
        let mut request = fetch_request(&[("t", 0, 0)], 0, 0);
        request.topics[0].partitions[0].current_leader_epoch = epoch;
        request
    };
    for (epoch, code) in [
        (-1, ErrorCode::NONE),
        (0, ErrorCode::NONE),
        (1, ErrorCode::UNKNOWN_LEADER_EPOCH),
        (i32::MAX, ErrorCode::UNKNOWN_LEADER_EPOCH),
        (-2, ErrorCode::NONE),
    ] {
        let response = broker.fetch(with_epoch(epoch)).await;
        assert_eq!(
            response.responses[0].partitions[0].error_code, code,
            "epoch {epoch}"
        );
    }
}

#[tokio::test]
async fn sessions_are_declined() {
    let broker = Broker::with_topic().await;
    let mut request = fetch_request(&[("t", 0, 0)], 0, 0);
    request.session_epoch = 0;
    let response = broker.fetch(request).await;
    assert_eq!(response.session_id, 0);
    assert_eq!(response.error_code, ErrorCode::NONE);
    assert_eq!(
        response.responses.len(),
        1,
        "every partition that was asked for is answered"
    );
}

/// How many bytes came from each partition, of three that hold two batches each.
async fn sizes(change: impl FnOnce(&mut FetchRequest), limits: FetchLimits) -> Vec<usize> {
    let broker = Broker::start().but(|broker| broker.fetch_limits = limits);
    broker.create("t", 3).await;
    for index in [0, 1, 2] {
        let partition = broker.partition("t", index);
        for _ in 0..2 {
            let appended = append(&partition, NOW, batch(&["0123456789"]));
            appended.await.unwrap();
        }
    }
    let mut request = fetch_request(&[("t", 0, 0), ("t", 1, 0), ("t", 2, 0)], 0, 0);
    change(&mut request);
    let response = broker.fetch(request).await;
    let partitions = response
        .responses
        .iter()
        .flat_map(|topic| &topic.partitions);
    partitions.map(|found| found.records.len()).collect()
}

/// Limits above everything that these tests fetch.
const WIDE: FetchLimits = FetchLimits {
    response_bytes_max: 1_000_000,
    wait_max: Duration::from_secs(60),
};

#[tokio::test]
async fn limits_of_the_request_and_of_each_partition() {
    let one = batch(&["0123456789"]).len();
    let size = i32::try_from(one).unwrap();
    let all = sizes(|_| {}, WIDE).await;
    assert_eq!(all, [2 * one, 2 * one, 2 * one]);

    let of_all = sizes(|request| request.max_bytes = 3 * size, WIDE).await;
    assert_eq!(of_all, [2 * one, one, 0]);
    let of_all = sizes(|request| request.max_bytes = 3 * size - 1, WIDE).await;
    assert_eq!(of_all, [2 * one, 0, 0]);

    let of_one = sizes(
        |request| request.topics[1].partitions[0].partition_max_bytes = size,
        WIDE,
    );
    assert_eq!(of_one.await, [2 * one, one, 2 * one]);
}

#[tokio::test]
async fn at_least_one_batch_whatever_the_limits() {
    let one = batch(&["0123456789"]).len();
    for small in [1, 0, -1, i32::MIN] {
        let of_all = sizes(|request| request.max_bytes = small, WIDE).await;
        assert_eq!(of_all, [one, 0, 0], "max_bytes {small}");
        let of_each = |request: &mut FetchRequest| {
            for topic in &mut request.topics {
                topic.partitions[0].partition_max_bytes = small;
            }
        };
        assert_eq!(
            sizes(of_each, WIDE).await,
            [one, 0, 0],
            "partition_max_bytes {small}"
        );
    }
}

#[tokio::test]
async fn no_request_gets_more_than_the_broker_allows() {
    let one = batch(&["0123456789"]).len();
    let narrow = FetchLimits {
        response_bytes_max: u32::try_from(2 * one).unwrap(),
        ..WIDE
    };
    let greedy = |request: &mut FetchRequest| request.max_bytes = i32::MAX;
    assert_eq!(sizes(greedy, narrow).await, [2 * one, 0, 0]);
}

/// The answer names ranges of the segment; its bytes are read when they are sent.
#[tokio::test]
async fn what_is_on_disk_is_sent_from_there() {
    let broker = Broker::with_topic().await;
    broker.write(1, "t", &["a"]).await;
    let found = broker.fetch_now("t", 0).await;
    let chunks = &found.records.chunks;
    assert!(
        matches!(chunks[..], [networking::Chunk::File(_)]),
        "{chunks:?}"
    );
}

/// A sealed segment is read the same way, and at its end the next one begins.
#[tokio::test]
async fn a_fetch_ends_where_its_segment_does() {
    let broker = Broker::with_topic().await;
    let long = "x".repeat(4_000);
    for _ in 0..5 {
        broker.write(1, "t", &[&long]).await;
    }
    // Two batches to a segment of 10,000 bytes.
    let mut next = 0;
    let mut counts = Vec::new();
    for _ in 0..3 {
        let found = broker.fetch_now("t", next).await;
        let bytes = bytes(&found.records);
        let batches = record_batch::Batches::new(&bytes).count();
        counts.push(batches);
        next += i64::try_from(batches).unwrap();
    }
    assert_eq!(counts, [2, 2, 1]);
}
