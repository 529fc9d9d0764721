//! CreateTopics (19): version 3.

use std::sync::Arc;

use async_model::Clock;
use wire_protocol::message::{CreateTopicsRequest, CreateTopicsResponse};

use crate::topics::Topics;

/// Creates topics.
pub async fn create_topics(
    topics: &Arc<Topics>,
    clock: Clock,
    request: CreateTopicsRequest,
) -> CreateTopicsResponse {
    let _ = (topics, clock, request);
    todo!()
}
