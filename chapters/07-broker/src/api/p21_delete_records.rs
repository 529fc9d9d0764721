//! DeleteRecords (21): versions 0 to 2.

use std::collections::HashMap;
use std::time::Duration;

use futures_util::future::join_all;
use message_model::{Moment, Offset};
use networking::Peer;
use wire_protocol::ErrorCode;
use wire_protocol::message::{
    DeleteRecordsPartition, DeleteRecordsPartitionResult, DeleteRecordsRequest,
    DeleteRecordsResponse, DeleteRecordsTopic, DeleteRecordsTopicResult,
};

use super::{code_of, find_partition, first_places};
use crate::broker::Broker;
use crate::error::Error;
use crate::internal_topics::is_internal;

/// In place of an offset: the high watermark.
const HIGH_WATERMARK: i64 = -1;

/// The longest that one request may delete. What the request says is how long
/// replicas may take, and there are none.
const TIME_MAX: Duration = Duration::from_secs(60);

/// At how many partitions of one request the disk works at a time.
const AT_A_TIME: usize = 8;

/// Moves the starts of logs, so that what is below them is gone, also after a
/// power loss. Consumers below the new start are out of range.
///
/// Of several entries for a partition the last one counts, as in Kafka.
pub async fn delete_records(
    broker: &Broker,
    peer: &Peer,
    request: DeleteRecordsRequest,
) -> DeleteRecordsResponse {
    let deadline = broker.services.clock.now().plus(TIME_MAX);
    let mut topics = Vec::new();
    for DeleteRecordsTopic { name, partitions } in without_duplicates(request.topics) {
        let mut results = Vec::with_capacity(partitions.len());
        for some in partitions.chunks(AT_A_TIME) {
            tokio::task::consume_budget().await;
            let mut work = Vec::with_capacity(some.len());
            for wanted in some {
                work.push(delete_below(broker, peer, &name, wanted, deadline));
            }
            results.extend(join_all(work).await);
        }
        topics.push(DeleteRecordsTopicResult {
            name,
            partitions: results,
        });
    }
    DeleteRecordsResponse {
        topics,
        ..DeleteRecordsResponse::default()
    }
}

/// Each topic once and each partition once, where it came first. A topic without
/// partitions is not answered.
fn without_duplicates(topics: Vec<DeleteRecordsTopic>) -> Vec<DeleteRecordsTopic> {
    let numbers = first_places(topics.iter().map(|topic| topic.name.as_str()));
    let mut places: HashMap<(usize, i32), usize> = HashMap::new();
    let mut merged: Vec<DeleteRecordsTopic> = Vec::with_capacity(topics.len());
    for (number, topic) in numbers.iter().zip(topics) {
        let mut partitions = topic.partitions;
        if *number == merged.len() {
            let name = topic.name;
            let partitions = Vec::with_capacity(partitions.len());
            merged.push(DeleteRecordsTopic { name, partitions });
        } else {
            // Its place stays, so that numbers and places are the same.
            merged.push(DeleteRecordsTopic::default());
        }
        let known = &mut merged[*number].partitions;
        for one in partitions.drain(..) {
            let place = *places
                .entry((*number, one.partition_index))
                .or_insert(known.len());
            match known.get_mut(place) {
                Some(earlier) => earlier.offset = one.offset,
                None => known.push(one),
            }
        }
    }
    merged.retain(|topic| !topic.partitions.is_empty());
    merged
}

async fn delete_below(
    broker: &Broker,
    peer: &Peer,
    topic: &str,
    wanted: &DeleteRecordsPartition,
    deadline: Moment,
) -> DeleteRecordsPartitionResult {
    let partition_index = wanted.partition_index;
    let time_left = deadline.since(broker.services.clock.now());
    let moving = move_log_start(broker, topic, wanted);
    let deleted = match peer.is_gone() {
        // Also if the disk stands still: what it does not do in time it does later, or never.
        false => tokio::time::timeout(time_left, moving).await.ok(),
        true => None,
    };
    let deleted = deleted.unwrap_or(Err(Error::Rejected(ErrorCode::REQUEST_TIMED_OUT)));
    match deleted {
        Ok(low_watermark) => DeleteRecordsPartitionResult {
            partition_index,
            low_watermark: low_watermark.0,
            error_code: ErrorCode::NONE,
        },
        Err(error) => DeleteRecordsPartitionResult {
            partition_index,
            error_code: code_of(topic, partition_index, &error),
            ..DeleteRecordsPartitionResult::default()
        },
    }
}

/// The log start after it.
async fn move_log_start(
    broker: &Broker,
    topic: &str,
    wanted: &DeleteRecordsPartition,
) -> Result<Offset, Error> {
    let partition = find_partition(&broker.topics, topic, wanted.partition_index)?;
    if is_internal(topic) {
        return Err(Error::Rejected(ErrorCode::INVALID_TOPIC_EXCEPTION));
    }
    let cleanup = partition.settings().log.cleanup;
    if cleanup.compact && !cleanup.delete {
        // Its records stay until newer ones of their keys replace them.
        return Err(Error::Rejected(ErrorCode::POLICY_VIOLATION));
    }
    let high_watermark = partition.ends()?.high_watermark;
    match wanted.offset {
        HIGH_WATERMARK => partition.delete_before(high_watermark).await,
        offset @ 0.. if offset <= high_watermark.0 => partition.delete_before(Offset(offset)).await,
        _ => Err(Error::Rejected(ErrorCode::OFFSET_OUT_OF_RANGE)),
    }
}
