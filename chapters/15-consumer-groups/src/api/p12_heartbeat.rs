//! Heartbeat (12): versions 0 to 4.

use wire_protocol::ErrorCode;
use wire_protocol::message::{HeartbeatRequest, HeartbeatResponse};

use super::names::{check_group, identity};
use crate::coordinator::Coordinator;
use crate::refusal::code_of;

/// Whether the generation of a member is still the group's. The member's session begins anew.
#[must_use]
pub fn heartbeat(coordinator: &Coordinator, request: &HeartbeatRequest) -> HeartbeatResponse {
    let error_code = match beat(coordinator, request) {
        Ok(()) => ErrorCode::NONE,
        // As Kafka: a member need not know, for no session ends meanwhile.
        Err(ErrorCode::COORDINATOR_LOAD_IN_PROGRESS) => ErrorCode::NONE,
        Err(code) => code,
    };
    HeartbeatResponse {
        error_code,
        ..HeartbeatResponse::default()
    }
}

fn beat(coordinator: &Coordinator, request: &HeartbeatRequest) -> Result<(), ErrorCode> {
    check_group(&request.group_id)?;
    let shard = coordinator.shard(&request.group_id)?;
    let identity = identity(&request.member_id, request.group_instance_id.as_deref());
    let beat = shard.step(&request.group_id, |group, now| {
        let answer = group.heartbeat(now, &identity, request.generation_id);
        (answer, Vec::new())
    })?;
    beat.ok_or(ErrorCode::UNKNOWN_MEMBER_ID)?.map_err(code_of)
}
