//! DeleteGroups (42): versions 0 to 2.

use std::future::Future;
use std::sync::Arc;

use message_model::Offset;
use wire_protocol::ErrorCode;
use wire_protocol::message::{DeletableGroupResult, DeleteGroupsRequest, DeleteGroupsResponse};

use super::names::ANSWERED_MAX;
use crate::coordinator::Coordinator;
use crate::part::State;
use crate::records::Stored;
use crate::shard::Shard;
use crate::topics::tombstone;
use crate::turn::Batches;

/// Deletes groups without members, with all that they have committed. A group is answered
/// once, however often it is named.
///
/// They are gone when this completes. The response comes when that is on disk.
pub async fn delete_groups(
    coordinator: &Coordinator,
    request: DeleteGroupsRequest,
) -> impl Future<Output = DeleteGroupsResponse> + Send + use<> {
    let mut deleted = Vec::new();
    let mut named = request.groups_names;
    named.sort_unstable();
    named.dedup();
    for group in named.into_iter().take(ANSWERED_MAX) {
        tokio::task::consume_budget().await;
        deleted.push((delete(coordinator, &group.as_str().into()).await, group));
    }
    async move {
        let mut results = Vec::with_capacity(deleted.len());
        for (deleted, group_id) in deleted {
            let deleted = match deleted {
                Ok((shard, end)) => shard.durable(end).await,
                Err(code) => Err(code),
            };
            results.push(DeletableGroupResult {
                group_id,
                error_code: deleted.err().unwrap_or(ErrorCode::NONE),
            });
        }
        DeleteGroupsResponse {
            results,
            ..DeleteGroupsResponse::default()
        }
    }
}

async fn delete(
    coordinator: &Coordinator,
    group: &Arc<str>,
) -> Result<(Arc<Shard>, Offset), ErrorCode> {
    let shard = coordinator.shard(group)?;
    let turn = shard.turn().await?;
    let change = turn.change(Batches::Several, |state| {
        let entry = state.groups.get(&**group);
        let entry = entry.ok_or(ErrorCode::GROUP_ID_NOT_FOUND)?;
        match entry.group.state() {
            State::Empty => {}
            State::Dead => return Err(ErrorCode::GROUP_ID_NOT_FOUND),
            _ => return Err(ErrorCode::NON_EMPTY_GROUP),
        }
        let places = entry.places().into_iter();
        let mut records: Vec<_> = places
            .map(|(topic, partition)| tombstone(group, topic, partition))
            .collect();
        // Last: with it the group is gone.
        records.push(Stored::Group {
            group: Arc::clone(group),
            value: None,
        });
        Ok((records, ()))
    });
    let ((), end) = change.await?;
    Ok((Arc::clone(&shard), end))
}
