//! AddPartitionsToTxn (24): versions 0 to 3.

use std::future::Future;

use message_model::{PartitionIndex, TopicName, TopicPartition};
use wire_protocol::ErrorCode;
use wire_protocol::message::{
    AddPartitionsToTxnPartitionResult, AddPartitionsToTxnRequest, AddPartitionsToTxnResponse,
    AddPartitionsToTxnTopic, AddPartitionsToTxnTopicResult,
};

use super::names::{check_id, instance};
use crate::coordinator::Coordinator;
use crate::entry::cost;
use crate::parked::Parked;
use crate::refusal::fenced;

/// The first version that knows PRODUCER_FENCED.
const FENCED_SINCE: i16 = 2;

/// Adds partitions to the open transaction of a producer; the first ones begin it.
///
/// All of them are added, or none. The response comes when that is on disk and the partitions
/// know it.
// ANCHOR: add_partitions_to_txn
pub fn add_partitions_to_txn(
    coordinator: &Coordinator,
    version: i16,
    request: AddPartitionsToTxnRequest,
) -> impl Future<Output = AddPartitionsToTxnResponse> + Send + use<> {
    let found = match is_too_long(coordinator, &request.topics) {
        true => Err(Vec::new()),
        false => find(coordinator, &request.topics),
    };
    let parked = match &found {
        Ok(partitions) => park(coordinator, &request, partitions),
        Err(unknown) if unknown.is_empty() => Err(ErrorCode::POLICY_VIOLATION),
        // One that does not exist has a code of its own.
        Err(_) => check_id(&request.transactional_id).and(Err(ErrorCode::OPERATION_NOT_ATTEMPTED)),
    };
    async move {
        let code = match parked {
            Ok(parked) => parked.answer(fenced(version, FENCED_SINCE)).await.err(),
            Err(code) => Some(code),
        };
        encode(
            request.topics,
            code.unwrap_or(ErrorCode::NONE),
            &found.err().unwrap_or_default(),
        )
    }
}
// ANCHOR_END: add_partitions_to_txn

fn park(
    coordinator: &Coordinator,
    request: &AddPartitionsToTxnRequest,
    partitions: &[TopicPartition],
) -> Result<Parked, ErrorCode> {
    let id = &request.transactional_id;
    check_id(id)?;
    let shard = coordinator.shard(id)?;
    let bytes = partitions.iter().map(|one| cost(one.topic.as_str())).sum();
    if !coordinator.common.room.has_bytes(bytes) {
        return Err(ErrorCode::POLICY_VIOLATION);
    }
    let producer = instance(request.producer_id, request.producer_epoch);
    shard.park(id, false, |transactions, now, call| {
        transactions.add_partitions(now, call, producer, partitions.to_vec())
    })
}

/// Whether a request has more partitions than a transaction may: then nothing is looked up.
fn is_too_long(coordinator: &Coordinator, topics: &[AddPartitionsToTxnTopic]) -> bool {
    let partitions: usize = topics.iter().map(|topic| topic.partitions.len()).sum();
    partitions > coordinator.common.of_transactions.partitions_max
}

/// Returns the partitions of a request.
///
/// # Errors
/// The places of those that do not exist: topic and partition in the request.
fn find(
    coordinator: &Coordinator,
    topics: &[AddPartitionsToTxnTopic],
) -> Result<Vec<TopicPartition>, Vec<(usize, usize)>> {
    let (mut found, mut unknown) = (Vec::new(), Vec::new());
    for (at, topic) in topics.iter().enumerate() {
        let name = TopicName::new(&topic.name).ok();
        for (index, partition) in topic.partitions.iter().enumerate() {
            let partition = name.clone().map(|topic| TopicPartition {
                topic,
                partition: PartitionIndex(*partition),
            });
            match partition.filter(|one| coordinator.common.partition(one).is_ok()) {
                Some(partition) => found.push(partition),
                None => unknown.push((at, index)),
            }
        }
    }
    match unknown.is_empty() {
        true => Ok(found),
        false => Err(unknown),
    }
}

/// The response with `code` for all partitions but those that do not exist. It is made where
/// the request was, so that it takes no memory of its own.
fn encode(
    topics: Vec<AddPartitionsToTxnTopic>,
    code: ErrorCode,
    unknown: &[(usize, usize)],
) -> AddPartitionsToTxnResponse {
    let results = topics
        .into_iter()
        .map(|topic| AddPartitionsToTxnTopicResult {
            results_by_partition: topic
                .partitions
                .into_iter()
                .map(|partition_index| AddPartitionsToTxnPartitionResult {
                    partition_index,
                    partition_error_code: code,
                })
                .collect(),
            name: topic.name,
        });
    let mut results_by_topic: Vec<_> = results.collect();
    if code == ErrorCode::OPERATION_NOT_ATTEMPTED {
        for (topic, partition) in unknown {
            let topic: &mut AddPartitionsToTxnTopicResult = &mut results_by_topic[*topic];
            topic.results_by_partition[*partition].partition_error_code =
                ErrorCode::UNKNOWN_TOPIC_OR_PARTITION;
        }
    }
    AddPartitionsToTxnResponse {
        results_by_topic,
        ..AddPartitionsToTxnResponse::default()
    }
}
