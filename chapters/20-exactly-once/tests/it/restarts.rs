//! What is known of producers survives.

use std::time::Duration;

use message_model::Moment;
use record_batch::Marker;
use wire_protocol::ErrorCode;

use crate::support::{Queue, Settings, sent};

/// One that forgets nobody: the times in these tests are long ago.
async fn start() -> Queue {
    let mut settings = Settings::default();
    settings.producers.expiration = Duration::from_hours(1_000_000_000);
    Queue::start_with(settings).await
}

/// Six batches of one producer, an aborted transaction, and one that is open.
async fn fill(queue: &Queue) {
    for first in 0..6 {
        queue.send(sent(7, first), &["a"]).await.unwrap();
    }
    for producer in [8, 9] {
        queue.begin(producer, 3).await.unwrap();
        let batch = sent(producer, 0).epoch(3).in_transaction();
        queue.send(batch, &["b"]).await.unwrap();
    }
    queue.end(8, 4, Marker::Abort).await.unwrap();
    let partition = queue.partition(0);
    let end = partition.ends().unwrap().log_end;
    let never = Moment::after_start(Duration::from_hours(1_000));
    partition.durable(end, never).await.unwrap();
}

async fn check(queue: &Queue) {
    let refused = Err(ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER);
    for first in 1..6 {
        let again = queue.send(sent(7, first), &["a"]).await;
        assert_eq!(again, Ok(i64::from(first)));
    }
    assert_eq!(queue.send(sent(7, 0), &["a"]).await, refused);
    assert_eq!(queue.send(sent(7, 7), &["a"]).await, refused);
    let zombie = sent(8, 1).epoch(3).in_transaction();
    let fenced = Err(ErrorCode::INVALID_PRODUCER_EPOCH);
    assert_eq!(queue.send(zombie, &["late"]).await, fenced);
    assert_eq!(queue.last_stable(), 7);
    let next = sent(9, 1).epoch(3).in_transaction();
    assert_eq!(queue.send(next, &["c"]).await, Ok(9));
    queue.end(9, 3, Marker::Commit).await.unwrap();
    assert_eq!(queue.last_stable(), 11);
    assert_eq!(queue.send(sent(7, 6), &["a"]).await, Ok(11));
}

#[tokio::test]
async fn it_is_read_from_a_snapshot() {
    let queue = start().await;
    fill(&queue).await;
    check(&queue.after_stop().await).await;
}

#[tokio::test]
async fn it_is_read_from_the_log() {
    let queue = start().await;
    fill(&queue).await;
    check(&queue.after_power_failure().await).await;
}

#[tokio::test]
async fn it_is_read_from_a_snapshot_and_the_log_behind_it() {
    let queue = start().await;
    for first in 0..4 {
        queue.send(sent(7, first), &["a"]).await.unwrap();
    }
    let queue = queue.after_stop().await;
    for first in 4..6 {
        queue.send(sent(7, first), &["a"]).await.unwrap();
    }
    for producer in [8, 9] {
        queue.begin(producer, 3).await.unwrap();
        let batch = sent(producer, 0).epoch(3).in_transaction();
        queue.send(batch, &["b"]).await.unwrap();
    }
    queue.end(8, 4, Marker::Abort).await.unwrap();
    let partition = queue.partition(0);
    let end = partition.ends().unwrap().log_end;
    let never = Moment::after_start(Duration::from_hours(1_000));
    partition.durable(end, never).await.unwrap();
    check(&queue.after_power_failure().await).await;
}

#[tokio::test]
async fn that_a_transaction_has_begun_is_in_the_snapshot() {
    let queue = start().await;
    queue.send(sent(6, 0), &["a"]).await.unwrap();
    queue.begin(7, 0).await.unwrap();
    let queue = queue.after_stop().await;
    let batch = sent(7, 0).in_transaction();
    assert_eq!(queue.send(batch, &["a"]).await, Ok(1));
}

/// It was forgotten, or its topic is a new one of that name: its numbers go on all the same.
#[tokio::test]
async fn a_producer_that_was_only_named_goes_on_with_any_number() {
    let queue = start().await;
    queue.begin(7, 0).await.unwrap();
    assert_eq!(queue.send(sent(7, 3).in_transaction(), &["a"]).await, Ok(0));
    let gap = queue.send(sent(7, 5).in_transaction(), &["c"]).await;
    assert_eq!(gap, Err(ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER));
    queue.end(7, 0, Marker::Commit).await.unwrap();

    queue.begin(8, 0).await.unwrap();
    queue.end(8, 1, Marker::Abort).await.unwrap();
    queue.begin(8, 1).await.unwrap();
    let queue = queue.after_stop().await;
    let next = sent(8, 41).epoch(1).in_transaction();
    assert_eq!(queue.send(next, &["b"]).await, Ok(3));
}

#[tokio::test]
async fn a_new_epoch_begins_at_0_also_if_a_marker_or_the_coordinator_says_it_first() {
    let queue = start().await;
    assert_eq!(queue.send(sent(7, 0), &["a"]).await, Ok(0));
    queue.begin(7, 1).await.unwrap();
    let queue = queue.after_stop().await;
    let refused = Err(ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER);
    let next = sent(7, 1).epoch(1).in_transaction();
    assert_eq!(queue.send(next, &["b"]).await, refused);
    queue.end(7, 2, Marker::Abort).await.unwrap();
    let queue = queue.after_stop().await;
    assert_eq!(queue.send(sent(7, 1).epoch(2), &["b"]).await, refused);
    assert_eq!(queue.send(sent(7, 0).epoch(2), &["b"]).await, Ok(2));
}

/// Several batches are in flight, and the disk is full for the first one.
#[tokio::test]
async fn a_first_batch_that_failed_is_not_overtaken() {
    let queue = start().await;
    queue.begin(7, 0).await.unwrap();
    let [third, fourth] = [3, 4].map(|number| sent(7, number).in_transaction());
    queue.disk.set_space(Some(0));
    queue.send(third, &["a"]).await.unwrap_err();
    queue.disk.set_space(None);
    let refused = Err(ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER);
    assert_eq!(queue.send(fourth, &["b"]).await, refused);
    assert_eq!(queue.send(third, &["a"]).await, Ok(0));
    assert_eq!(queue.send(fourth, &["b"]).await, Ok(1));
}
