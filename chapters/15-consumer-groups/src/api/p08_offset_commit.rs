//! OffsetCommit (8): versions 2 to 8.

use std::future::Future;
use std::sync::Arc;

use message_model::{Offset, PartitionIndex, Timestamp, TopicName};
use wire_protocol::ErrorCode;
use wire_protocol::message::{
    OffsetCommitPartition, OffsetCommitPartitionResponse, OffsetCommitRequest,
    OffsetCommitResponse, OffsetCommitTopic, OffsetCommitTopicResponse,
};

use super::names::{NAME_MAX, check_group_length, identity};
use crate::coordinator::Coordinator;
use crate::offsets::cost;
use crate::part::Commit;
use crate::records::{OffsetValue, Stored};
use crate::refusal::code_of;
use crate::shard::Shard;
use crate::state::State;
use crate::transactions::Transaction;
use crate::turn::Batches;

/// The client leaves it to the broker how long offsets are kept.
const AS_LONG_AS_THE_BROKER_LIKES: i64 = -1;

/// What a request asks to be stored.
struct Asked {
    /// What can be stored.
    records: Vec<Stored>,
    /// Where in `response` each of them is answered: topic and partition.
    places: Vec<(u32, u32)>,
    response: OffsetCommitResponse,
}

/// Stores how far a group has read. All offsets of a request are stored as one, or none is.
///
/// Completes when they are in the log. The response comes when they are on disk.
// ANCHOR: offset_commit
pub async fn offset_commit(
    coordinator: &Coordinator,
    request: OffsetCommitRequest,
) -> impl Future<Output = OffsetCommitResponse> + Send + use<> {
    let committed = commit(coordinator, request, None).await;
    committed.answer()
}
// ANCHOR_END: offset_commit

/// What was appended, and is answered when it is on disk.
pub(super) struct Committed {
    asked: Asked,
    stored: Result<(Arc<Shard>, Offset), ErrorCode>,
}

impl Committed {
    pub(super) async fn answer(self) -> OffsetCommitResponse {
        let Committed { asked, stored } = self;
        let stored = match stored {
            Ok((shard, end)) => shard.durable(end).await,
            Err(code) => Err(code),
        };
        asked.answer(stored.err().unwrap_or(ErrorCode::NONE))
    }
}

/// Appends what may be stored of a request, in a transaction or not.
pub(super) async fn commit(
    coordinator: &Coordinator,
    mut request: OffsetCommitRequest,
    transaction: Option<Transaction>,
) -> Committed {
    let topics = std::mem::take(&mut request.topics);
    let turn = match coordinator.shard(&request.group_id) {
        Ok(shard) => shard.turn().await.map(|turn| (shard, turn)),
        Err(code) => Err(code),
    };
    // With the turn: a topic that is deleted from now on takes these offsets with it.
    let mut asked = check(coordinator, &request, topics);
    let (shard, turn) = match turn {
        Ok(turn) => turn,
        Err(code) => {
            let stored = Err(code);
            return Committed { asked, stored };
        }
    };
    if asked.places.is_empty() && !has_known_topic(&asked.response) {
        let stored = Ok((shard, Offset::ZERO));
        return Committed { asked, stored };
    }
    let records = std::mem::take(&mut asked.records);
    let batches = transaction.map_or(Batches::One, Batches::OneOf);
    let change = turn.change(batches, |state| {
        let commit = (&request, transaction.is_some());
        may_commit(&shard, state, commit, &records)?;
        Ok((records, ()))
    });
    let stored = change.await.map(|((), end)| (shard, end));
    Committed { asked, stored }
}

/// Whether the group may store `records` for this caller, whose session begins anew.
fn may_commit(
    shard: &Arc<Shard>,
    state: &mut State,
    (request, transactional): (&OffsetCommitRequest, bool),
    records: &[Stored],
) -> Result<(), ErrorCode> {
    let identity = identity(&request.member_id, request.group_instance_id.as_deref());
    let room = &shard.common.room;
    match state.groups.get_mut(&*request.group_id) {
        Some(entry) => {
            let commit = Commit {
                identity: &identity,
                generation: request.generation_id,
                transactional,
            };
            let checked = entry.group.commit(shard.common.now(), commit);
            checked.map_err(code_of)?;
        }
        None if request.generation_id >= 0 => return Err(ErrorCode::ILLEGAL_GENERATION),
        None if !room.has_entry() => return Err(ErrorCode::POLICY_VIOLATION),
        None => {}
    }
    match room.has_bytes(records.iter().map(bytes_of).sum()) {
        true => Ok(()),
        false => Err(ErrorCode::POLICY_VIOLATION),
    }
}

