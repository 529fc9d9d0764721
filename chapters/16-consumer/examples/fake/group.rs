//! The coordinator of the fake broker: as little as groups need. A member that is silent
//! is thrown out when the others join.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use wire_protocol::ErrorCode;
use wire_protocol::message::{
    HeartbeatRequest, HeartbeatResponse, JoinGroupMember, JoinGroupRequest, JoinGroupResponse,
    LeaveGroupRequest, LeaveGroupResponse, OffsetCommitPartitionResponse, OffsetCommitRequest,
    OffsetCommitResponse, OffsetCommitTopicResponse, OffsetFetchPartitionResponse,
    OffsetFetchRequest, OffsetFetchResponse, OffsetFetchTopic, OffsetFetchTopicResponse,
    SyncGroupRequest, SyncGroupResponse,
};

/// How long a JoinGroup waits for the members that have not come.
pub(super) const JOIN_PATIENCE: Duration = Duration::from_millis(700);

#[derive(Default)]
struct Group {
    generation: i32,
    /// Whether members are joining: the generation has not begun.
    is_joining: bool,
    /// Whether the leader has shared.
    is_shared: bool,
    protocol: String,
    /// By id: what it offers, and whether it has joined.
    members: BTreeMap<String, (JoinGroupRequest, bool)>,
    shares: BTreeMap<String, Bytes>,
    offsets: BTreeMap<(String, i32), (i64, Option<String>)>,
    ids: u32,
}

#[derive(Default)]
pub(super) struct Groups {
    groups: BTreeMap<String, Group>,
}

/// A JoinGroup that waits.
pub(super) struct Waiting {
    group: String,
    member: String,
    generation: i32,
    refused: ErrorCode,
}

impl Group {
    /// Begins the next generation if all have joined, or with those that have.
    fn begin(&mut self, is_over: bool) {
        if !self.is_joining {
            return;
        }
        if is_over {
            self.members.retain(|_, (_, has_joined)| *has_joined);
        }
        if self.members.values().all(|(_, has_joined)| *has_joined) && !self.members.is_empty() {
            self.generation += 1;
            self.is_joining = false;
            self.is_shared = false;
            self.shares.clear();
            let all = || self.members.values().map(|(request, _)| request);
            let first = all().next().map(|request| request.protocols.clone());
            let speaks = |name: &str| {
                let speaks = |request: &JoinGroupRequest| {
                    let mut protocols = request.protocols.iter();
                    protocols.any(|protocol| protocol.name == name)
                };
                all().all(speaks)
            };
            let mut names = first.into_iter().flatten().map(|protocol| protocol.name);
            self.protocol = names.find(|name| speaks(name)).unwrap_or_default();
            for (_, has_joined) in self.members.values_mut() {
                *has_joined = false;
            }
        }
    }

    fn check(&self, member: &str, generation: i32) -> ErrorCode {
        if !self.members.contains_key(member) {
            ErrorCode::UNKNOWN_MEMBER_ID
        } else if generation != self.generation {
            ErrorCode::ILLEGAL_GENERATION
        } else if self.is_joining {
            ErrorCode::REBALANCE_IN_PROGRESS
        } else {
            ErrorCode::NONE
        }
    }
}

impl Groups {
    fn group(&mut self, name: &str) -> &mut Group {
        self.groups.entry(name.to_owned()).or_default()
    }

    pub(super) fn join(&mut self, request: JoinGroupRequest) -> Waiting {
        let group = self.groups.entry(request.group_id.clone()).or_default();
        let mut waiting = Waiting {
            group: request.group_id.clone(),
            member: request.member_id.clone(),
            generation: group.generation,
            refused: ErrorCode::NONE,
        };
        if waiting.member.is_empty() {
            group.ids += 1;
            waiting.member = format!("member-{}", group.ids);
            waiting.refused = ErrorCode::MEMBER_ID_REQUIRED;
            return waiting;
        }
        let has_joined = true;
        group
            .members
            .insert(waiting.member.clone(), (request, has_joined));
        group.is_joining = true;
        group.begin(false);
        waiting
    }

    pub(super) fn joined(&mut self, waiting: &Waiting, is_over: bool) -> Option<JoinGroupResponse> {
        let group = self.groups.entry(waiting.group.clone()).or_default();
        let mut answer = JoinGroupResponse {
            member_id: waiting.member.clone(),
            protocol_name: Some(String::new()),
            error_code: waiting.refused,
            ..JoinGroupResponse::default()
        };
        if waiting.refused != ErrorCode::NONE {
            return Some(answer);
        }
        group.begin(is_over);
        if !group.members.contains_key(&waiting.member) {
            answer.error_code = ErrorCode::UNKNOWN_MEMBER_ID;
            return Some(answer);
        }
        if group.generation == waiting.generation {
            return None;
        }
        answer.generation_id = group.generation;
        answer.protocol_name = Some(group.protocol.clone());
        let leader = group.members.keys().next().cloned().unwrap_or_default();
        if leader == waiting.member {
            for (id, (request, _)) in &group.members {
                let mut protocols = request.protocols.iter();
                let chosen = protocols.find(|protocol| protocol.name == group.protocol);
                answer.members.push(JoinGroupMember {
                    member_id: id.clone(),
                    group_instance_id: request.group_instance_id.clone(),
                    metadata: chosen
                        .map(|protocol| protocol.metadata.clone())
                        .unwrap_or_default(),
                });
            }
        }
        answer.leader = leader;
        Some(answer)
    }

