//! ListOffsets (2): versions 1 to 9.

use std::collections::HashMap;

use message_model::{Offset, Timestamp};
use wire_protocol::ErrorCode;
use wire_protocol::message::{
    ListOffsetsPartition, ListOffsetsPartitionResponse, ListOffsetsRequest, ListOffsetsResponse,
    ListOffsetsTopicResponse,
};

use super::{code_of, find_partition, first_places};
use crate::broker::Broker;
use crate::error::Error;
use crate::partition::{Partition, Reader};

/// Asks for the end that the reader sees.
const LATEST: i64 = -1;
/// Asks for the log's start.
const EARLIEST: i64 = -2;
/// Asks for the first record with the largest timestamp; from version 7 on.
const LARGEST: i64 = -3;
/// Asks for the start of what is on this broker's own disk; from version 8 on.
const EARLIEST_LOCAL: i64 = -4;
/// Asks for the last offset on remote storage; from version 9 on.
const LATEST_REMOTE: i64 = -5;

/// The first version whose answer has leader epochs.
const EPOCH_SINCE: i16 = 4;

/// Offsets by time, and the ends. A partition that is named twice is refused, as in Kafka.
pub async fn list_offsets(
    broker: &Broker,
    version: i16,
    request: ListOffsetsRequest,
) -> ListOffsetsResponse {
    let reader = match request.isolation_level {
        1 => Reader::Committed,
        _ => Reader::Uncommitted,
    };
    let numbers = first_places(request.topics.iter().map(|topic| topic.name.as_str()));
    let mut times: HashMap<(usize, i32), usize> = HashMap::new();
    for (number, topic) in numbers.iter().zip(&request.topics) {
        for wanted in &topic.partitions {
            let key = (*number, wanted.partition_index);
            *times.entry(key).or_default() += 1;
        }
    }
    let mut topics = Vec::with_capacity(request.topics.len());
    for (number, topic) in numbers.into_iter().zip(request.topics) {
        let mut partitions = Vec::with_capacity(topic.partitions.len());
        for wanted in topic.partitions {
            tokio::task::consume_budget().await;
            let key = (number, wanted.partition_index);
            let found = match times.get_mut(&key) {
                // One answer for a partition, however often it comes.
                Some(0) => continue,
                Some(times) if *times > 1 => {
                    *times = 0;
                    Err(Error::Rejected(ErrorCode::INVALID_REQUEST))
                }
                _ if !has_time(version, wanted.timestamp) => {
                    Err(Error::Rejected(ErrorCode::UNSUPPORTED_VERSION))
                }
                _ => find(broker, &topic.name, &wanted, reader).await,
            };
            let mut answer = encode(&topic.name, &wanted, found);
            if version < EPOCH_SINCE {
                answer.leader_epoch = -1;
            }
            partitions.push(answer);
        }
        topics.push(ListOffsetsTopicResponse {
            name: topic.name,
            partitions,
        });
    }
    ListOffsetsResponse {
        topics,
        ..ListOffsetsResponse::default()
    }
}

/// Whether a request of this version can ask for this time.
fn has_time(version: i16, timestamp: i64) -> bool {
    let since = match timestamp {
        LATEST | EARLIEST | 0.. => 1,
        LARGEST => 7,
        EARLIEST_LOCAL => 8,
        LATEST_REMOTE => 9,
        _ => return false,
    };
    version >= since
}

/// What was asked for.
struct Listed {
    /// -1: of no record.
    timestamp: Timestamp,
    offset: Offset,
    /// -1: there is no record.
    leader_epoch: i32,
}

/// The offset that is wanted; -1 for what does not exist.
async fn find(
    broker: &Broker,
    topic: &str,
    wanted: &ListOffsetsPartition,
    reader: Reader,
) -> Result<Listed, Error> {
    let partition = find_partition(&broker.topics, topic, wanted.partition_index)?;
    partition.check_epoch(wanted.current_leader_epoch)?;
    let leader_epoch = partition.leader_epoch()?.0;
    let end = |offset| Listed {
        timestamp: Timestamp::NONE,
        offset,
        leader_epoch,
    };
    let found = match wanted.timestamp {
        LATEST => return Ok(end(partition.ends()?.get(reader.end()))),
        EARLIEST | EARLIEST_LOCAL => return Ok(end(partition.ends()?.log_start)),
        LARGEST => largest(&partition, reader).await?,
        // There is no remote storage.
        LATEST_REMOTE => None,
        timestamp => {
            partition
                .find_timestamp(reader, Timestamp(timestamp))
                .await?
        }
    };
    Ok(found.map_or(
        Listed {
            leader_epoch: -1,
            ..end(Offset(-1))
        },
        |(timestamp, offset)| Listed {
            timestamp,
            ..end(offset)
        },
    ))
}

/// The first record with the largest timestamp. Halves what may be the timestamp
/// until it is known, so at most 64 look-ups.
async fn largest(
    partition: &Partition,
    reader: Reader,
) -> Result<Option<(Timestamp, Offset)>, Error> {
    let mut found = partition.find_timestamp(reader, Timestamp(0)).await?;
    // No record has this timestamp or a later one.
    let mut beyond = i64::MAX;
    while let Some((Timestamp(newest), _)) = found
        && newest + 1 < beyond
    {
        let middle = newest + (beyond - newest) / 2;
        match partition.find_timestamp(reader, Timestamp(middle)).await? {
            None => beyond = middle,
            later => found = later,
        }
    }
    Ok(found)
}

fn encode(
    topic: &str,
    wanted: &ListOffsetsPartition,
    found: Result<Listed, Error>,
) -> ListOffsetsPartitionResponse {
    let partition_index = wanted.partition_index;
    match found {
        Ok(listed) => ListOffsetsPartitionResponse {
            partition_index,
            timestamp: listed.timestamp.0,
            offset: listed.offset.0,
            leader_epoch: listed.leader_epoch,
            ..ListOffsetsPartitionResponse::default()
        },
        Err(error) => ListOffsetsPartitionResponse {
            partition_index,
            error_code: code_of(topic, partition_index, &error),
            ..ListOffsetsPartitionResponse::default()
        },
    }
}
