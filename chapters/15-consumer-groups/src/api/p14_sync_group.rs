//! SyncGroup (14): versions 0 to 5.

use std::future::Future;

use bytes::Bytes;
use wire_protocol::ErrorCode;
use wire_protocol::message::{SyncGroupRequest, SyncGroupResponse};

use super::names::{check_group, identity};
use crate::coordinator::Coordinator;
use crate::parked::Parked;
use crate::part::{Effect, MemberId, Sync};
use crate::refusal::code_of;

/// The first version in which a member has to say what it has joined.
const PROTOCOL_SINCE: i16 = 5;

/// How many bytes the share in an answer has, which the group keeps too.
#[must_use]
pub fn sync_group_size(response: &SyncGroupResponse) -> usize {
    response.assignment.len()
}

/// The member's share of the partitions, when the leader has sent all shares and they are
/// on disk.
///
/// The group has taken the request when this returns.
pub fn sync_group(
    coordinator: &Coordinator,
    version: i16,
    request: SyncGroupRequest,
) -> impl Future<Output = SyncGroupResponse> + Send + use<> {
    let parked = park(coordinator, version, request);
    async move {
        let answer = match parked {
            Ok(parked) => parked.answer().await,
            Err(code) => return refused(code),
        };
        match answer {
            Some(Effect::Synced { answer, .. }) => match answer {
                Ok(synced) => SyncGroupResponse {
                    protocol_type: Some(synced.protocol_type.to_string()),
                    protocol_name: Some(synced.protocol.to_string()),
                    assignment: synced.assignment,
                    ..SyncGroupResponse::default()
                },
                Err(refusal) => refused(code_of(refusal)),
            },
            _ => refused(ErrorCode::COORDINATOR_NOT_AVAILABLE),
        }
    }
}

fn park(
    coordinator: &Coordinator,
    version: i16,
    request: SyncGroupRequest,
) -> Result<Parked, ErrorCode> {
    let is_named = request.protocol_type.is_some() && request.protocol_name.is_some();
    if version >= PROTOCOL_SINCE && !is_named {
        return Err(ErrorCode::INCONSISTENT_GROUP_PROTOCOL);
    }
    check_group(&request.group_id)?;
    let shard = coordinator.shard(&request.group_id)?;
    // There are no more members that could get a share.
    if request.assignments.len() > coordinator.common.settings.group.members_max {
        return Err(ErrorCode::INVALID_REQUEST);
    }
    let shares = request.assignments.iter();
    let size = shares.map(|one| one.assignment.len()).sum();
    if !coordinator.common.room.has_bytes(size) {
        return Err(ErrorCode::GROUP_MAX_SIZE_REACHED);
    }
    let sync = Sync {
        identity: identity(&request.member_id, request.group_instance_id.as_deref()),
        generation: request.generation_id,
        protocol_type: request.protocol_type.as_deref().map(Into::into),
        protocol: request.protocol_name.as_deref().map(Into::into),
        assignments: request
            .assignments
            .iter()
            .map(|one| {
                // A copy: a slice of the request would keep all of it in memory.
                let share = Bytes::copy_from_slice(&one.assignment);
                (MemberId::new(&one.member_id), share)
            })
            .collect(),
    };
    let parked = shard.park(request.group_id, false, |group, now, call| {
        group.sync(now, call, sync)
    })?;
    parked.ok_or(ErrorCode::UNKNOWN_MEMBER_ID)
}

fn refused(error_code: ErrorCode) -> SyncGroupResponse {
    SyncGroupResponse {
        error_code,
        ..SyncGroupResponse::default()
    }
}
