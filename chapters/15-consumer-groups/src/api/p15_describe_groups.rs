//! DescribeGroups (15): versions 0 to 5.

use wire_protocol::ErrorCode;
use wire_protocol::message::{
    DescribeGroupsRequest, DescribeGroupsResponse, DescribedGroup, DescribedGroupMember,
};

use super::names::ANSWERED_MAX;
use crate::coordinator::Coordinator;
use crate::part::{Description, MemberDescription, State};

/// A bit for each operation that Kafka knows for a group: read, delete, describe,
/// describe and alter its settings. There is nobody who may not use all of them.
const ALL_OPERATIONS: i32 = 1 << 3 | 1 << 6 | 1 << 8 | 1 << 10 | 1 << 11;
/// The most bytes of members in an answer: a group may be named again and again.
const ANSWER_MAX: usize = 16 * 1024 * 1024;
/// What a member takes beside its metadata and its share, in bytes.
const MEMBER: usize = 512;
/// It was not asked for.
const NOT_ASKED: i32 = i32::MIN;

/// How much memory the answer takes for the members that are known, in bytes.
#[must_use]
pub fn describe_groups_size(coordinator: &Coordinator, request: &DescribeGroupsRequest) -> usize {
    let bytes_of = |group: &String| {
        let shard = coordinator.shard(group).ok()?;
        let state = shard.serving().ok()?;
        Some(state.groups.get(group.as_str())?.group.bytes())
    };
    let groups = request.groups.iter().take(ANSWERED_MAX);
    let bytes: usize = groups.filter_map(bytes_of).sum();
    // Once described, and once encoded.
    2 * bytes.min(ANSWER_MAX)
}

/// The state and the members of groups, as often as a group is named. A group that does not
/// exist is dead.
#[must_use]
pub fn describe_groups(
    coordinator: &Coordinator,
    request: DescribeGroupsRequest,
) -> DescribeGroupsResponse {
    let operations = match request.include_authorized_operations {
        true => ALL_OPERATIONS,
        false => NOT_ASKED,
    };
    let mut left = ANSWER_MAX;
    let groups = request.groups.into_iter().take(ANSWERED_MAX);
    let groups = groups.map(|group_id| {
        let described = match describe(coordinator, &group_id) {
            Ok(Some(description)) => match left.checked_sub(size(&description)) {
                Some(rest) => {
                    left = rest;
                    encode(description)
                }
                None => refused(ErrorCode::POLICY_VIOLATION),
            },
            Ok(None) => DescribedGroup {
                group_state: State::Dead.name().to_owned(),
                ..DescribedGroup::default()
            },
            Err(code) => refused(code),
        };
        let authorized_operations = match described.error_code {
            ErrorCode::NONE => operations,
            _ => NOT_ASKED,
        };
        DescribedGroup {
            group_id,
            authorized_operations,
            ..described
        }
    });
    DescribeGroupsResponse {
        groups: groups.collect(),
        ..DescribeGroupsResponse::default()
    }
}

fn describe(coordinator: &Coordinator, group: &str) -> Result<Option<Description>, ErrorCode> {
    let shard = coordinator.shard(group)?;
    let state = shard.serving()?;
    Ok(state.groups.get(group).map(|entry| entry.group.describe()))
}

fn refused(error_code: ErrorCode) -> DescribedGroup {
    DescribedGroup {
        error_code,
        ..DescribedGroup::default()
    }
}

fn size(description: &Description) -> usize {
    let members = description.members.iter();
    members
        .map(|one| MEMBER + one.metadata.len() + one.assignment.len())
        .sum()
}

fn encode(description: Description) -> DescribedGroup {
    DescribedGroup {
        group_state: description.state.name().to_owned(),
        protocol_type: description.protocol_type.to_string(),
        protocol_data: description.protocol.to_string(),
        members: description.members.into_iter().map(encode_member).collect(),
        ..DescribedGroup::default()
    }
}

fn encode_member(member: MemberDescription) -> DescribedGroupMember {
    DescribedGroupMember {
        member_id: member.member.0.to_string(),
        group_instance_id: member.instance.map(|id| id.0.to_string()),
        client_id: member.client.id.to_string(),
        client_host: member.client.host.to_string(),
        member_metadata: member.metadata,
        member_assignment: member.assignment,
    }
}
