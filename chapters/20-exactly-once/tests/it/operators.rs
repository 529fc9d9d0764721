//! What operators ask, and do.

use std::path::Path;
use std::time::Duration;

use exactly_once::api;
use message_model::Moment;
use sim_disk::Call;
use wire_protocol::ErrorCode;
use wire_protocol::message::{
    DescribeProducersRequest, DescribeProducersTopic, ListTransactionsRequest, WritableTxnMarker,
    WritableTxnMarkerTopic, WriteTxnMarkersRequest,
};

use crate::support::{NOW, Queue, Settings, sent};

fn list(queue: &Queue, request: &ListTransactionsRequest) -> Vec<(String, String)> {
    let listed = api::list_transactions(&queue.transactions, request.clone());
    assert_eq!(listed.error_code, ErrorCode::NONE);
    let states = listed.transaction_states.into_iter();
    let mut all: Vec<_> = states
        .map(|one| (one.transactional_id, one.transaction_state))
        .collect();
    all.sort();
    all
}

fn pair(id: &str, state: &str) -> (String, String) {
    (id.to_owned(), state.to_owned())
}

#[tokio::test]
async fn transactions_are_listed_by_state_producer_and_duration() {
    let queue = Queue::start().await;
    let (x, y) = (queue.producer("x").await, queue.producer("y").await);
    queue.add(&x, &[("t", &[0])]).await;
    let all = ListTransactionsRequest::default();
    let (open, empty) = (pair("x", "Ongoing"), pair("y", "Empty"));
    assert_eq!(list(&queue, &all), [open.clone(), empty.clone()]);
    let by_state = ListTransactionsRequest {
        state_filters: vec!["Ongoing".to_owned(), "Wrong".to_owned()],
        ..all.clone()
    };
    assert_eq!(list(&queue, &by_state), [open]);
    let listed = api::list_transactions(&queue.transactions, by_state);
    assert_eq!(listed.unknown_state_filters, ["Wrong"]);
    let by_producer = ListTransactionsRequest {
        producer_id_filters: vec![y.id],
        ..all.clone()
    };
    assert_eq!(list(&queue, &by_producer), std::slice::from_ref(&empty));
    let long = ListTransactionsRequest {
        duration_filter: 1_000_000,
        ..all
    };
    // As in Kafka, the time of one that has never begun counts from 1970.
    assert_eq!(list(&queue, &long), [empty]);
}

#[tokio::test]
async fn transactions_are_described() {
    let queue = Queue::start().await;
    let x = queue.producer("x").await;
    queue.add(&x, &[("t", &[2, 0])]).await;
    let described = queue.describe("x");
    assert_eq!(described.error_code, ErrorCode::NONE);
    assert_eq!(described.transaction_state, "Ongoing");
    assert_eq!(described.transaction_timeout_ms, 60_000);
    assert_eq!((described.producer_id, described.producer_epoch), (x.id, 0));
    assert!(described.transaction_start_time_ms > 0);
    assert_eq!(described.topics[0].topic, "t");
    assert_eq!(described.topics[0].partitions, [0, 2]);
    let unknown = queue.describe("nobody").error_code;
    assert_eq!(unknown, ErrorCode::TRANSACTIONAL_ID_NOT_FOUND);
    assert_eq!(queue.describe("").error_code, ErrorCode::INVALID_REQUEST);
}

