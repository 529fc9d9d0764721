//! FindCoordinator (10): versions 0 to 2.

use wire_protocol::ErrorCode;
use wire_protocol::message::{FindCoordinatorRequest, FindCoordinatorResponse};

/// There is no coordinator until chapter 15 brings one; a client keeps asking.
///
/// It is served all the same: old librdkafka compresses with lz4 only if it is.
#[must_use]
pub fn find_coordinator(_request: &FindCoordinatorRequest) -> FindCoordinatorResponse {
    FindCoordinatorResponse {
        error_code: ErrorCode::COORDINATOR_NOT_AVAILABLE,
        error_message: Some("there are no groups and no transactions yet".to_owned()),
        ..FindCoordinatorResponse::default()
    }
}
