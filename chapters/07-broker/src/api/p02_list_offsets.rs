//! ListOffsets (2): versions 1 to 3.

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
use crate::partition::Reader;

/// Asks for the end that the reader sees.
const LATEST: i64 = -1;
/// Asks for the log's start.
const EARLIEST: i64 = -2;

/// Offsets by time, and the ends. A partition that is named twice is refused, as in Kafka.
pub async fn list_offsets(broker: &Broker, request: ListOffsetsRequest) -> ListOffsetsResponse {
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
                _ => find(broker, &topic.name, &wanted, reader).await,
            };
            partitions.push(encode(&topic.name, &wanted, found));
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

/// The timestamp and the offset that are wanted; -1 for what does not exist.
async fn find(
    broker: &Broker,
    topic: &str,
    wanted: &ListOffsetsPartition,
    reader: Reader,
) -> Result<(Timestamp, Offset), Error> {
    let partition = find_partition(&broker.topics, topic, wanted.partition_index)?;
    match wanted.timestamp {
        LATEST => Ok((Timestamp::NONE, partition.ends()?.get(reader.end()))),
        EARLIEST => Ok((Timestamp::NONE, partition.ends()?.log_start)),
        timestamp @ 0.. => {
            let found = partition
                .find_timestamp(reader, Timestamp(timestamp))
                .await?;
            Ok(found.unwrap_or((Timestamp::NONE, Offset(-1))))
        }
        _ => Err(Error::Rejected(ErrorCode::UNSUPPORTED_VERSION)),
    }
}

fn encode(
    topic: &str,
    wanted: &ListOffsetsPartition,
    found: Result<(Timestamp, Offset), Error>,
) -> ListOffsetsPartitionResponse {
    let partition_index = wanted.partition_index;
    match found {
        Ok((timestamp, offset)) => ListOffsetsPartitionResponse {
            partition_index,
            timestamp: timestamp.0,
            offset: offset.0,
            ..ListOffsetsPartitionResponse::default()
        },
        Err(error) => ListOffsetsPartitionResponse {
            partition_index,
            error_code: code_of(topic, partition_index, &error),
            ..ListOffsetsPartitionResponse::default()
        },
    }
}
