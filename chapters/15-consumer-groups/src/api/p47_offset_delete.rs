//! OffsetDelete (47): version 0.

use std::future::Future;
use std::sync::Arc;

use message_model::{Offset, PartitionIndex, TopicName};
use wire_protocol::ErrorCode;
use wire_protocol::message::{
    OffsetDeletePartitionResponse, OffsetDeleteRequest, OffsetDeleteResponse,
    OffsetDeleteTopicResponse,
};

use super::names::check_group;
use crate::coordinator::Coordinator;
use crate::entry::Entry;
use crate::part::State;
use crate::records::Stored;
use crate::shard::Shard;
use crate::subscription::Subscribed;
use crate::topics::tombstone;
use crate::turn::Batches;

/// Deletes what a group has committed for partitions whose topics no member reads.
///
/// It is gone when this completes. The response comes when that is on disk.
pub async fn offset_delete(
    coordinator: &Coordinator,
    request: OffsetDeleteRequest,
) -> impl Future<Output = OffsetDeleteResponse> + Send + use<> {
    let deleted = delete(coordinator, &request).await;
    async move {
        let deleted = match deleted {
            Ok((response, shard, end)) => shard.durable(end).await.map(|()| response),
            Err(code) => Err(code),
        };
        deleted.unwrap_or_else(|error_code| OffsetDeleteResponse {
            error_code,
            ..OffsetDeleteResponse::default()
        })
    }
}

async fn delete(
    coordinator: &Coordinator,
    request: &OffsetDeleteRequest,
) -> Result<(OffsetDeleteResponse, Arc<Shard>, Offset), ErrorCode> {
    check_group(&request.group_id)?;
    let shard = coordinator.shard(&request.group_id)?;
    let turn = shard.turn().await?;
    let mut response = check_partitions(coordinator, request);
    let change = turn.change(Batches::Several, |state| {
        let entry = state.groups.get(&*request.group_id);
        let entry = entry.ok_or(ErrorCode::GROUP_ID_NOT_FOUND)?;
        let subscribed = Subscribed::of(&entry.group.describe());
        match entry.group.state() {
            State::Dead => return Err(ErrorCode::GROUP_ID_NOT_FOUND),
            State::Empty => {}
            // What members of another kind read is not known.
            _ if matches!(subscribed, Subscribed::Unknown { consumers: false }) => {
                return Err(ErrorCode::NON_EMPTY_GROUP);
            }
            _ => {}
        }
        let group = &request.group_id.as_str().into();
        Ok((tombstones(group, entry, &subscribed, &mut response), ()))
    });
    let ((), end) = change.await?;
    Ok((response, Arc::clone(&shard), end))
}

/// The response as far as the group does not matter: partitions that do not exist are refused.
fn check_partitions(
    coordinator: &Coordinator,
    request: &OffsetDeleteRequest,
) -> OffsetDeleteResponse {
    let topics = request.topics.iter().map(|topic| {
        let name = TopicName::new(&topic.name).ok();
        let exists = |index| {
            let topics = &coordinator.common.broker.topics;
            let name = name.as_ref();
            name.is_some_and(|name| topics.partition(name, PartitionIndex(index)).is_ok())
        };
        let partitions = topic.partitions.iter();
        OffsetDeleteTopicResponse {
            name: topic.name.clone(),
            partitions: partitions
                .map(|partition| OffsetDeletePartitionResponse {
                    partition_index: partition.partition_index,
                    error_code: match exists(partition.partition_index) {
                        true => ErrorCode::NONE,
                        false => ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
                    },
                })
                .collect(),
        }
    });
    OffsetDeleteResponse {
        topics: topics.collect(),
        ..OffsetDeleteResponse::default()
    }
}

/// Decides about the partitions that exist, and returns the tombstones.
fn tombstones(
    group: &Arc<str>,
    entry: &Entry,
    subscribed: &Subscribed,
    response: &mut OffsetDeleteResponse,
) -> Vec<Stored> {
    let mut tombstones = Vec::new();
    for topic in &mut response.topics {
        let Ok(name) = TopicName::new(&topic.name) else {
            continue;
        };
        let is_read = subscribed.reads(&topic.name);
        let is_there = |partition| {
            entry.offsets.get(&name, partition).is_some() || entry.pending.has(&name, partition)
        };
        let partitions = topic.partitions.iter_mut();
        for one in partitions.filter(|one| one.error_code == ErrorCode::NONE) {
            if is_read {
                one.error_code = ErrorCode::GROUP_SUBSCRIBED_TO_TOPIC;
            } else if is_there(one.partition_index) {
                tombstones.push(tombstone(group, &name, one.partition_index));
            }
        }
    }
    tombstones
}
