//! Offsets of transactions that are open, when something deletes what they are for.

use std::sync::Arc;
use std::time::Duration;

use broker::Partition;
use consumer_groups::{GroupSettings, Stored, api};
use message_model::{Moment, ProducerEpoch, ProducerId};
use record_batch::{BatchHeader, EndTransaction, Marker, decode_records};
use wire_protocol::ErrorCode;
use wire_protocol::message::{
    DeleteGroupsRequest, OffsetDeletePartition, OffsetDeleteRequest, OffsetDeleteTopic,
    TxnOffsetCommitRequest, TxnOffsetCommitRequestPartition, TxnOffsetCommitRequestTopic,
};

use crate::support::{Queue, SIMPLE, commit_request, name, settings};

const GROUP: &str = "g";
const EPOCH: ProducerEpoch = ProducerEpoch(0);

/// The partition in which the group is stored.
async fn partition(queue: &Queue) -> Arc<Partition> {
    let of_group = queue.groups.offsets_partition(GROUP).await.unwrap();
    let topic = queue.broker.offsets_topic().unwrap();
    Arc::clone(&topic.partitions[of_group.partition.0 as usize])
}

/// The producer's transaction has the group's offsets from now on.
async fn begin(queue: &Queue, producer: ProducerId) {
    let now = queue.broker.services.clock.wall();
    let partition = partition(queue).await;
    let begun = partition.begin_transaction(now, producer, EPOCH).await;
    begun.unwrap();
}

/// The last record of partition 0 of `t` in the log, which is the one that a pass of the
/// compaction keeps.
async fn newest_record(queue: &Queue) -> Option<Stored> {
    let mut newest = None;
    let take = |_, header: &BatchHeader, batch: &[u8]| {
        if !header.is_control() {
            for record in decode_records(batch)? {
                let stored = Stored::decode(record.key, record.value).unwrap();
                if matches!(&stored, Stored::Offset { .. }) {
                    newest = Some(stored);
                }
            }
        }
        Ok(())
    };
    partition(queue).await.read_all(take).await.unwrap();
    newest
}

/// Commits `offset` of partition 0 of `t` in the producer's transaction.
async fn commit(queue: &Queue, producer: ProducerId, offset: i64) {
    let request = TxnOffsetCommitRequest {
        group_id: GROUP.to_owned(),
        producer_id: producer.0,
        producer_epoch: EPOCH.0,
        topics: vec![TxnOffsetCommitRequestTopic {
            name: "t".to_owned(),
            partitions: vec![TxnOffsetCommitRequestPartition {
                partition_index: 0,
                committed_offset: offset,
                ..TxnOffsetCommitRequestPartition::default()
            }],
        }],
        ..TxnOffsetCommitRequest::default()
    };
    let committed = api::txn_offset_commit(&queue.groups, request).await.await;
    let code = committed.topics[0].partitions[0].error_code;
    assert_eq!(code, ErrorCode::NONE);
}

async fn end(queue: &Queue, producer: ProducerId, marker: Marker) {
    let of_group = queue.groups.offsets_partition(GROUP).await.unwrap();
    let end = EndTransaction {
        marker,
        coordinator_epoch: 0,
    };
    let groups = &queue.groups;
    let ended = groups.end_transaction(of_group.partition, producer, EPOCH, end);
    let (partition, written) = ended.await.unwrap();
    let no_deadline = Moment::after_start(Duration::MAX);
    partition.durable(written, no_deadline).await.unwrap();
}

async fn create_t(queue: &Queue) {
    let topics = &queue.broker.topics;
    let created = topics.create(&name("t"), 4, topics.new_config()).await;
    created.unwrap();
}

/// Deletes `t` and what is committed for it, and creates it again.
async fn replace_t(queue: &Queue) {
    queue.broker.topics.delete(&name("t")).await.unwrap();
    queue.groups.forget_topics(&[name("t")]).await;
    create_t(queue).await;
}

fn t(offset: i64) -> [(String, i32, i64); 1] {
    [("t".to_owned(), 0, offset)]
}

/// What is committed is `expected`, here and after a power failure.
async fn assert_committed(queue: &Queue, expected: &[(String, i32, i64)]) {
    assert_eq!(queue.committed(GROUP).await, expected);
    let restarted = queue.after_power_failure().await;
    assert_eq!(restarted.committed(GROUP).await, expected, "restarted");
}

const ONE: ProducerId = ProducerId(1);
const OTHER: ProducerId = ProducerId(2);

#[tokio::test]
async fn those_of_a_deleted_topic_do_not_count_for_a_new_one_of_its_name() {
    // With a committed offset before, and without.
    for before in [false, true] {
        let queue = Queue::start().await;
        if before {
            queue.commit(GROUP, SIMPLE, &[(0, 3)]).await;
        }
        begin(&queue, ONE).await;
        commit(&queue, ONE, 7).await;
        replace_t(&queue).await;
        end(&queue, ONE, Marker::Commit).await;
        assert_committed(&queue, &[]).await;
    }
}

