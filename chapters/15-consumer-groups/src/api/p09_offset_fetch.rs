//! OffsetFetch (9): versions 1 to 8.

use std::future::Future;
use std::sync::Arc;

use message_model::{Offset, TopicName};
use wire_protocol::ErrorCode;
use wire_protocol::message::{
    OffsetFetchGroup, OffsetFetchGroupResponse, OffsetFetchPartitionResponse, OffsetFetchRequest,
    OffsetFetchResponse, OffsetFetchTopic, OffsetFetchTopicResponse,
};

use super::names::ANSWERED_MAX;
use crate::coordinator::Coordinator;
use crate::entry::Entry;
use crate::records::OffsetValue;
use crate::shard::Shard;

/// The first version that asks about several groups.
const SEVERAL_SINCE: i16 = 8;
/// The first version that has an error for the whole group.
const GROUP_ERROR_SINCE: i16 = 2;

/// The most partitions of all groups of a request together: what an answer says of one is
/// far longer than its number.
const PARTITIONS_MAX: usize = 200_000;

/// A group's answer, and what must be on disk before it is sent.
struct Found {
    response: OffsetFetchGroupResponse,
    end: Option<(Arc<Shard>, Offset)>,
}

/// What holds for all groups of a request.
struct Asked {
    version: i16,
    require_stable: bool,
    left: Left,
}

/// How much may still be answered: a partition may be named again and again.
struct Left {
    partitions: usize,
    /// Of names and texts: as many as all groups together may have, so that one group always
    /// fits.
    bytes: usize,
}

/// How much an answer is about.
struct Extent {
    partitions: usize,
    bytes: usize,
}

impl Left {
    fn new(coordinator: &Coordinator) -> Left {
        Left {
            partitions: PARTITIONS_MAX,
            bytes: coordinator.common.settings.bytes_max,
        }
    }

    /// Takes what the answer for a group is about, and returns it; `None` if that is too much.
    fn take(
        &mut self,
        topics: Option<&[OffsetFetchTopic]>,
        entry: Option<&Entry>,
    ) -> Option<Extent> {
        let extent = Extent::of(topics, entry);
        let partitions = self.partitions.checked_sub(extent.partitions)?;
        self.bytes = self.bytes.checked_sub(extent.bytes)?;
        self.partitions = partitions;
        Some(extent)
    }
}

impl Extent {
    fn of(topics: Option<&[OffsetFetchTopic]>, entry: Option<&Entry>) -> Extent {
        let Some(topics) = topics else {
            let all = entry.into_iter().flat_map(|entry| entry.offsets.iter());
            return Extent {
                partitions: all.count(),
                bytes: entry.map_or(0, |entry| entry.offsets.bytes()),
            };
        };
        let partitions = topics
            .iter()
            .map(|topic| topic.partition_indexes.len())
            .sum();
        let mut bytes = 0;
        // Too many are refused anyway.
        for topic in topics.iter().filter(|_| partitions <= PARTITIONS_MAX) {
            let known = entry.zip(TopicName::new(&topic.name).ok());
            let Some((entry, name)) = known else { continue };
            for partition in &topic.partition_indexes {
                let value = entry.offsets.get(&name, *partition);
                bytes += value.map_or(0, |value| value.metadata.len());
            }
        }
        Extent { partitions, bytes }
    }
}

/// How much memory the answer takes for the partitions that a request names, in bytes. A
/// partition is four bytes in the request, and has to be counted for what it becomes.
#[must_use]
pub fn offset_fetch_size(request: &OffsetFetchRequest) -> usize {
    let of_groups = request.groups.iter().map(|group| &group.topics);
    let topics = of_groups.chain([&request.topics]).flatten().flatten();
    let partitions: usize = topics.map(|topic| topic.partition_indexes.len()).sum();
    partitions * size_of::<OffsetFetchPartitionResponse>()
}

/// How much memory the answer takes for what groups have committed, in bytes.
#[must_use]
pub fn committed_size(
    coordinator: &Coordinator,
    version: i16,
    request: &OffsetFetchRequest,
) -> usize {
    let mut left = Left::new(coordinator);
    let groups = request.groups.iter();
    let groups = groups.map(|group| (&group.group_id, group.topics.as_deref()));
    let one = (&request.group_id, request.topics.as_deref());
    let asked: Vec<_> = match version {
        SEVERAL_SINCE.. => groups.take(ANSWERED_MAX).collect(),
        _ => vec![one],
    };
    let sizes = asked.into_iter().filter_map(|(group, topics)| {
        let shard = coordinator.shard(group).ok()?;
        let state = shard.serving().ok()?;
        let entry = state.groups.get(group.as_str());
        let extent = left.take(topics, entry)?;
        Some(extent.bytes * 2 + extent.partitions * size_of::<OffsetFetchPartitionResponse>())
    });
    sizes.sum()
}

