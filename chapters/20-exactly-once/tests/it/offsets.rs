//! Offsets that a transaction commits for a group.

use consumer_groups::api as groups;
use wire_protocol::ErrorCode;
use wire_protocol::message::{
    FindCoordinatorRequest, HeartbeatRequest, OffsetCommitPartition, OffsetCommitRequest,
    OffsetCommitTopic, OffsetFetchGroup, OffsetFetchRequest, OffsetFetchTopic,
    TxnOffsetCommitRequest, TxnOffsetCommitRequestPartition, TxnOffsetCommitRequestTopic,
};

use crate::asking::Producer;
use crate::support::{Queue, name};

const NONE: ErrorCode = ErrorCode::NONE;
const UNSTABLE: ErrorCode = ErrorCode::UNSTABLE_OFFSET_COMMIT;
const GROUP: &str = "g";

fn request(producer: &Producer, offset: i64) -> TxnOffsetCommitRequest {
    TxnOffsetCommitRequest {
        transactional_id: producer.transactional_id.clone(),
        group_id: GROUP.to_owned(),
        producer_id: producer.id,
        producer_epoch: producer.epoch,
        topics: vec![TxnOffsetCommitRequestTopic {
            name: "t".to_owned(),
            partitions: vec![TxnOffsetCommitRequestPartition {
                partition_index: 1,
                committed_offset: offset,
                committed_metadata: Some("m".to_owned()),
                ..TxnOffsetCommitRequestPartition::default()
            }],
        }],
        ..TxnOffsetCommitRequest::default()
    }
}

async fn send(queue: &Queue, request: TxnOffsetCommitRequest) -> ErrorCode {
    let committed = groups::txn_offset_commit(&queue.groups, request)
        .await
        .await;
    committed.topics[0].partitions[0].error_code
}

/// Commits `offset` of partition 1 of `t` in the transaction.
async fn commit(queue: &Queue, producer: &Producer, offset: i64) -> ErrorCode {
    send(queue, request(producer, offset)).await
}

/// Commits it outside of any transaction.
async fn commit_outside(queue: &Queue, offset: i64) {
    let request = OffsetCommitRequest {
        group_id: GROUP.to_owned(),
        generation_id: -1,
        topics: vec![OffsetCommitTopic {
            name: "t".to_owned(),
            partitions: vec![OffsetCommitPartition {
                partition_index: 1,
                committed_offset: offset,
                ..OffsetCommitPartition::default()
            }],
        }],
        ..OffsetCommitRequest::default()
    };
    let committed = groups::offset_commit(&queue.groups, request).await.await;
    assert_eq!(committed.topics[0].partitions[0].error_code, NONE);
}

/// What is committed of partition 1 of `t`.
async fn fetch(queue: &Queue, require_stable: bool) -> (i64, ErrorCode) {
    let request = OffsetFetchRequest {
        require_stable,
        groups: vec![OffsetFetchGroup {
            group_id: GROUP.to_owned(),
            topics: Some(vec![OffsetFetchTopic {
                name: "t".to_owned(),
                partition_indexes: vec![1],
            }]),
        }],
        ..OffsetFetchRequest::default()
    };
    let fetched = groups::offset_fetch(&queue.groups, 8, request).await;
    let one = &fetched.groups[0].topics[0].partitions[0];
    (one.committed_offset, one.error_code)
}

/// A producer whose transaction has the group's offsets.
async fn in_transaction(queue: &Queue) -> Producer {
    let request = FindCoordinatorRequest {
        key: GROUP.to_owned(),
        ..FindCoordinatorRequest::default()
    };
    let found = groups::find_coordinator(&queue.groups, 2, request).await;
    assert_eq!(found.error_code, NONE);
    let producer = queue.producer("x").await;
    assert_eq!(queue.add_offsets(&producer, GROUP).await, NONE);
    producer
}

#[tokio::test]
async fn they_count_when_the_transaction_commits() {
    let queue = Queue::start().await;
    let producer = in_transaction(&queue).await;
    commit_outside(&queue, 3).await;
    assert_eq!(commit(&queue, &producer, 7).await, NONE);
    assert_eq!(fetch(&queue, false).await, (3, NONE));
    assert_eq!(fetch(&queue, true).await, (-1, UNSTABLE));
    assert_eq!(queue.end_txn(&producer, true).await, NONE);
    assert_eq!(fetch(&queue, true).await, (7, NONE));
}

#[tokio::test]
async fn a_group_that_has_nothing_else_is_not_forgotten_meanwhile() {
    let queue = Queue::start().await;
    let producer = in_transaction(&queue).await;
    assert_eq!(commit(&queue, &producer, 7).await, NONE);
    let stranger = HeartbeatRequest {
        group_id: GROUP.to_owned(),
        member_id: "m".to_owned(),
        ..HeartbeatRequest::default()
    };
    let beaten = groups::heartbeat(&queue.groups, &stranger).error_code;
    assert_eq!(beaten, ErrorCode::UNKNOWN_MEMBER_ID);
    assert_eq!(queue.end_txn(&producer, true).await, NONE);
    assert_eq!(fetch(&queue, true).await, (7, NONE));
}

