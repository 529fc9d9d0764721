//! FindCoordinator (10): versions 0 to 4.

use broker::api::BrokerInfo;
use wire_protocol::ErrorCode;
use wire_protocol::message::{
    Coordinator as Found, FindCoordinatorRequest, FindCoordinatorResponse,
};

use super::names::ANSWERED_MAX;
use crate::coordinator::Coordinator;

/// The first version that asks about several keys at a time.
const SEVERAL_SINCE: i16 = 4;
const GROUP: i8 = 0;

/// The broker that coordinates a group: this one. The topic that groups are stored in is
/// there when this completes. Chapter 20 answers for transactions.
pub async fn find_coordinator(
    coordinator: &Coordinator,
    version: i16,
    request: FindCoordinatorRequest,
) -> FindCoordinatorResponse {
    let refusal = match request.key_type {
        GROUP => no_topic(coordinator).await,
        _ => Some((
            ErrorCode::INVALID_REQUEST,
            "a key is of a group (0) or of a transaction (1)".to_owned(),
        )),
    };
    let info = &coordinator.common.broker.info;
    found_here(info, version, request, refusal.as_ref())
}

/// The response that all keys are coordinated here, or why none is.
#[must_use]
pub fn found_here(
    info: &BrokerInfo,
    version: i16,
    request: FindCoordinatorRequest,
    refusal: Option<&(ErrorCode, String)>,
) -> FindCoordinatorResponse {
    if version >= SEVERAL_SINCE {
        let keys = request.coordinator_keys.into_iter().take(ANSWERED_MAX);
        return FindCoordinatorResponse {
            coordinators: keys.map(|key| found(info, key, refusal)).collect(),
            ..FindCoordinatorResponse::default()
        };
    }
    let found = found(info, request.key, refusal);
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

fn found(info: &BrokerInfo, key: String, refusal: Option<&(ErrorCode, String)>) -> Found {
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