/// How far groups have read, as it was when this was called. The response comes when what
/// it says is on disk, so no offset that was read ever goes back.
///
/// Offsets of transactions that are still open do not exist yet. With `require_stable` a
/// partition that has some is refused: the client asks again when they are decided.
pub fn offset_fetch(
    coordinator: &Coordinator,
    version: i16,
    request: OffsetFetchRequest,
) -> impl Future<Output = OffsetFetchResponse> + Send + use<> {
    let groups = match version {
        SEVERAL_SINCE.. => request.groups,
        _ => vec![OffsetFetchGroup {
            group_id: request.group_id,
            topics: request.topics,
        }],
    };
    let mut asked = Asked {
        version,
        require_stable: request.require_stable,
        left: Left::new(coordinator),
    };
    let groups = groups.into_iter().take(ANSWERED_MAX);
    let found: Vec<Found> = groups
        .map(|group| find(coordinator, group, &mut asked))
        .collect();
    async move {
        let mut groups = Vec::with_capacity(found.len());
        for Found { mut response, end } in found {
            if let Some((shard, end)) = end
                && shard.durable(end).await.is_err()
            {
                // Kafka's: old consumers know of no other code to try again.
                response = refused(version, response, ErrorCode::NOT_COORDINATOR);
            }
            groups.push(response);
        }
        encode(version, groups)
    }
}

fn encode(version: i16, mut groups: Vec<OffsetFetchGroupResponse>) -> OffsetFetchResponse {
    if version >= SEVERAL_SINCE {
        return OffsetFetchResponse {
            groups,
            ..OffsetFetchResponse::default()
        };
    }
    let group = groups.pop().unwrap_or_default();
    OffsetFetchResponse {
        topics: group.topics,
        error_code: group.error_code,
        ..OffsetFetchResponse::default()
    }
}

fn find(coordinator: &Coordinator, wanted: OffsetFetchGroup, asked: &mut Asked) -> Found {
    let OffsetFetchGroup { group_id, topics } = wanted;
    let mut response = OffsetFetchGroupResponse {
        group_id,
        ..OffsetFetchGroupResponse::default()
    };
    let shard = coordinator.shard(&response.group_id);
    let state = shard.as_ref().map_err(|code| *code);
    let state = state.and_then(|shard| shard.serving());
    let entry = state
        .as_ref()
        .map(|state| state.groups.get(&*response.group_id));
    let code = match entry {
        Ok(entry) if asked.left.take(topics.as_deref(), entry).is_some() => {
            response.topics = of_topics(entry, topics, asked.require_stable);
            let end = entry.map(|entry| entry.changed_at);
            drop(state);
            let end = shard.ok().zip(end);
            return Found { response, end };
        }
        Ok(_) => ErrorCode::POLICY_VIOLATION,
        Err(code) => *code,
    };
    response.topics = of_topics(None, topics, false);
    Found {
        response: refused(asked.version, response, code),
        end: None,
    }
}

/// The offsets of some topics, or of all.
fn of_topics(
    entry: Option<&Entry>,
    topics: Option<Vec<OffsetFetchTopic>>,
    require_stable: bool,
) -> Vec<OffsetFetchTopicResponse> {
    let of = |topic: Option<&TopicName>, partition, value| {
        let is_pending =
            |entry: &Entry| topic.is_some_and(|topic| entry.pending.has(topic, partition));
        match require_stable && entry.is_some_and(is_pending) {
            true => OffsetFetchPartitionResponse {
                error_code: ErrorCode::UNSTABLE_OFFSET_COMMIT,
                ..of_partition(partition, None)
            },
            false => of_partition(partition, value),
        }
    };
    let Some(topics) = topics else {
        let all = entry.into_iter().flat_map(|entry| entry.offsets.topics());
        return all
            .map(|(topic, partitions)| OffsetFetchTopicResponse {
                name: topic.as_str().to_owned(),
                partitions: partitions
                    .map(|(partition, value)| of(Some(topic), partition, Some(value)))
                    .collect(),
            })
            .collect();
    };
    // Made where the request was, so that they take no memory of their own.
    let topics = topics.into_iter().map(|topic| {
        let name = TopicName::new(&topic.name).ok();
        let get = |partition| entry?.offsets.get(name.as_ref()?, partition);
        let partitions = topic.partition_indexes.into_iter();
        OffsetFetchTopicResponse {
            partitions: partitions
                .map(|partition| of(name.as_ref(), partition, get(partition)))
                .collect(),
            name: topic.name,
        }
    });
    topics.collect()
}

fn of_partition(partition: i32, value: Option<&OffsetValue>) -> OffsetFetchPartitionResponse {
    let nothing = OffsetFetchPartitionResponse {
        partition_index: partition,
        metadata: Some(String::new()),
        ..OffsetFetchPartitionResponse::default()
    };
    match value {
        None => nothing,
        Some(value) => OffsetFetchPartitionResponse {
            committed_offset: value.offset,
            committed_leader_epoch: value.leader_epoch,
            metadata: Some(value.metadata.to_string()),
            ..nothing
        },
    }
}

/// The answer that the group cannot be read now: in version 1 each partition says so.
fn refused(
    version: i16,
    response: OffsetFetchGroupResponse,
    code: ErrorCode,
) -> OffsetFetchGroupResponse {
    let mut topics = response.topics;
    if version >= GROUP_ERROR_SINCE {
        topics.clear();
    }
    for one in topics.iter_mut().flat_map(|topic| &mut topic.partitions) {
        *one = OffsetFetchPartitionResponse {
            error_code: code,
            ..of_partition(one.partition_index, None)
        };
    }
    OffsetFetchGroupResponse {
        topics,
        error_code: code,
        ..response
    }
}
