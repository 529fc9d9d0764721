//! The calls of a member to its group's coordinator.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use client::{Client, Target};
use message_model::{Moment, Offset, PartitionIndex, TopicName, TopicPartition};
use wire_protocol::message::{
    HeartbeatRequest, JoinGroupProtocol, JoinGroupRequest, JoinGroupResponse, LeaveGroupRequest,
    LeavingMember, OffsetCommitPartition, OffsetCommitRequest, OffsetCommitTopic,
    OffsetFetchRequest, OffsetFetchResponse, OffsetFetchTopic, SyncGroupAssignment,
    SyncGroupRequest,
};
use wire_protocol::{ErrorCode, Request};

use crate::error::Error;
use crate::part::Problem;

/// What is committed for a partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committed {
    /// The next offset to read.
    pub offset: Offset,
    /// What the committing consumer wanted to keep with it.
    pub metadata: String,
}

/// The calls of one group.
#[derive(Debug, Clone)]
pub(crate) struct GroupCalls {
    pub(crate) client: Arc<Client>,
    pub(crate) group: Arc<str>,
    pub(crate) instance: Option<String>,
    /// Whether an offset counts only when no open transaction may change it.
    pub(crate) require_stable: bool,
}

/// What a JoinGroup request says of the member.
#[derive(Debug)]
pub(crate) struct Joining {
    pub(crate) member_id: String,
    pub(crate) session_timeout: Duration,
    pub(crate) rebalance_timeout: Duration,
    pub(crate) protocols: Vec<JoinGroupProtocol>,
}

impl GroupCalls {
    fn target(&self) -> Target {
        Target::Coordinator(Arc::clone(&self.group))
    }

    /// Sends one request to the coordinator, and says how the answer's code is to be taken.
    async fn call<R: Request>(
        &self,
        request: &R,
        deadline: Moment,
        code: impl Fn(&R::Response) -> ErrorCode,
    ) -> Result<R::Response, Problem> {
        let answer = self.client.call(&self.target(), request, deadline).await;
        let error = match answer {
            Ok(answer) => match code(&answer) {
                ErrorCode::NONE => return Ok(answer),
                code => client::Error::Broker(code),
            },
            Err(error) => error,
        };
        if error.is_stale_route() {
            self.client.forget(&self.target());
        }
        Err(problem(&error))
    }

    /// # Errors
    /// Why not; and with [`Problem::MemberIdRequired`] the id.
    pub(crate) async fn join(&self, joining: Joining) -> Result<JoinGroupResponse, Problem> {
        let now = self.client.clock().now();
        // The coordinator answers when all members have joined, or have had their time.
        let slack = Duration::from_secs(5);
        let deadline = now.plus(joining.rebalance_timeout).plus(slack);
        let request = JoinGroupRequest {
            group_id: self.group.to_string(),
            session_timeout_ms: millis(joining.session_timeout),
            rebalance_timeout_ms: millis(joining.rebalance_timeout),
            member_id: joining.member_id,
            group_instance_id: self.instance.clone(),
            protocol_type: "consumer".to_owned(),
            protocols: joining.protocols,
        };
        let answer = self.client.call(&self.target(), &request, deadline).await;
        match answer {
            Ok(answer) if answer.error_code == ErrorCode::NONE => Ok(answer),
            Ok(answer) if answer.error_code == ErrorCode::MEMBER_ID_REQUIRED => {
                Err(Problem::MemberIdRequired(answer.member_id))
            }
            Ok(answer) => Err(self.refused(&client::Error::Broker(answer.error_code))),
            Err(error) => Err(self.refused(&error)),
        }
    }

    fn refused(&self, error: &client::Error) -> Problem {
        if error.is_stale_route() {
            self.client.forget(&self.target());
        }
        problem(error)
    }

    /// Returns the bytes of this member's assignment.
    pub(crate) async fn sync(
        &self,
        (member_id, generation): (String, i32),
        protocol: Option<String>,
        assignments: Vec<SyncGroupAssignment>,
        patience: Duration,
    ) -> Result<bytes::Bytes, Problem> {
        let request = SyncGroupRequest {
            group_id: self.group.to_string(),
            generation_id: generation,
            member_id,
            group_instance_id: self.instance.clone(),
            protocol_type: Some("consumer".to_owned()),
            protocol_name: protocol,
            assignments,
        };
        let deadline = self.client.clock().now().plus(patience);
        let answer = self.call(&request, deadline, |answer| answer.error_code);
        Ok(answer.await?.assignment)
    }

    pub(crate) async fn heartbeat(
        &self,
        member_id: String,
        generation: i32,
        patience: Duration,
    ) -> Result<(), Problem> {
        let request = HeartbeatRequest {
            group_id: self.group.to_string(),
            generation_id: generation,
            member_id,
            group_instance_id: self.instance.clone(),
        };
        let deadline = self.client.clock().now().plus(patience);
        let answer = self.call(&request, deadline, |answer| answer.error_code);
        answer.await.map(|_| ())
    }

    pub(crate) async fn leave(&self, member_id: String, patience: Duration) {
        let request = LeaveGroupRequest {
            group_id: self.group.to_string(),
            members: vec![LeavingMember {
                member_id,
                group_instance_id: self.instance.clone(),
            }],
            ..LeaveGroupRequest::default()
        };
        let deadline = self.client.clock().now().plus(patience);
        // A coordinator that does not hear of it expires the member.
        let _ = self.client.call(&self.target(), &request, deadline).await;
    }

