//! OffsetForLeaderEpoch (23): versions 2 to 4.

use message_model::Offset;
use wire_protocol::message::{
    EpochEndOffset, OffsetForLeaderEpochPartition, OffsetForLeaderEpochRequest,
    OffsetForLeaderEpochResponse, OffsetForLeaderEpochTopicResult,
};

use super::{code_of, find_partition};
use crate::broker::Broker;
use crate::error::Error;
use crate::partition::Partition;

/// Where the records of the leaders' epochs end, so that a client finds out how far
/// its log and the leader's are the same.
pub async fn offset_for_leader_epoch(
    broker: &Broker,
    request: OffsetForLeaderEpochRequest,
) -> OffsetForLeaderEpochResponse {
    let mut topics = Vec::with_capacity(request.topics.len());
    for topic in request.topics {
        let mut partitions = Vec::with_capacity(topic.partitions.len());
        for wanted in &topic.partitions {
            tokio::task::consume_budget().await;
            partitions.push(describe(broker, &topic.topic, wanted));
        }
        topics.push(OffsetForLeaderEpochTopicResult {
            topic: topic.topic,
            partitions,
        });
    }
    OffsetForLeaderEpochResponse {
        topics,
        ..OffsetForLeaderEpochResponse::default()
    }
}

fn describe(
    broker: &Broker,
    topic: &str,
    wanted: &OffsetForLeaderEpochPartition,
) -> EpochEndOffset {
    let partition = wanted.partition;
    let nothing = EpochEndOffset {
        partition,
        ..EpochEndOffset::default()
    };
    let found = find_partition(&broker.topics, topic, partition).and_then(|found| {
        found.check_epoch(wanted.current_leader_epoch)?;
        end_of_epoch(&found, wanted.leader_epoch)
    });
    match found {
        Ok(Some((leader_epoch, end))) => EpochEndOffset {
            leader_epoch,
            end_offset: end.0,
            ..nothing
        },
        Ok(None) => nothing,
        Err(error) => EpochEndOffset {
            error_code: code_of(topic, partition, &error),
            ..nothing
        },
    }
}

/// The latest epoch of the log that is not above `epoch`, and the first offset behind
/// its records; `None` when nothing can be said of `epoch`: it is -1, or the leader's
/// is below it.
///
/// A broker alone has led since the first record, so all records are of its epoch.
pub(super) fn end_of_epoch(
    partition: &Partition,
    epoch: i32,
) -> Result<Option<(i32, Offset)>, Error> {
    let ours = partition.leader_epoch()?.0;
    let ends = partition.ends()?;
    Ok(match epoch {
        -1 => None,
        _ if epoch > ours => None,
        _ if epoch == ours => Some((ours, ends.log_end)),
        // Older than all records: the first of them is where it ends.
        _ => Some((epoch, ends.log_start)),
    })
}
