//! ListOffsets (2): version 2; version 1 is a canary.

use std::sync::Arc;

use message_model::{Offset, Timestamp};
use wire_protocol::ErrorCode;
use wire_protocol::message::{
    ListOffsetsPartition, ListOffsetsPartitionResponse, ListOffsetsRequest, ListOffsetsResponse,
    ListOffsetsTopic, ListOffsetsTopicResponse,
};

use super::{find_partition, tell};
use crate::error::Error;
use crate::partition::Reader;
use crate::serving::on_blocking_pool;
use crate::topics::Topics;

/// Asks for the end that the reader sees.
const LATEST: i64 = -1;
/// Asks for the log's start.
const EARLIEST: i64 = -2;

/// Finds offsets by time, and the ends.
pub async fn list_offsets(
    topics: &Arc<Topics>,
    request: ListOffsetsRequest,
) -> ListOffsetsResponse {
    let mut partitions = request.topics.iter().flat_map(|topic| &topic.partitions);
    if partitions.all(|asked| asked.timestamp < 0) {
        return list(topics, request);
    }
    let topics = Arc::clone(topics);
    on_blocking_pool(move || list(&topics, request)).await
}

fn list(topics: &Topics, request: ListOffsetsRequest) -> ListOffsetsResponse {
    let reader = match request.isolation_level {
        1 => Reader::Committed,
        _ => Reader::Uncommitted,
    };
    answer(request, |topic, asked| {
        let partition_index = asked.partition_index;
        match find(topics, topic, asked, reader) {
            Ok((timestamp, offset)) => ListOffsetsPartitionResponse {
                partition_index,
                timestamp: timestamp.0,
                offset: offset.0,
                ..ListOffsetsPartitionResponse::default()
            },
            Err(error) => failed(partition_index, tell(topic, partition_index, &error)),
        }
    })
}

/// The timestamp and the offset of what was asked for; -1 for what there is not.
fn find(
    topics: &Topics,
    topic: &str,
    asked: &ListOffsetsPartition,
    reader: Reader,
) -> Result<(Timestamp, Offset), Error> {
    let partition = find_partition(topics, topic, asked.partition_index)?;
    match asked.timestamp {
        LATEST => Ok((Timestamp::NONE, partition.ends()?.get(reader.end()))),
        EARLIEST => Ok((Timestamp::NONE, partition.ends()?.log_start)),
        timestamp @ 0.. => {
            let found = partition.find_timestamp(reader, Timestamp(timestamp))?;
            Ok(found.unwrap_or((Timestamp::NONE, Offset(-1))))
        }
        _ => Err(Error::Rejected(ErrorCode::UNSUPPORTED_VERSION)),
    }
}

fn answer(
    request: ListOffsetsRequest,
    partition: impl Fn(&str, &ListOffsetsPartition) -> ListOffsetsPartitionResponse,
) -> ListOffsetsResponse {
    let topic = |asked: ListOffsetsTopic| ListOffsetsTopicResponse {
        partitions: asked
            .partitions
            .iter()
            .map(|one| partition(&asked.name, one))
            .collect(),
        name: asked.name,
    };
    ListOffsetsResponse {
        topics: request.topics.into_iter().map(topic).collect(),
        ..ListOffsetsResponse::default()
    }
}

fn failed(partition_index: i32, error_code: ErrorCode) -> ListOffsetsPartitionResponse {
    ListOffsetsPartitionResponse {
        partition_index,
        error_code,
        ..ListOffsetsPartitionResponse::default()
    }
}

/// Answers a version that is advertised and not served.
#[must_use]
pub fn refuse_list_offsets(request: ListOffsetsRequest) -> ListOffsetsResponse {
    answer(request, |_, asked| {
        failed(asked.partition_index, ErrorCode::UNSUPPORTED_VERSION)
    })
}
