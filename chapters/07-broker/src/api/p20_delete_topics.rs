//! DeleteTopics (20): version 1.

use std::sync::Arc;

use wire_protocol::message::{DeleteTopicsRequest, DeleteTopicsResponse};

use crate::topics::Topics;
use crate::waits::Waits;

/// Deletes topics with all their records; who waits for one is woken.
pub async fn delete_topics(
    topics: &Arc<Topics>,
    waits: &Waits,
    request: DeleteTopicsRequest,
) -> DeleteTopicsResponse {
    let _ = (topics, waits, request);
    todo!()
}