fn bytes_of(record: &Stored) -> usize {
    match record {
        Stored::Offset {
            value: Some(value), ..
        } => cost(value),
        _ => 0,
    }
}

/// Sorts out what of a request cannot be stored, whatever the group says. The response is
/// made where the request was, so that it takes no memory of its own.
fn check(
    coordinator: &Coordinator,
    request: &OffsetCommitRequest,
    topics: Vec<OffsetCommitTopic>,
) -> Asked {
    let now = coordinator.common.broker.services.clock.wall();
    let group: Arc<str> = request.group_id.as_str().into();
    let expires_at = match request.retention_time_ms {
        AS_LONG_AS_THE_BROKER_LIKES => None,
        millis => Some(Timestamp(now.0.saturating_add(millis))),
    };
    let (mut records, mut places) = (Vec::new(), Vec::new());
    let topics = topics.into_iter().zip(0..).map(|(topic, at)| {
        let name = TopicName::new(&topic.name).ok();
        let partitions = topic.partitions.into_iter().zip(0..);
        let partitions = partitions.map(|(wanted, index)| {
            let checked = check_one(coordinator, request, name.as_ref(), &wanted);
            if let Ok(topic) = checked {
                places.push((at, index));
                records.push(Stored::Offset {
                    group: Arc::clone(&group),
                    topic: topic.clone(),
                    partition: wanted.partition_index,
                    value: Some(OffsetValue {
                        offset: wanted.committed_offset,
                        leader_epoch: wanted.committed_leader_epoch,
                        metadata: wanted.committed_metadata.unwrap_or_default().into(),
                        committed_at: now,
                        expires_at,
                    }),
                });
            }
            OffsetCommitPartitionResponse {
                partition_index: wanted.partition_index,
                error_code: checked.err().unwrap_or(ErrorCode::NONE),
            }
        });
        OffsetCommitTopicResponse {
            partitions: partitions.collect(),
            name: topic.name,
        }
    });
    let response = OffsetCommitResponse {
        topics: topics.collect(),
        ..OffsetCommitResponse::default()
    };
    Asked {
        records,
        places,
        response,
    }
}

fn check_one<'a>(
    coordinator: &Coordinator,
    request: &OffsetCommitRequest,
    topic: Option<&'a TopicName>,
    wanted: &OffsetCommitPartition,
) -> Result<&'a TopicName, ErrorCode> {
    check_group_length(&request.group_id)?;
    let topics = &coordinator.common.broker.topics;
    let topic = topic.ok_or(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION)?;
    let partition = topics.partition(topic, PartitionIndex(wanted.partition_index));
    partition.map_err(|_| ErrorCode::UNKNOWN_TOPIC_OR_PARTITION)?;
    let metadata = wanted.committed_metadata.as_deref().unwrap_or_default();
    // As Java counts a string's length.
    let length = metadata.encode_utf16().count();
    match length > coordinator.common.settings.metadata_max || metadata.len() > NAME_MAX {
        true => Err(ErrorCode::OFFSET_METADATA_TOO_LARGE),
        false => Ok(topic),
    }
}

/// Whether the group has to be asked: without a topic that exists it is not.
fn has_known_topic(response: &OffsetCommitResponse) -> bool {
    let mut partitions = response.topics.iter().flat_map(|topic| &topic.partitions);
    partitions.any(|one| one.error_code == ErrorCode::OFFSET_METADATA_TOO_LARGE)
}

impl Asked {
    /// The response, with `code` for what was to be stored. Any code but 0 is for all
    /// that the group was asked about.
    fn answer(mut self, code: ErrorCode) -> OffsetCommitResponse {
        for (topic, partition) in self.places {
            let topic = &mut self.response.topics[topic as usize];
            topic.partitions[partition as usize].error_code = code;
        }
        if code != ErrorCode::NONE {
            let topics = self.response.topics.iter_mut();
            for one in topics.flat_map(|topic| &mut topic.partitions) {
                if one.error_code == ErrorCode::OFFSET_METADATA_TOO_LARGE {
                    one.error_code = code;
                }
            }
        }
        self.response
    }
}