#[tokio::test]
async fn producers_are_described() {
    let queue = Queue::start().await;
    queue.send(sent(7, 3), &["a"]).await.unwrap();
    let request = DescribeProducersRequest {
        topics: vec![DescribeProducersTopic {
            name: "t".to_owned(),
            partition_indexes: vec![0, 77],
        }],
    };
    let described = api::describe_producers(&queue.transactions, request).await;
    let partitions = &described.topics[0].partitions;
    let producer = &partitions[0].active_producers[0];
    assert_eq!((producer.producer_id, producer.producer_epoch), (7, 0));
    assert_eq!(
        (producer.last_sequence, producer.last_timestamp),
        (3, NOW.0)
    );
    assert_eq!(producer.coordinator_epoch, -1);
    assert_eq!(producer.current_txn_start_offset, -1);
    let unknown = partitions[1].error_code;
    assert_eq!(unknown, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
}

fn marker(producer: i64, epoch: i16) -> WritableTxnMarker {
    WritableTxnMarker {
        producer_id: producer,
        producer_epoch: epoch,
        transaction_result: false,
        topics: vec![WritableTxnMarkerTopic {
            name: "t".to_owned(),
            partition_indexes: vec![0, 77],
        }],
        coordinator_epoch: 0,
    }
}

#[tokio::test]
async fn an_operator_ends_a_transaction_that_hangs() {
    let queue = Queue::start().await;
    queue.begin(7, 1).await.unwrap();
    let batch = sent(7, 0).epoch(1).in_transaction();
    queue.send(batch, &["a"]).await.unwrap();
    assert_eq!(queue.last_stable(), 0);
    let request = WriteTxnMarkersRequest {
        markers: vec![marker(7, 0), marker(7, 1), marker(-1, 1)],
    };
    let written = api::write_txn_markers(&queue.transactions, request).await;
    let codes: Vec<Vec<ErrorCode>> = written
        .markers
        .iter()
        .map(|one| {
            let partitions = one.topics[0].partitions.iter();
            partitions.map(|partition| partition.error_code).collect()
        })
        .collect();
    let unknown = ErrorCode::UNKNOWN_TOPIC_OR_PARTITION;
    assert_eq!(
        codes,
        [
            [ErrorCode::INVALID_PRODUCER_EPOCH, unknown],
            [ErrorCode::NONE, unknown],
            [ErrorCode::INVALID_REQUEST, ErrorCode::INVALID_REQUEST],
        ]
    );
    assert_eq!(queue.last_stable(), 2);
}

/// The codes of all markers of a request, one after the other.
async fn write_markers(queue: &Queue, markers: Vec<WritableTxnMarker>) -> Vec<ErrorCode> {
    let request = WriteTxnMarkersRequest { markers };
    let written = api::write_txn_markers(&queue.transactions, request).await;
    let topics = written.markers.iter().flat_map(|one| &one.topics);
    let partitions = topics.flat_map(|topic| &topic.partitions);
    partitions.map(|partition| partition.error_code).collect()
}

fn markers_of(producers: std::ops::Range<i64>, partitions: &[i32]) -> Vec<WritableTxnMarker> {
    let one = |producer| WritableTxnMarker {
        topics: vec![WritableTxnMarkerTopic {
            name: "t".to_owned(),
            partition_indexes: partitions.to_vec(),
        }],
        ..marker(producer, 0)
    };
    producers.map(one).collect()
}

#[tokio::test]
async fn a_thousand_markers_share_the_syncs_of_their_partitions() {
    let queue = Queue::start().await;
    queue.send(sent(7, 0), &["a"]).await.unwrap();
    queue.send_to(1, NOW, sent(7, 0), &["a"]).await.unwrap();
    // The syncs of new files come with the first.
    write_markers(&queue, markers_of(7..8, &[0, 1])).await;
    let before = queue.disk.counts().syncs;
    let codes = write_markers(&queue, markers_of(0..500, &[0, 1])).await;
    assert_eq!(codes, vec![ErrorCode::NONE; 1_000]);
    assert_eq!(queue.disk.counts().syncs - before, 2);
    let queue = queue.after_power_failure().await;
    for partition in [0, 1] {
        let ends = queue.partition(partition).ends().unwrap();
        assert_eq!(ends.log_end.0, 502);
    }
}

#[tokio::test]
async fn a_request_has_so_many_markers_at_most_as_a_transaction_has_partitions() {
    let mut settings = Settings::default();
    settings.coordinator.transactions.partitions_max = 5;
    let queue = Queue::start_with(settings).await;
    let full = ErrorCode::POLICY_VIOLATION;
    assert_eq!(
        write_markers(&queue, markers_of(0..3, &[0, 1])).await,
        [full; 6]
    );
    assert_eq!(queue.partition(0).ends().unwrap().log_end.0, 0);
    let codes = write_markers(&queue, markers_of(0..5, &[0])).await;
    assert_eq!(codes, [ErrorCode::NONE; 5]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn markers_that_are_not_on_disk_are_answered_so_each_in_its_place() {
    let queue = Queue::start().await;
    let parking = queue.disk.park_next(Call::Sync, Path::new("/data/t-1"));
    let markers = markers_of(0..2, &[0, 1, 77]);
    let (codes, ()) = tokio::join!(write_markers(&queue, markers), async {
        let waiting = parking.clone();
        let waiting = tokio::task::spawn_blocking(move || waiting.wait());
        waiting.await.unwrap();
        let end = queue.partition(0).ends().unwrap().log_end;
        let no_deadline = Moment::after_start(Duration::MAX);
        queue.partition(0).durable(end, no_deadline).await.unwrap();
        // The disk has nothing else to do by now.
        queue.disk.fail_at(queue.disk.operations());
        parking.release();
    });
    let failed = ErrorCode::KAFKA_STORAGE_ERROR;
    let unknown = ErrorCode::UNKNOWN_TOPIC_OR_PARTITION;
    let one = [ErrorCode::NONE, failed, unknown];
    assert_eq!(codes, [one, one].concat());
}