#[tokio::test]
async fn they_are_forgotten_when_it_aborts() {
    let queue = Queue::start().await;
    let producer = in_transaction(&queue).await;
    assert_eq!(commit(&queue, &producer, 7).await, NONE);
    assert_eq!(queue.end_txn(&producer, false).await, NONE);
    assert_eq!(fetch(&queue, true).await, (-1, NONE));
    // And so they are after a restart.
    let queue = queue.after_power_failure().await;
    assert_eq!(fetch(&queue, true).await, (-1, NONE));
}

#[tokio::test]
async fn they_survive_a_crash_open_and_committed() {
    let queue = Queue::start().await;
    let producer = in_transaction(&queue).await;
    commit_outside(&queue, 3).await;
    assert_eq!(commit(&queue, &producer, 7).await, NONE);
    let queue = queue.after_power_failure().await;
    assert_eq!(fetch(&queue, false).await, (3, NONE));
    assert_eq!(fetch(&queue, true).await, (-1, UNSTABLE));
    assert_eq!(queue.end_txn(&producer, true).await, NONE);
    let queue = queue.after_power_failure().await;
    assert_eq!(fetch(&queue, true).await, (7, NONE));
}

#[tokio::test]
async fn a_commit_behind_them_in_the_log_stays_also_after_a_restart() {
    let queue = Queue::start().await;
    let producer = in_transaction(&queue).await;
    assert_eq!(commit(&queue, &producer, 7).await, NONE);
    commit_outside(&queue, 9).await;
    assert_eq!(queue.end_txn(&producer, true).await, NONE);
    assert_eq!(fetch(&queue, true).await, (9, NONE));
    let queue = queue.after_power_failure().await;
    assert_eq!(fetch(&queue, true).await, (9, NONE));
}

#[tokio::test]
async fn the_group_must_be_in_the_transaction() {
    let queue = Queue::start().await;
    let producer = in_transaction(&queue).await;
    assert_eq!(queue.end_txn(&producer, true).await, NONE);
    let refused = commit(&queue, &producer, 7).await;
    assert_eq!(refused, ErrorCode::INVALID_TXN_STATE);
    let next = queue.producer("x").await;
    assert_eq!(queue.add_offsets(&next, GROUP).await, NONE);
    let zombie = commit(&queue, &producer, 7).await;
    assert_eq!(zombie, ErrorCode::INVALID_PRODUCER_EPOCH);
    assert_eq!(fetch(&queue, true).await, (-1, NONE));
}

#[tokio::test]
async fn names_that_cannot_be_are_refused() {
    let queue = Queue::start().await;
    let producer = in_transaction(&queue).await;
    let nameless = TxnOffsetCommitRequest {
        group_id: String::new(),
        ..request(&producer, 7)
    };
    assert_eq!(send(&queue, nameless).await, ErrorCode::INVALID_GROUP_ID);
    let no_producer = TxnOffsetCommitRequest {
        producer_id: -1,
        ..request(&producer, 7)
    };
    let mapping = ErrorCode::INVALID_PRODUCER_ID_MAPPING;
    assert_eq!(send(&queue, no_producer).await, mapping);
    let member = TxnOffsetCommitRequest {
        generation_id: 4,
        member_id: "m".to_owned(),
        ..request(&producer, 7)
    };
    assert_eq!(send(&queue, member).await, ErrorCode::ILLEGAL_GENERATION);
}

#[tokio::test]
async fn the_topic_of_offsets_is_deleted_and_holds_no_transaction_up() {
    let queue = Queue::start().await;
    let producer = queue.producer("x").await;
    let topics = &queue.broker.topics;
    let offsets = name("__consumer_offsets");
    // Somebody makes it again meanwhile, or nobody does.
    for is_there in [false, true] {
        assert_eq!(queue.add_offsets(&producer, GROUP).await, NONE);
        assert_eq!(commit(&queue, &producer, 5).await, NONE);
        topics.delete(&offsets).await.unwrap();
        if is_there {
            let made = topics.create(&offsets, 1, topics.new_config()).await;
            made.unwrap();
        }
        assert_eq!(queue.end_txn(&producer, true).await, NONE);
        assert_eq!(queue.state("x"), "CompleteCommit");
    }
    assert_eq!(queue.add_offsets(&producer, GROUP).await, NONE);
    assert_eq!(fetch(&queue, false).await, (-1, NONE));
    assert_eq!(commit(&queue, &producer, 6).await, NONE);
    assert_eq!(queue.end_txn(&producer, true).await, NONE);
    assert_eq!(fetch(&queue, true).await, (6, NONE));
}
