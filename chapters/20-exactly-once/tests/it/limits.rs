//! Whatever clients make grow has a bound.

use wire_protocol::ErrorCode;

use crate::asking::init_request;
use crate::support::{Queue, Settings};

const FULL: ErrorCode = ErrorCode::POLICY_VIOLATION;

async fn start(change: impl FnOnce(&mut Settings)) -> Queue {
    let mut settings = Settings::default();
    change(&mut settings);
    Queue::start_with(settings).await
}

#[tokio::test]
async fn there_are_so_many_transactional_ids_at_most() {
    let queue = start(|settings| settings.coordinator.ids_max = 2).await;
    let x = queue.producer("x").await;
    queue.producer("y").await;
    assert_eq!(queue.init(init_request("z")).await.error_code, FULL);
    // Those that are there go on.
    assert_eq!(queue.producer("x").await.epoch, x.epoch + 1);
}

#[tokio::test]
async fn a_request_that_is_refused_leaves_no_transactional_id_behind() {
    let queue = start(|settings| settings.coordinator.ids_max = 1).await;
    queue.find_coordinator("x").await;
    let mut request = init_request("x");
    request.transaction_timeout_ms = 0;
    let refused = queue.init(request).await.error_code;
    assert_eq!(refused, ErrorCode::INVALID_TRANSACTION_TIMEOUT);
    queue.producer("y").await;
}

#[tokio::test]
async fn a_transaction_has_so_many_partitions_at_most() {
    let queue = start(|settings| settings.coordinator.transactions.partitions_max = 2).await;
    let x = queue.producer("x").await;
    assert_eq!(queue.add(&x, &[("t", &[0, 1, 2])]).await, [FULL; 3]);
    assert_eq!(queue.add(&x, &[("t", &[0, 1])]).await, [ErrorCode::NONE; 2]);
    assert_eq!(queue.add(&x, &[("t", &[0])]).await, [ErrorCode::NONE]);
    assert_eq!(queue.add(&x, &[("t", &[2])]).await, [FULL]);
}

#[tokio::test]
async fn all_transactional_ids_together_take_so_much_memory_at_most() {
    let queue = start(|settings| settings.coordinator.bytes_max = 1_200).await;
    let x = queue.producer("x").await;
    queue.producer("y").await;
    assert_eq!(queue.add(&x, &[("t", &[0])]).await, [ErrorCode::NONE]);
    assert_eq!(queue.add(&x, &[("t", &[1, 2])]).await, [FULL; 2]);
    assert_eq!(queue.end_txn(&x, true).await, ErrorCode::NONE);
    assert_eq!(queue.add(&x, &[("t", &[1, 2])]).await, [ErrorCode::NONE; 2]);
    let long = init_request(&"z".repeat(1_000));
    assert_eq!(queue.init(long).await.error_code, FULL);
}

#[tokio::test]
async fn offsets_of_groups_count_as_what_they_are() {
    let queue = start(|settings| settings.coordinator.bytes_max = 620).await;
    let x = queue.producer("x").await;
    assert_eq!(queue.add_offsets(&x, "a").await, ErrorCode::NONE);
    // Stored in another partition.
    assert_eq!(queue.add_offsets(&x, "b").await, FULL);
    assert_eq!(queue.end_txn(&x, true).await, ErrorCode::NONE);
    assert_eq!(queue.add_offsets(&x, "b").await, ErrorCode::NONE);
}