    /// Commits these offsets once.
    pub(crate) async fn commit(
        &self,
        (member_id, generation): (String, i32),
        offsets: &BTreeMap<TopicPartition, Committed>,
        deadline: Moment,
    ) -> Result<(), client::Error> {
        let mut topics: BTreeMap<&TopicName, Vec<OffsetCommitPartition>> = BTreeMap::new();
        for (partition, committed) in offsets {
            let of_topic = topics.entry(&partition.topic).or_default();
            of_topic.push(OffsetCommitPartition {
                partition_index: partition.partition.0,
                committed_offset: committed.offset.0,
                committed_metadata: Some(committed.metadata.clone()),
                ..OffsetCommitPartition::default()
            });
        }
        let topics = topics
            .into_iter()
            .map(|(topic, partitions)| OffsetCommitTopic {
                name: topic.as_str().to_owned(),
                partitions,
            });
        let request = OffsetCommitRequest {
            group_id: self.group.to_string(),
            generation_id: generation,
            member_id,
            group_instance_id: self.instance.clone(),
            topics: topics.collect(),
            ..OffsetCommitRequest::default()
        };
        let answer = self.client.call(&self.target(), &request, deadline).await?;
        let partitions = answer.topics.iter().flat_map(|topic| &topic.partitions);
        let mut codes = partitions.map(|partition| partition.error_code);
        match codes.find(|code| *code != ErrorCode::NONE) {
            Some(code) => Err(client::Error::Broker(code)),
            None => Ok(()),
        }
    }

    /// Commits, and again while it makes sense and the deadline allows.
    pub(crate) async fn commit_until(
        &self,
        identity: (String, i32),
        offsets: &BTreeMap<TopicPartition, Committed>,
        deadline: Moment,
    ) -> Result<(), client::Error> {
        let attempt = || self.commit(identity.clone(), offsets, deadline);
        self.client.retry(&self.target(), deadline, attempt).await
    }

    /// Returns what is committed for these partitions, or for all; those without a commit
    /// are left out.
    pub(crate) async fn committed(
        &self,
        partitions: Option<&BTreeSet<TopicPartition>>,
        deadline: Moment,
    ) -> Result<BTreeMap<TopicPartition, Committed>, Error> {
        let request = OffsetFetchRequest {
            group_id: self.group.to_string(),
            topics: partitions.map(by_topic),
            require_stable: self.require_stable,
            ..OffsetFetchRequest::default()
        };
        let attempt = || self.fetch_offsets(&request, deadline);
        let answer = self.client.retry(&self.target(), deadline, attempt).await?;
        let mut committed = BTreeMap::new();
        for topic in answer.topics {
            let invalid = |_| client::Error::Broker(ErrorCode::INVALID_TOPIC_EXCEPTION);
            let name = TopicName::new(&topic.name).map_err(invalid)?;
            for found in topic.partitions {
                let partition = TopicPartition {
                    topic: name.clone(),
                    partition: PartitionIndex(found.partition_index),
                };
                let is_wanted = partitions.is_none_or(|wanted| wanted.contains(&partition));
                if is_wanted && found.committed_offset >= 0 {
                    let value = Committed {
                        offset: Offset(found.committed_offset),
                        metadata: found.metadata.unwrap_or_default(),
                    };
                    committed.insert(partition, value);
                }
            }
        }
        Ok(committed)
    }

    async fn fetch_offsets(
        &self,
        request: &OffsetFetchRequest,
        deadline: Moment,
    ) -> Result<OffsetFetchResponse, client::Error> {
        let answer = self.client.call(&self.target(), request, deadline).await?;
        let partitions = answer.topics.iter().flat_map(|topic| &topic.partitions);
        let mut codes = partitions.map(|partition| partition.error_code);
        let of_partition = codes.find(|code| *code != ErrorCode::NONE);
        match of_partition.unwrap_or(answer.error_code) {
            ErrorCode::NONE => Ok(answer),
            code => Err(client::Error::Broker(code)),
        }
    }
}

fn by_topic(partitions: &BTreeSet<TopicPartition>) -> Vec<OffsetFetchTopic> {
    let mut topics: BTreeMap<&TopicName, Vec<i32>> = BTreeMap::new();
    for partition in partitions {
        let of_topic = topics.entry(&partition.topic).or_default();
        of_topic.push(partition.partition.0);
    }
    let topic = |(topic, partition_indexes): (&TopicName, _)| OffsetFetchTopic {
        name: topic.as_str().to_owned(),
        partition_indexes,
    };
    topics.into_iter().map(topic).collect()
}

/// What a failed call means for a member.
pub(crate) fn problem(error: &client::Error) -> Problem {
    match error.code() {
        Some(ErrorCode::REBALANCE_IN_PROGRESS) => Problem::RebalanceInProgress,
        Some(ErrorCode::ILLEGAL_GENERATION) => Problem::IllegalGeneration,
        Some(ErrorCode::UNKNOWN_MEMBER_ID) => Problem::UnknownMember,
        Some(ErrorCode::FENCED_INSTANCE_ID) => Problem::FencedInstance,
        _ if error.is_retriable() => Problem::Retriable,
        _ => Problem::Fatal,
    }
}

fn millis(duration: Duration) -> i32 {
    i32::try_from(duration.as_millis()).unwrap_or(i32::MAX)
}
