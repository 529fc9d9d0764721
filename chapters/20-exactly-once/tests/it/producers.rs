//! The rules over one entry, through a partition.

use message_model::Timestamp;
use record_batch::Marker;
use wire_protocol::ErrorCode;

use crate::support::{NOW, Queue, sent};

#[tokio::test]
async fn each_of_the_last_five_batches_is_recognised_and_answered_with_its_offset() {
    let queue = Queue::start().await;
    for first in (0..12).step_by(2) {
        let offset = queue.send(sent(7, first), &["a", "b"]).await;
        assert_eq!(offset, Ok(i64::from(first)));
    }
    for first in (2..12).step_by(2) {
        let again = queue.send_to(0, NOW, sent(7, first), &["a", "b"]).await;
        let again = again.unwrap();
        assert_eq!(again.range.start.0, i64::from(first));
        assert_eq!(again.log_append_time, Timestamp(1_001));
    }
    let forgotten = queue.send(sent(7, 0), &["a", "b"]).await;
    assert_eq!(forgotten, Err(ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER));
    assert_eq!(queue.send(sent(7, 12), &["c"]).await, Ok(12));
}

#[tokio::test]
async fn a_batch_that_is_not_the_next_one_is_refused() {
    let queue = Queue::start().await;
    assert_eq!(queue.send(sent(7, 0), &["a", "b"]).await, Ok(0));
    let refused = Err(ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER);
    assert_eq!(queue.send(sent(7, 3), &["d"]).await, refused, "a gap");
    let part = queue.send(sent(7, 0), &["a"]).await;
    assert_eq!(part, refused, "some numbers of one that is there");
    assert_eq!(queue.send(sent(7, 1), &["b", "c"]).await, refused);
    assert_eq!(queue.send(sent(7, 2), &["c"]).await, Ok(2));
}

#[tokio::test]
async fn the_first_batch_of_a_producer_may_have_any_number_and_producers_do_not_mix() {
    let queue = Queue::start().await;
    assert_eq!(queue.send(sent(7, 41), &["a"]).await, Ok(0));
    assert_eq!(queue.send(sent(8, 3), &["b"]).await, Ok(1));
    assert_eq!(queue.send(sent(7, 42), &["c"]).await, Ok(2));
    assert_eq!(queue.send(sent(8, 4), &["d"]).await, Ok(3));
}

#[tokio::test]
async fn numbers_begin_again_behind_the_largest_also_within_a_batch() {
    let queue = Queue::start().await;
    let wraps = sent(7, i32::MAX - 1);
    assert_eq!(queue.send(wraps, &["a", "b", "c"]).await, Ok(0));
    assert_eq!(queue.send(sent(7, 1), &["d"]).await, Ok(3));
    assert_eq!(queue.send(wraps, &["a", "b", "c"]).await, Ok(0));
    assert_eq!(queue.send(sent(8, i32::MAX), &["e"]).await, Ok(4));
    assert_eq!(queue.send(sent(8, 0), &["f"]).await, Ok(5));
}

#[tokio::test]
async fn a_new_epoch_begins_at_0_and_the_old_one_is_fenced() {
    let queue = Queue::start().await;
    assert_eq!(queue.send(sent(7, 0), &["a"]).await, Ok(0));
    let next = sent(7, 1).epoch(1);
    let refused = Err(ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER);
    assert_eq!(queue.send(next, &["b"]).await, refused);
    assert_eq!(queue.send(sent(7, 0).epoch(1), &["b"]).await, Ok(1));
    let fenced = Err(ErrorCode::INVALID_PRODUCER_EPOCH);
    assert_eq!(queue.send(sent(7, 1), &["late"]).await, fenced);
    // Also a batch that is in the log: the fence comes before the window.
    assert_eq!(queue.send(sent(7, 0), &["a"]).await, fenced);
}

#[tokio::test]
async fn a_transaction_writes_only_where_it_has_begun() {
    let queue = Queue::start().await;
    let wrong = Err(ErrorCode::INVALID_TXN_STATE);
    let first = sent(7, 0).in_transaction();
    assert_eq!(queue.send(first, &["a"]).await, wrong);
    queue.begin(7, 0).await.unwrap();
    assert_eq!(queue.send(first, &["a"]).await, Ok(0));
    assert_eq!(queue.send(sent(7, 1), &["outside"]).await, wrong);
    assert_eq!(queue.last_stable(), 0);
    queue.end(7, 0, Marker::Commit).await.unwrap();
    assert_eq!(queue.last_stable(), 2);
    let next = sent(7, 1).in_transaction();
    assert_eq!(queue.send(next, &["b"]).await, wrong);
    // One that is in the log already is recognised, whatever became of its transaction.
    assert_eq!(queue.send(first, &["a"]).await, Ok(0));
}

