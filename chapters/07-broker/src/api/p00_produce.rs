//! Produce (0): version 7; versions 0 to 6 are canaries.

use std::future::Future;
use std::sync::Arc;

use async_model::Clock;
use message_model::Offset;
use wire_protocol::message::{ProduceRequest, ProduceResponse};

use crate::error::Error;
use crate::partition::Partition;
use crate::topics::Topics;
use crate::waits::Waits;

/// What a producer hears.
#[derive(Debug)]
pub enum Acknowledgement {
    /// A response.
    Response(ProduceResponse),
    /// Nothing: it asked for `acks=0`, and all went well.
    Silence,
    /// The end of the connection: the only way to tell a producer with
    /// `acks=0` that something went wrong.
    Close,
}

/// Appends a batch to each of some partitions.
///
/// `durable(partition, end)` completes when everything below `end` is safe
/// against power loss; see [`sync_on_blocking_pool`](crate::sync_on_blocking_pool).
pub async fn produce<Wait, Waiting>(
    topics: &Topics,
    waits: &Waits,
    clock: Clock,
    durable: Wait,
    request: ProduceRequest,
) -> Acknowledgement
where
    Wait: Fn(Arc<Partition>, Offset) -> Waiting,
    Waiting: Future<Output = Result<(), Error>>,
{
    let _ = (topics, waits, clock, durable, request);
    todo!()
}

/// Answers a version that is advertised and not served.
#[must_use]
pub fn refuse_produce(request: ProduceRequest) -> Acknowledgement {
    let _ = request;
    todo!()
}
