//! Fetch (1): version 11; versions 4 to 10 are canaries.

use std::sync::Arc;
use std::time::Duration;

use async_model::Clock;
use wire_protocol::message::{FetchRequest, FetchResponse};

use crate::topics::Topics;
use crate::waits::Waits;

/// What a fetch may cost, whatever it asks for.
#[derive(Debug, Clone, Copy)]
pub struct FetchLimits {
    /// `fetch.max.bytes`: the most bytes of batches in a response; one batch
    /// is returned even if it is larger.
    pub response_bytes_max: u32,
    /// The longest that a fetch waits for records.
    pub wait_max: Duration,
}

/// Reads whole batches, and waits for them if there are fewer than asked for.
pub async fn fetch(
    topics: &Arc<Topics>,
    waits: &Waits,
    clock: Clock,
    limits: FetchLimits,
    request: FetchRequest,
) -> FetchResponse {
    let _ = (topics, waits, clock, limits, request);
    todo!()
}

/// Answers a version that is advertised and not served.
#[must_use]
pub fn refuse_fetch(request: FetchRequest) -> FetchResponse {
    let _ = request;
    todo!()
}