#[tokio::test]
async fn a_zombie_is_fenced_by_the_marker_of_its_successor() {
    let queue = Queue::start().await;
    queue.begin(7, 0).await.unwrap();
    let first = sent(7, 0).in_transaction();
    queue.send(first, &["a"]).await.unwrap();
    queue.end(7, 1, Marker::Abort).await.unwrap();
    let late = sent(7, 1).in_transaction();
    let fenced = Err(ErrorCode::INVALID_PRODUCER_EPOCH);
    assert_eq!(queue.send(late, &["late"]).await, fenced);
    assert_eq!(
        queue.begin(7, 0).await,
        Err(ErrorCode::INVALID_PRODUCER_EPOCH)
    );
    let old = queue.end(7, 0, Marker::Commit).await;
    assert_eq!(old, Err(ErrorCode::INVALID_PRODUCER_EPOCH));
}

#[tokio::test]
async fn beginning_a_transaction_fences_the_instance_before() {
    let queue = Queue::start().await;
    queue.begin(7, 0).await.unwrap();
    queue.end(7, 0, Marker::Commit).await.unwrap();
    queue.begin(7, 1).await.unwrap();
    let zombie = sent(7, 0).in_transaction();
    let fenced = Err(ErrorCode::INVALID_PRODUCER_EPOCH);
    assert_eq!(queue.send(zombie, &["late"]).await, fenced);
    assert_eq!(queue.send(zombie.epoch(1), &["a"]).await, Ok(1));
}

#[tokio::test]
async fn the_numbers_of_a_new_instance_begin_at_zero() {
    let queue = Queue::start().await;
    queue.begin(7, 0).await.unwrap();
    queue
        .send(sent(7, 0).in_transaction(), &["a", "b"])
        .await
        .unwrap();
    queue.end(7, 0, Marker::Commit).await.unwrap();
    queue.begin(7, 1).await.unwrap();
    let next = sent(7, 2).epoch(1).in_transaction();
    let gap = Err(ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER);
    assert_eq!(queue.send(next, &["c"]).await, gap);
    let first = sent(7, 0).epoch(1).in_transaction();
    assert_eq!(queue.send(first, &["c"]).await, Ok(3));
}

#[tokio::test]
async fn an_epoch_that_nobody_has_does_not_take_a_transaction_away_from_its_coordinator() {
    let queue = Queue::start().await;
    queue.begin(7, 0).await.unwrap();
    let first = sent(7, 0).in_transaction();
    let ahead = Err(ErrorCode::INVALID_PRODUCER_EPOCH);
    assert_eq!(queue.send(first.epoch(1), &["a"]).await, ahead);
    assert_eq!(queue.send(first, &["a"]).await, Ok(0));
    queue.end(7, 0, Marker::Commit).await.unwrap();
    assert_eq!(queue.last_stable(), 2);
}

#[tokio::test]
async fn a_marker_of_a_coordinator_that_was_replaced_is_refused() {
    let queue = Queue::start().await;
    queue.end_by(7, 0, Marker::Commit, 5).await.unwrap();
    let old = queue.end_by(7, 0, Marker::Commit, 4).await;
    assert_eq!(old, Err(ErrorCode::TRANSACTION_COORDINATOR_FENCED));
    queue.end_by(7, 0, Marker::Abort, 5).await.unwrap();
}

#[tokio::test]
async fn the_oldest_open_transaction_holds_readers_back() {
    let queue = Queue::start().await;
    for producer in [1, 2] {
        queue.begin(producer, 0).await.unwrap();
        let batch = sent(producer, 0).in_transaction();
        queue.send(batch, &["a"]).await.unwrap();
    }
    queue.end(2, 0, Marker::Abort).await.unwrap();
    assert_eq!(queue.last_stable(), 0);
    queue.end(1, 0, Marker::Commit).await.unwrap();
    assert_eq!(queue.last_stable(), 4);
}

#[tokio::test]
async fn operators_see_the_producers() {
    let queue = Queue::start().await;
    queue.send(sent(3, 5), &["a", "b"]).await.unwrap();
    queue.begin(4, 2).await.unwrap();
    let batch = sent(4, 0).epoch(2).in_transaction();
    queue.send(batch, &["c"]).await.unwrap();
    queue.end_by(5, 1, Marker::Abort, 9).await.unwrap();
    let described = queue.partition(0).describe_producers().await.unwrap();
    let seen: Vec<_> = described
        .iter()
        .map(|one| {
            (
                one.producer.0,
                one.epoch.0,
                one.last_sequence,
                one.coordinator_epoch,
                one.transaction_start.map(|start| start.0),
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            (3, 0, Some(6), None, None),
            (4, 2, Some(0), None, Some(2)),
            (5, 1, None, Some(9), None),
        ]
    );
    assert!(described.iter().all(|one| one.last_timestamp == NOW));
}
