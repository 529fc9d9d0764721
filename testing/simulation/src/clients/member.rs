//! A member of a group: joins, is assigned partitions, beats, leaves.

use std::collections::BTreeMap;

use bytes::Bytes;
use wire_protocol::ErrorCode;
use wire_protocol::message::{
    HeartbeatRequest, JoinGroupProtocol, JoinGroupRequest, JoinGroupResponse, LeaveGroupRequest,
    OffsetFetchRequest, OffsetFetchTopic, SyncGroupAssignment, SyncGroupRequest,
};

use super::Setting;
use super::reader::Positions;
use crate::network::Link;
use crate::node::PARTITIONS;
use crate::request::{Request, Response};

const SESSION_TIMEOUT: i32 = 250;
const REBALANCE_TIMEOUT: i32 = 250;
const PROTOCOL: &str = "in turn";

/// A member of a group that reads the topic `in`.
pub(super) struct Member {
    pub(super) setting: Setting,
    pub(super) link: Link,
    pub(super) group: &'static str,
    /// A new one for each member id, so that these sort in the order of the names.
    name: String,
    pub(super) id: String,
    pub(super) generation: i32,
}

impl Member {
    pub(super) fn new(setting: &Setting, group: &'static str) -> Member {
        Member {
            setting: setting.clone(),
            link: Link::new(&setting.network, true),
            group,
            name: String::new(),
            id: String::new(),
            generation: -1,
        }
    }

    /// Joins the next generation, and returns where to read on in each of its partitions.
    pub(super) async fn join(&mut self) -> Positions {
        loop {
            if let Some(partitions) = self.try_join().await
                && let Some(positions) = self.positions(&partitions).await
            {
                return positions;
            }
            self.setting.back_off().await;
        }
    }

    async fn try_join(&mut self) -> Option<Vec<i32>> {
        if self.id.is_empty() {
            self.name = format!("m{:09}", self.setting.sim.number());
        }
        let request = JoinGroupRequest {
            group_id: self.group.to_owned(),
            session_timeout_ms: SESSION_TIMEOUT,
            rebalance_timeout_ms: REBALANCE_TIMEOUT,
            member_id: self.id.clone(),
            protocol_type: "consumer".to_owned(),
            protocols: vec![JoinGroupProtocol {
                name: PROTOCOL.to_owned(),
                metadata: Bytes::new(),
            }],
            ..JoinGroupRequest::default()
        };
        let request = Request::JoinGroup(request, self.name.clone());
        let Ok(Response::JoinGroup(joined)) = self.link.call(request).await else {
            return None;
        };
        match joined.error_code {
            ErrorCode::NONE => {}
            ErrorCode::MEMBER_ID_REQUIRED => {
                self.id = joined.member_id;
                return None;
            }
            ErrorCode::UNKNOWN_MEMBER_ID => {
                self.id.clear();
                return None;
            }
            _ => return None,
        }
        self.generation = joined.generation_id;
        self.id.clone_from(&joined.member_id);
        self.sync(&joined).await
    }

    async fn sync(&mut self, joined: &JoinGroupResponse) -> Option<Vec<i32>> {
        let request = Request::SyncGroup(SyncGroupRequest {
            group_id: self.group.to_owned(),
            generation_id: self.generation,
            member_id: self.id.clone(),
            protocol_type: Some("consumer".to_owned()),
            protocol_name: Some(PROTOCOL.to_owned()),
            assignments: assign(joined),
            ..SyncGroupRequest::default()
        });
        let Ok(Response::SyncGroup(synced)) = self.link.call(request).await else {
            return None;
        };
        self.judge(synced.error_code).ok()?;
        Some(
            synced
                .assignment
                .iter()
                .map(|one| i32::from(*one))
                .collect(),
        )
    }

    async fn positions(&mut self, partitions: &[i32]) -> Option<Positions> {
        if partitions.is_empty() {
            return Some(Positions::new());
        }
        let read = read_offsets(&mut self.link, self.group, partitions).await?;
        Some(
            read.into_iter()
                .map(|(index, at)| (("in", index), at))
                .collect(),
        )
    }

    /// Says that it is alive.
    ///
    /// # Errors
    /// When it must join again.
    pub(super) async fn beat(&mut self) -> Result<(), ()> {
        let request = Request::Heartbeat(HeartbeatRequest {
            group_id: self.group.to_owned(),
            generation_id: self.generation,
            member_id: self.id.clone(),
            ..HeartbeatRequest::default()
        });
        match self.link.call(request).await {
            Ok(Response::Done(code)) => self.judge(code),
            _ => Ok(()),
        }
    }

    /// # Errors
    /// When `code` says that the member must join again.
    pub(super) fn judge(&mut self, code: ErrorCode) -> Result<(), ()> {
        match code {
            ErrorCode::NONE => Ok(()),
            ErrorCode::UNKNOWN_MEMBER_ID => {
                self.id.clear();
                Err(())
            }
            _ => Err(()),
        }
    }

    pub(super) async fn leave(&mut self) {
        let request = Request::LeaveGroup(LeaveGroupRequest {
            group_id: self.group.to_owned(),
            member_id: self.id.clone(),
            ..LeaveGroupRequest::default()
        });
        // If the answer is lost, the session ends by itself.
        let _answer = self.link.call(request).await;
        self.id.clear();
    }
}

/// Returns the assignment of the leader: partitions in turn. Empty for others.
fn assign(joined: &JoinGroupResponse) -> Vec<SyncGroupAssignment> {
    let mut members: Vec<_> = joined.members.iter().map(|one| &one.member_id).collect();
    members.sort();
    let mut of: BTreeMap<&String, Vec<u8>> = members.iter().map(|one| (*one, vec![])).collect();
    if members.is_empty() {
        return Vec::new();
    }
    for index in 0..PARTITIONS.unsigned_abs() as usize {
        let member = members[index % members.len()];
        let partitions = of.entry(member).or_default();
        partitions.extend(u8::try_from(index));
    }
    let assignment = |(member, partitions): (&String, Vec<u8>)| SyncGroupAssignment {
        member_id: member.clone(),
        assignment: Bytes::from(partitions),
    };
    of.into_iter().map(assignment).collect()
}

/// Returns what a group has committed for partitions of `in`, and 0 where nothing is; `None`
/// without an answer, or while a transaction may still change it.
pub(crate) async fn read_offsets(
    link: &mut Link,
    group: &str,
    partitions: &[i32],
) -> Option<Vec<(i32, i64)>> {
    let request = Request::OffsetFetch(OffsetFetchRequest {
        group_id: group.to_owned(),
        topics: Some(vec![OffsetFetchTopic {
            name: "in".to_owned(),
            partition_indexes: partitions.to_vec(),
        }]),
        require_stable: true,
        ..OffsetFetchRequest::default()
    });
    let Ok(Response::OffsetFetch(all)) = link.call(request).await else {
        return None;
    };
    if all.len() < partitions.len() || all.iter().any(|(_, code, _)| *code != ErrorCode::NONE) {
        return None;
    }
    Some(
        all.into_iter()
            .map(|(index, _, offset)| (index, offset.max(0)))
            .collect(),
    )
}