    pub(super) fn sync(&mut self, request: &SyncGroupRequest) {
        let group = self.group(&request.group_id);
        let code = group.check(&request.member_id, request.generation_id);
        if code == ErrorCode::NONE && !request.assignments.is_empty() {
            let shares = request.assignments.iter();
            let share = |share: &wire_protocol::message::SyncGroupAssignment| {
                (share.member_id.clone(), share.assignment.clone())
            };
            group.shares = shares.map(share).collect();
            group.is_shared = true;
        }
    }

    pub(super) fn synced(&mut self, request: &SyncGroupRequest) -> Option<SyncGroupResponse> {
        let group = self.group(&request.group_id);
        let error_code = group.check(&request.member_id, request.generation_id);
        if error_code == ErrorCode::NONE && !group.is_shared {
            return None;
        }
        let share = group.shares.get(&request.member_id);
        Some(SyncGroupResponse {
            error_code,
            assignment: share.cloned().unwrap_or_default(),
            ..SyncGroupResponse::default()
        })
    }

    pub(super) fn heartbeat(&mut self, request: &HeartbeatRequest) -> HeartbeatResponse {
        let group = self.group(&request.group_id);
        HeartbeatResponse {
            error_code: group.check(&request.member_id, request.generation_id),
            ..HeartbeatResponse::default()
        }
    }

    pub(super) fn leave(&mut self, request: &LeaveGroupRequest) -> LeaveGroupResponse {
        let group = self.group(&request.group_id);
        for member in &request.members {
            group.members.remove(&member.member_id);
        }
        group.is_joining = !group.members.is_empty();
        LeaveGroupResponse::default()
    }

    pub(super) fn commit(&mut self, request: &OffsetCommitRequest) -> OffsetCommitResponse {
        let group = self.group(&request.group_id);
        let is_simple = request.generation_id < 0 && group.members.is_empty();
        let error_code = match group.check(&request.member_id, request.generation_id) {
            _ if is_simple => ErrorCode::NONE,
            // A commit of the old generation is taken while the next one forms.
            ErrorCode::REBALANCE_IN_PROGRESS => ErrorCode::NONE,
            code => code,
        };
        let mut topics = Vec::new();
        for topic in &request.topics {
            let mut partitions = Vec::new();
            for partition in &topic.partitions {
                if error_code == ErrorCode::NONE {
                    let key = (topic.name.clone(), partition.partition_index);
                    let metadata = partition.committed_metadata.clone();
                    group
                        .offsets
                        .insert(key, (partition.committed_offset, metadata));
                }
                partitions.push(OffsetCommitPartitionResponse {
                    partition_index: partition.partition_index,
                    error_code,
                });
            }
            topics.push(OffsetCommitTopicResponse {
                name: topic.name.clone(),
                partitions,
            });
        }
        OffsetCommitResponse {
            topics,
            ..OffsetCommitResponse::default()
        }
    }

    pub(super) fn offsets(&mut self, request: &OffsetFetchRequest) -> OffsetFetchResponse {
        let group = self.group(&request.group_id);
        let mut topics = Vec::new();
        let stored = group.offsets.keys().map(|(name, index)| OffsetFetchTopic {
            name: name.clone(),
            partition_indexes: vec![*index],
        });
        let wanted = request.topics.clone();
        for topic in wanted.unwrap_or_else(|| stored.collect()) {
            let answer = |index: &i32| {
                let stored = group.offsets.get(&(topic.name.clone(), *index));
                OffsetFetchPartitionResponse {
                    partition_index: *index,
                    committed_offset: stored.map_or(-1, |(offset, _)| *offset),
                    metadata: Some(
                        stored
                            .and_then(|(_, text)| text.clone())
                            .unwrap_or_default(),
                    ),
                    ..OffsetFetchPartitionResponse::default()
                }
            };
            topics.push(OffsetFetchTopicResponse {
                name: topic.name.clone(),
                partitions: topic.partition_indexes.iter().map(answer).collect(),
            });
        }
        OffsetFetchResponse {
            topics,
            ..OffsetFetchResponse::default()
        }
    }

    pub(super) fn committed(&mut self, group: &str, topic: &str, partition: i32) -> Option<i64> {
        let key = (topic.to_owned(), partition);
        let stored = self.group(group).offsets.get(&key)?;
        Some(stored.0)
    }
}