#[tokio::test]
async fn a_power_failure_before_the_transaction_ends_does_not_bring_them_back() {
    let queue = Queue::start().await;
    begin(&queue, ONE).await;
    commit(&queue, ONE, 7).await;
    replace_t(&queue).await;
    let restarted = queue.after_power_failure().await;
    end(&restarted, ONE, Marker::Commit).await;
    assert_committed(&restarted, &[]).await;
}

#[tokio::test]
async fn a_power_failure_before_they_are_forgotten_does_not_bring_them_back() {
    let queue = Queue::start().await;
    begin(&queue, ONE).await;
    commit(&queue, ONE, 7).await;
    queue.broker.topics.delete(&name("t")).await.unwrap();
    let restarted = queue.after_power_failure().await;
    create_t(&restarted).await;
    end(&restarted, ONE, Marker::Commit).await;
    assert_committed(&restarted, &[]).await;
}

#[tokio::test]
async fn what_is_committed_for_the_new_topic_counts() {
    for (again, expected) in [(ONE, 2), (OTHER, 2)] {
        let queue = Queue::start().await;
        begin(&queue, ONE).await;
        begin(&queue, OTHER).await;
        commit(&queue, ONE, 7).await;
        commit(&queue, OTHER, 8).await;
        replace_t(&queue).await;
        commit(&queue, again, expected).await;
        end(&queue, OTHER, Marker::Commit).await;
        end(&queue, ONE, Marker::Commit).await;
        assert_committed(&queue, &t(expected)).await;
    }
    // Outside of a transaction, too.
    let queue = Queue::start().await;
    begin(&queue, ONE).await;
    commit(&queue, ONE, 7).await;
    replace_t(&queue).await;
    queue.commit(GROUP, SIMPLE, &[(0, 1)]).await;
    end(&queue, ONE, Marker::Commit).await;
    assert_committed(&queue, &t(1)).await;
}

#[tokio::test]
async fn those_of_other_topics_count() {
    let queue = Queue::start().await;
    let (topics, u) = (&queue.broker.topics, name("u"));
    let created = topics.create(&u, 1, topics.new_config()).await;
    created.unwrap();
    let request = commit_request(GROUP, SIMPLE, "u", &[(0, 3)]);
    api::offset_commit(&queue.groups, request).await.await;
    begin(&queue, ONE).await;
    commit(&queue, ONE, 7).await;
    topics.delete(&u).await.unwrap();
    queue.groups.forget_topics(&[u]).await;
    end(&queue, ONE, Marker::Commit).await;
    assert_committed(&queue, &t(7)).await;
}

#[tokio::test]
async fn an_operator_deletes_them_with_the_offset() {
    let queue = Queue::start().await;
    begin(&queue, ONE).await;
    commit(&queue, ONE, 7).await;
    let request = OffsetDeleteRequest {
        group_id: GROUP.to_owned(),
        topics: vec![OffsetDeleteTopic {
            name: "t".to_owned(),
            partitions: vec![OffsetDeletePartition { partition_index: 0 }],
        }],
    };
    let deleted = api::offset_delete(&queue.groups, request).await.await;
    assert_eq!(deleted.error_code, ErrorCode::NONE);
    end(&queue, ONE, Marker::Commit).await;
    assert_committed(&queue, &[]).await;
}

#[tokio::test]
async fn they_go_with_their_group() {
    let queue = Queue::start().await;
    begin(&queue, ONE).await;
    commit(&queue, ONE, 7).await;
    let request = DeleteGroupsRequest {
        groups_names: vec![GROUP.to_owned()],
    };
    let deleted = api::delete_groups(&queue.groups, request).await.await;
    assert_eq!(deleted.results[0].error_code, ErrorCode::NONE);
    // The record that says that the group is deleted is not kept for ever.
    let tombstone = Stored::Offset {
        group: GROUP.into(),
        topic: name("t"),
        partition: 0,
        value: None,
    };
    assert_eq!(newest_record(&queue).await, Some(tombstone));
    end(&queue, ONE, Marker::Commit).await;
    assert_committed(&queue, &[]).await;
}

/// What was committed before may be as old as it likes: its place is about to be taken.
#[tokio::test]
async fn an_offset_does_not_expire_while_a_transaction_is_to_replace_it() {
    let queue = Queue::start_with(GroupSettings {
        retention: Duration::ZERO,
        retention_check_interval: Duration::from_millis(1),
        ..settings()
    })
    .await;
    queue.commit(GROUP, SIMPLE, &[(0, 3)]).await;
    begin(&queue, ONE).await;
    commit(&queue, ONE, 7).await;
    // Of these some are looked at behind the group, in whatever order that is.
    let others: Vec<_> = (0..20).map(|number| format!("z{number}")).collect();
    for other in &others {
        queue.commit(other, SIMPLE, &[(0, 1)]).await;
    }
    let groups = Arc::clone(&queue.groups);
    let expiring = tokio::spawn(async move { groups.expire_offsets().await });
    for other in &others {
        while !queue.committed(other).await.is_empty() {
            tokio::task::yield_now().await;
        }
    }
    expiring.abort();
    assert_eq!(queue.committed(GROUP).await, t(3));
    end(&queue, ONE, Marker::Commit).await;
    assert_committed(&queue, &t(7)).await;
}
