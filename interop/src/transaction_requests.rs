//! Requests of transactional producers with few words. What a function does not ask for is its
//! client's usual.

use kafka_protocol::messages::add_partitions_to_txn_request::AddPartitionsToTxnTopic;
use kafka_protocol::messages::describe_producers_request::TopicRequest;
use kafka_protocol::messages::txn_offset_commit_request::{
    TxnOffsetCommitRequestPartition, TxnOffsetCommitRequestTopic,
};
use kafka_protocol::messages::write_txn_markers_request::{
    WritableTxnMarker, WritableTxnMarkerTopic,
};
use kafka_protocol::messages::{
    AddOffsetsToTxnRequest, AddPartitionsToTxnRequest, DescribeProducersRequest,
    DescribeTransactionsRequest, EndTxnRequest, FindCoordinatorRequest, InitProducerIdRequest,
    ListTransactionsRequest, ProducerId, TransactionalId, TxnOffsetCommitRequest,
    WriteTxnMarkersRequest,
};

use crate::group_requests::group;
use crate::parity::batch::Batch;
use crate::parity::{Step, producer};
use crate::requests::{fetch_partition, fetching, listing, name, production, text};

/// How long a transaction may be open, in milliseconds.
const TIMEOUT: i32 = 60_000;
/// In the attributes of a batch that belongs to a transaction.
const TRANSACTIONAL: i16 = 0x10;
/// The kind of key that transactional ids are, to FindCoordinator.
const TRANSACTION: i8 = 1;

/// A producer id and an epoch.
pub type Instance = (i64, i16);

/// The producer that a step has numbered, in this epoch.
#[must_use]
pub fn instance(number: u8, epoch: i16) -> Instance {
    (producer(number), epoch)
}

/// A transactional id.
#[must_use]
pub fn transaction(id: &str) -> TransactionalId {
    TransactionalId(text(id))
}

/// The coordinator of one transactional id, which is served from then on.
#[must_use]
pub fn find_transaction(id: &str) -> Step {
    let request = FindCoordinatorRequest::default().with_key(text(id));
    Step::new(3, &request.with_key_type(TRANSACTION))
}

/// A producer begins, and expects to be another one's next epoch if it says whose.
#[must_use]
pub fn initialising(
    id: Option<&str>,
    timeout: i32,
    expected: Option<Instance>,
) -> InitProducerIdRequest {
    let (producer, epoch) = expected.unwrap_or((-1, -1));
    InitProducerIdRequest::default()
        .with_transactional_id(id.map(transaction))
        .with_transaction_timeout_ms(timeout)
        .with_producer_id(ProducerId(producer))
        .with_producer_epoch(epoch)
}

/// The producer `number` begins, in version 4.
#[must_use]
pub fn init(id: &str, number: u8) -> Step {
    Step::new(4, &initialising(Some(id), TIMEOUT, None)).numbers(number)
}

/// The same, recovering.
#[must_use]
pub fn recover(id: &str, number: u8, expected: Instance) -> Step {
    Step::new(4, &initialising(Some(id), TIMEOUT, Some(expected))).numbers(number)
}

/// Topics with their partitions.
pub type Topics<'a> = &'a [(&'a str, &'a [i32])];

/// Partitions are added to a transaction.
#[must_use]
pub fn adding(
    id: &str,
    (producer, epoch): Instance,
    topics: Topics<'_>,
) -> AddPartitionsToTxnRequest {
    let topics = topics.iter().map(|(topic, partitions)| {
        AddPartitionsToTxnTopic::default()
            .with_name(name(topic))
            .with_partitions(partitions.to_vec())
    });
    AddPartitionsToTxnRequest::default()
        .with_v3_and_below_transactional_id(transaction(id))
        .with_v3_and_below_producer_id(ProducerId(producer))
        .with_v3_and_below_producer_epoch(epoch)
        .with_v3_and_below_topics(topics.collect())
}

/// Partition 0 of a topic is added, in version 3.
#[must_use]
pub fn add(id: &str, producer: Instance, topic: &str) -> Step {
    Step::new(3, &adding(id, producer, &[(topic, &[0])]))
}

/// The offsets of a group are added to a transaction.
#[must_use]
pub fn adding_offsets(
    id: &str,
    (producer, epoch): Instance,
    group_id: &str,
) -> AddOffsetsToTxnRequest {
    AddOffsetsToTxnRequest::default()
        .with_transactional_id(transaction(id))
        .with_producer_id(ProducerId(producer))
        .with_producer_epoch(epoch)
        .with_group_id(group(group_id))
}

/// The same in version 3.
#[must_use]
pub fn add_offsets(id: &str, producer: Instance, group_id: &str) -> Step {
    Step::new(3, &adding_offsets(id, producer, group_id))
}

/// A transaction ends.
#[must_use]
pub fn ending(id: &str, (producer, epoch): Instance, commits: bool) -> EndTxnRequest {
    EndTxnRequest::default()
        .with_transactional_id(transaction(id))
        .with_producer_id(ProducerId(producer))
        .with_producer_epoch(epoch)
        .with_committed(commits)
}

/// The same in version 3.
#[must_use]
pub fn end(id: &str, producer: Instance, commits: bool) -> Step {
    Step::new(3, &ending(id, producer, commits))
}

