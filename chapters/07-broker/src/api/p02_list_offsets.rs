//! ListOffsets (2): version 2; version 1 is a canary.

use std::sync::Arc;

use wire_protocol::message::{ListOffsetsRequest, ListOffsetsResponse};

use crate::topics::Topics;

/// Finds offsets by time, and the ends.
pub async fn list_offsets(
    topics: &Arc<Topics>,
    request: ListOffsetsRequest,
) -> ListOffsetsResponse {
    let _ = (topics, request);
    todo!()
}

/// Answers a version that is advertised and not served.
#[must_use]
pub fn refuse_list_offsets(request: ListOffsetsRequest) -> ListOffsetsResponse {
    let _ = request;
    todo!()
}
