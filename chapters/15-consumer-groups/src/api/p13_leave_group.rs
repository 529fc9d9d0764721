//! LeaveGroup (13): versions 0 to 4.

use wire_protocol::ErrorCode;
use wire_protocol::message::{
    LeaveGroupRequest, LeaveGroupResponse, LeavingMember, LeavingMemberResponse,
};

use super::names::{check_group, identity};
use crate::coordinator::Coordinator;
use crate::refusal::code_of;

/// The first version that names several members.
const SEVERAL_SINCE: i16 = 3;

/// Removes members from a group at once, so that the others need not wait for them to be
/// silent for too long.
#[must_use]
pub fn leave_group(
    coordinator: &Coordinator,
    version: i16,
    request: LeaveGroupRequest,
) -> LeaveGroupResponse {
    let leaving = match version {
        SEVERAL_SINCE.. => request.members,
        _ => vec![LeavingMember {
            member_id: request.member_id,
            group_instance_id: None,
        }],
    };
    let left = match leave(coordinator, &request.group_id, &leaving) {
        Ok(left) => left,
        Err(error_code) => {
            return LeaveGroupResponse {
                error_code,
                ..LeaveGroupResponse::default()
            };
        }
    };
    if version < SEVERAL_SINCE {
        return LeaveGroupResponse {
            error_code: left.first().copied().unwrap_or(ErrorCode::NONE),
            ..LeaveGroupResponse::default()
        };
    }
    let members = leaving.into_iter().zip(left);
    LeaveGroupResponse {
        members: members
            .map(|(member, error_code)| LeavingMemberResponse {
                member_id: member.member_id,
                group_instance_id: member.group_instance_id,
                error_code,
            })
            .collect(),
        ..LeaveGroupResponse::default()
    }
}

/// What each is answered, in order.
fn leave(
    coordinator: &Coordinator,
    group: &str,
    leaving: &[LeavingMember],
) -> Result<Vec<ErrorCode>, ErrorCode> {
    check_group(group)?;
    // There are no more members that could leave.
    if leaving.len() > coordinator.common.settings.group.members_max {
        return Err(ErrorCode::INVALID_REQUEST);
    }
    let shard = coordinator.shard(group)?;
    let leavers: Vec<_> = leaving
        .iter()
        .map(|one| identity(&one.member_id, one.group_instance_id.as_deref()))
        .collect();
    let left = shard.step(group, |group, now| group.leave(now, &leavers))?;
    let Some(left) = left else {
        return Ok(vec![ErrorCode::UNKNOWN_MEMBER_ID; leaving.len()]);
    };
    let codes = left.into_iter().map(|left| match left {
        Ok(()) => ErrorCode::NONE,
        Err(refusal) => code_of(refusal),
    });
    Ok(codes.collect())
}
