//! JoinGroup (11): versions 0 to 7.

use std::future::Future;
use std::time::Duration;

use broker::Sender;
use bytes::Bytes;
use wire_protocol::ErrorCode;
use wire_protocol::message::{
    JoinGroupMember, JoinGroupProtocol, JoinGroupRequest, JoinGroupResponse,
};

use super::names::{NAME_MAX, check_group, identity};
use crate::coordinator::Coordinator;
use crate::member_ids::fresh;
use crate::parked::Parked;
use crate::part::{Client, Effect, Join, Joined, MemberId, Protocol};
use crate::refusal::code_of;

/// The first version in which a consumer gets a member id before it joins.
const ID_FIRST_SINCE: i16 = 4;
/// The most protocols of a member; clients know a handful.
const PROTOCOLS_MAX: usize = 100;

/// How many bytes of metadata an answer has, all of which the group keeps too.
#[must_use]
pub fn join_group_size(response: &JoinGroupResponse) -> usize {
    response.members.iter().map(|one| one.metadata.len()).sum()
}

/// The generation that a member is in, when all others have joined it too.
///
/// The group has taken the request when this returns. Nothing of the request is kept in the
/// future, for a rebalance may last minutes: what the group keeps is a copy, and counted.
// ANCHOR: join_group
pub fn join_group(
    coordinator: &Coordinator,
    version: i16,
    sender: &Sender,
    request: JoinGroupRequest,
) -> impl Future<Output = JoinGroupResponse> + Send + use<> {
    let member_id = request.member_id.clone();
    let parked = park(coordinator, version, sender, request);
    async move {
        let answer = match parked {
            Ok(parked) => parked.answer().await,
            Err(code) => return refused(member_id, code),
        };
        match answer {
            Some(Effect::Joined { member, answer, .. }) => match answer {
                Ok(joined) => encode(&member, joined),
                Err(refusal) => refused(member.0.to_string(), code_of(refusal)),
            },
            _ => refused(member_id, ErrorCode::COORDINATOR_NOT_AVAILABLE),
        }
    }
}
// ANCHOR_END: join_group

fn park(
    coordinator: &Coordinator,
    version: i16,
    sender: &Sender,
    request: JoinGroupRequest,
) -> Result<Parked, ErrorCode> {
    check_group(&request.group_id)?;
    let shard = coordinator.shard(&request.group_id)?;
    let join = join(version, sender, &request)?;
    let limits = &coordinator.common.settings.group;
    let sessions = limits.session_timeout_min..=limits.session_timeout_max;
    if !sessions.contains(&join.session_timeout) {
        return Err(ErrorCode::INVALID_SESSION_TIMEOUT);
    }
    let protocols = join.protocols.iter();
    let size: usize = protocols
        .map(|one| one.metadata.len() + one.name.len())
        .sum();
    if !coordinator.common.room.has_bytes(size) {
        return Err(ErrorCode::GROUP_MAX_SIZE_REACHED);
    }
    let makes = join.identity.member.is_empty();
    let parked = shard.park(request.group_id, makes, |group, now, call| {
        group.join(now, call, join)
    })?;
    parked.ok_or(ErrorCode::UNKNOWN_MEMBER_ID)
}

/// # Errors
/// `INVALID_REQUEST` if a name is too long to be stored, or there are too many protocols.
fn join(version: i16, sender: &Sender, request: &JoinGroupRequest) -> Result<Join, ErrorCode> {
    let instance = request.group_instance_id.as_deref();
    let client_id = sender.client_id.as_deref().unwrap_or_default();
    let names = request.protocols.iter().map(|one| &one.name);
    let names = names.chain([&request.protocol_type, &request.member_id]);
    let is_long = |name: &String| name.len() > NAME_MAX;
    let is_long = names.into_iter().any(is_long);
    let is_long = is_long || instance.is_some_and(|id| id.len() > NAME_MAX);
    if is_long || request.protocols.len() > PROTOCOLS_MAX {
        return Err(ErrorCode::INVALID_REQUEST);
    }
    let session_timeout = from_millis(request.session_timeout_ms);
    Ok(Join {
        identity: identity(&request.member_id, instance),
        fresh_id: fresh(instance.unwrap_or(client_id)),
        id_first: version >= ID_FIRST_SINCE,
        client: Client {
            id: client_id.into(),
            // As Java writes an address without a name.
            host: format!("/{}", sender.host).into(),
        },
        session_timeout,
        rebalance_timeout: match version {
            0 => session_timeout,
            _ => from_millis(request.rebalance_timeout_ms),
        },
        protocol_type: request.protocol_type.as_str().into(),
        protocols: request.protocols.iter().map(protocol).collect(),
    })
}

/// A copy: a slice of the request would keep all of it in memory.
fn protocol(protocol: &JoinGroupProtocol) -> Protocol {
    Protocol {
        name: protocol.name.as_str().into(),
        metadata: Bytes::copy_from_slice(&protocol.metadata),
    }
}

fn from_millis(millis: i32) -> Duration {
    Duration::from_millis(u64::try_from(millis).unwrap_or(0))
}

fn encode(member: &MemberId, joined: Joined) -> JoinGroupResponse {
    let members = joined.members.into_iter().map(|one| JoinGroupMember {
        member_id: one.member.0.to_string(),
        group_instance_id: one.instance.map(|id| id.0.to_string()),
        metadata: one.metadata,
    });
    JoinGroupResponse {
        generation_id: joined.generation,
        protocol_type: Some(joined.protocol_type.to_string()),
        protocol_name: Some(joined.protocol.to_string()),
        leader: joined.leader.0.to_string(),
        member_id: member.0.to_string(),
        members: members.collect(),
        ..JoinGroupResponse::default()
    }
}

fn refused(member_id: String, error_code: ErrorCode) -> JoinGroupResponse {
    JoinGroupResponse {
        error_code,
        member_id,
        ..JoinGroupResponse::default()
    }
}
