//! FindCoordinator (10): versions 0 to 2.

use wire_protocol::message::{FindCoordinatorRequest, FindCoordinatorResponse};

/// There is no coordinator until chapter 15 brings one; a client keeps asking.
#[must_use]
pub fn find_coordinator(request: &FindCoordinatorRequest) -> FindCoordinatorResponse {
    let _ = request;
    todo!()
}
