//! FindCoordinator (10): versions 0 to 4.

use consumer_groups::{Coordinator as Groups, api as groups};
use wire_protocol::ErrorCode;
use wire_protocol::message::{FindCoordinatorRequest, FindCoordinatorResponse};

use crate::coordinator::Coordinator;

const TRANSACTION: i8 = 1;

/// The broker that coordinates a transactional id, or a group: this one. The topic that
/// transactions or groups are stored in is there when this completes.
pub async fn find_coordinator(
    coordinator: &Coordinator,
    of_groups: &Groups,
    version: i16,
    request: FindCoordinatorRequest,
) -> FindCoordinatorResponse {
    if request.key_type != TRANSACTION {
        return groups::find_coordinator(of_groups, version, request).await;
    }
    let refusal = match coordinator.ensure_topic().await {
        Ok(()) => None,
        Err(error) => {
            tracing::error!("the topic for transactions cannot be made: {error}");
            Some((ErrorCode::COORDINATOR_NOT_AVAILABLE, error.to_string()))
        }
    };
    let info = &coordinator.common.broker.info;
    groups::found_here(info, version, request, refusal.as_ref())
}