/// Offsets of one topic are committed in a transaction: partition, offset and metadata.
#[must_use]
pub fn committing_offsets(
    id: &str,
    (producer, epoch): Instance,
    group_id: &str,
    topic: &str,
    offsets: &[(i32, i64, Option<&str>)],
) -> TxnOffsetCommitRequest {
    let partitions = offsets.iter().map(|(partition, offset, metadata)| {
        TxnOffsetCommitRequestPartition::default()
            .with_partition_index(*partition)
            .with_committed_offset(*offset)
            .with_committed_metadata(metadata.map(text))
    });
    TxnOffsetCommitRequest::default()
        .with_transactional_id(transaction(id))
        .with_group_id(group(group_id))
        .with_producer_id(ProducerId(producer))
        .with_producer_epoch(epoch)
        .with_topics(vec![
            TxnOffsetCommitRequestTopic::default()
                .with_name(name(topic))
                .with_partitions(partitions.collect()),
        ])
}

/// One offset of partition 0, in version 3.
#[must_use]
pub fn commit_offset(
    id: &str,
    producer: Instance,
    group_id: &str,
    topic: &str,
    offset: i64,
) -> Step {
    let offsets = [(0, offset, Some("m"))];
    Step::new(
        3,
        &committing_offsets(id, producer, group_id, topic, &offsets),
    )
}

/// A marker for partitions of one topic, as a coordinator writes it.
#[must_use]
pub fn marking(
    (producer, epoch): Instance,
    commits: bool,
    topics: Topics<'_>,
) -> WriteTxnMarkersRequest {
    let topics = topics.iter().map(|(topic, partitions)| {
        WritableTxnMarkerTopic::default()
            .with_name(name(topic))
            .with_partition_indexes(partitions.to_vec())
    });
    let marker = WritableTxnMarker::default()
        .with_producer_id(ProducerId(producer))
        .with_producer_epoch(epoch)
        .with_transaction_result(commits)
        .with_topics(topics.collect());
    WriteTxnMarkersRequest::default().with_markers(vec![marker])
}

/// The same in version 1.
#[must_use]
pub fn mark(producer: Instance, commits: bool, topics: Topics<'_>) -> Step {
    Step::new(1, &marking(producer, commits, topics))
}

/// What partitions know of their producers.
#[must_use]
pub fn describe_producers(topics: Topics<'_>) -> Step {
    let topics = topics.iter().map(|(topic, partitions)| {
        TopicRequest::default()
            .with_name(name(topic))
            .with_partition_indexes(partitions.to_vec())
    });
    Step::new(
        0,
        &DescribeProducersRequest::default().with_topics(topics.collect()),
    )
}

/// Where transactional ids are.
#[must_use]
pub fn describe_transactions(ids: &[&str]) -> Step {
    let ids = ids.iter().map(|id| transaction(id)).collect();
    Step::new(
        0,
        &DescribeTransactionsRequest::default().with_transactional_ids(ids),
    )
}

/// The transactional ids in these states, of these producers, that are open for longer.
#[must_use]
pub fn list_transactions(version: i16, states: &[&str], producers: &[i64], longer: i64) -> Step {
    let request = ListTransactionsRequest::default()
        .with_state_filters(states.iter().map(|state| text(state)).collect())
        .with_producer_id_filters(producers.iter().map(|id| ProducerId(*id)).collect())
        .with_duration_filter(longer);
    Step::new(version, &request)
}

/// A batch of a producer without a transactional id, from this sequence number on.
#[must_use]
pub fn numbered((producer, epoch): Instance, first: i32, values: &[&str]) -> Batch {
    Batch::of(values).but(|batch| batch.producer = (producer, epoch, first))
}

/// A batch of a transaction.
#[must_use]
pub fn transactional(producer: Instance, first: i32, values: &[&str]) -> Batch {
    numbered(producer, first, values).but(|batch| batch.attributes |= TRANSACTIONAL)
}

/// Produces a batch to partition 0, with acks=all and this transactional id.
#[must_use]
pub fn produce_in(version: i16, id: Option<&str>, topic: &str, batch: &Batch) -> Step {
    let bytes = batch.bytes();
    let request = production(topic, -1, &[(0, Some(&bytes))]);
    Step::new(version, &request.with_transactional_id(id.map(transaction)))
}

/// Produces one record in a transaction.
#[must_use]
pub fn write(id: &str, producer: Instance, topic: &str, sequence: i32) -> Step {
    produce_in(
        7,
        Some(id),
        topic,
        &transactional(producer, sequence, &["t"]),
    )
}

/// Fetches partition 0 from `offset` on as one who reads what is committed.
#[must_use]
pub fn fetch_committed(version: i16, topic: &str, offset: i64) -> Step {
    let request = fetching(topic, vec![fetch_partition(0, offset)]);
    Step::new(version, &request.with_isolation_level(1))
}

/// Looks up partition 0 as one who reads what is committed.
#[must_use]
pub fn list_committed(version: i16, topic: &str, timestamp: i64) -> Step {
    let request = listing(topic, &[(0, timestamp)]);
    Step::new(version, &request.with_isolation_level(1))
}
