//! ListGroups (16): versions 0 to 5.

use std::sync::Arc;

use wire_protocol::ErrorCode;
use wire_protocol::message::{ListGroupsRequest, ListGroupsResponse, ListedGroup};

use crate::coordinator::Coordinator;
use crate::shard::Shard;

/// What Kafka calls groups that JoinGroup and SyncGroup make.
const TYPE: &str = "classic";

/// How much memory a listed group takes beside its names, in bytes: in the answer, and while
/// that is made.
const LISTED: usize = 320;

/// How much memory the answer takes if all groups are listed, in bytes.
#[must_use]
pub fn list_groups_size(coordinator: &Coordinator) -> usize {
    let of_shard = |shard: &Arc<Shard>| {
        let state = shard.serving().ok();
        state.map_or(0, |state| {
            let groups = state.groups.iter();
            let sizes = groups
                .map(|(id, entry)| 2 * (id.len() + entry.group.protocol_type().len()) + LISTED);
            sizes.sum()
        })
    };
    coordinator.shards().iter().map(of_shard).sum()
}

/// All groups in the states that are asked for; all if none is named.
#[must_use]
pub fn list_groups(coordinator: &Coordinator, request: &ListGroupsRequest) -> ListGroupsResponse {
    match list(coordinator, request) {
        Ok(groups) => ListGroupsResponse {
            groups,
            ..ListGroupsResponse::default()
        },
        Err(error_code) => ListGroupsResponse {
            error_code,
            ..ListGroupsResponse::default()
        },
    }
}

fn list(
    coordinator: &Coordinator,
    request: &ListGroupsRequest,
) -> Result<Vec<ListedGroup>, ErrorCode> {
    let mut groups = Vec::new();
    if !names(&request.types_filter, TYPE) {
        return Ok(groups);
    }
    for shard in coordinator.shards().iter() {
        let state = match shard.serving() {
            Ok(state) => state,
            // As Kafka: what is on another broker is not listed here.
            Err(ErrorCode::NOT_COORDINATOR) => continue,
            Err(code) => return Err(code),
        };
        for (id, entry) in &state.groups {
            let name = entry.group.state().name();
            if names(&request.states_filter, name) {
                groups.push(ListedGroup {
                    group_id: id.to_string(),
                    protocol_type: entry.group.protocol_type().to_string(),
                    group_state: name.to_owned(),
                    group_type: TYPE.to_owned(),
                });
            }
        }
    }
    Ok(groups)
}

/// Whether `filter` names `name`, in whatever case, or nothing at all.
fn names(filter: &[String], name: &str) -> bool {
    let mut names = filter.iter();
    filter.is_empty() || names.any(|wanted| wanted.eq_ignore_ascii_case(name))
}
