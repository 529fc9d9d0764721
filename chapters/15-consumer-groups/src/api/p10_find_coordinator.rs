//! FindCoordinator (10): versions 0 to 4.

use wire_protocol::ErrorCode;
use wire_protocol::message::{
    Coordinator as Found, FindCoordinatorRequest, FindCoordinatorResponse,
};

use super::names::ANSWERED_MAX;
use crate::coordinator::Coordinator;

/// The first version that asks about several keys at a time.
const SEVERAL_SINCE: i16 = 4;
const GROUP: i8 = 0;
const TRANSACTION: i8 = 1;

/// The broker that coordinates a group: this one. The topic that groups are stored in is
/// there when this completes. Transactions have no coordinator before chapter 20.
pub async fn find_coordinator(
    coordinator: &Coordinator,
    version: i16,
    request: FindCoordinatorRequest,
) -> FindCoordinatorResponse {
    let refusal = match request.key_type {
        GROUP => no_topic(coordinator).await,
        TRANSACTION => Some((
            ErrorCode::COORDINATOR_NOT_AVAILABLE,
            "there are no transactions yet".to_owned(),
        )),
        _ => Some((
            ErrorCode::INVALID_REQUEST,
            "a key is of a group (0) or of a transaction (1)".to_owned(),
        )),
    };
    if version >= SEVERAL_SINCE {
        let keys = request.coordinator_keys.into_iter().take(ANSWERED_MAX);
        return FindCoordinatorResponse {
            coordinators: keys
                .map(|key| found(coordinator, key, refusal.as_ref()))
                .collect(),
            ..FindCoordinatorResponse::default()
        };
    }
    let found = found(coordinator, request.key, refusal.as_ref());
    FindCoordinatorResponse {
        error_code: found.error_code,
        // As Kafka, which names the code where there is no message.
        error_message: found
            .error_message
            .filter(|text| !text.is_empty())
            .or(Some("NONE".to_owned())),
        node_id: found.node_id,
        host: found.host,
        port: found.port,
        ..FindCoordinatorResponse::default()
    }
}

/// Why the topic that groups are stored in is not there.
async fn no_topic(coordinator: &Coordinator) -> Option<(ErrorCode, String)> {
    let error = coordinator.ensure_topic().await.err()?;
    tracing::error!("the topic for groups cannot be made: {error}");
    Some((ErrorCode::COORDINATOR_NOT_AVAILABLE, error.to_string()))
}

fn found(coordinator: &Coordinator, key: String, refusal: Option<&(ErrorCode, String)>) -> Found {
    let info = &coordinator.common.broker.info;
    match refusal {
        Some((error_code, message)) => Found {
            key,
            error_code: *error_code,
            error_message: Some(message.clone()),
            ..Found::default()
        },
        None => Found {
            key,
            node_id: info.id.0,
            host: info.host.clone(),
            port: i32::from(info.port),
            error_message: Some(String::new()),
            ..Found::default()
        },
    }
}
