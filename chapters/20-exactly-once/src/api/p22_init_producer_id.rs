//! InitProducerId (22): versions 0 to 4.

use std::future::Future;
use std::time::Duration;

use broker::api::init_producer_id as without_transactions;
use wire_protocol::ErrorCode;
use wire_protocol::message::{InitProducerIdRequest, InitProducerIdResponse};

use super::names::{check_id, instance};
use crate::coordinator::Coordinator;
use crate::parked::Parked;
use crate::part::{Init, Instance};
use crate::refusal::fenced;

/// In place of a producer id or an epoch: none.
const NONE: i64 = -1;
/// The first version that knows PRODUCER_FENCED.
const FENCED_SINCE: i16 = 4;

/// What is known when the request has taken effect.
enum Begun {
    /// The producer has no transactional id.
    Now(InitProducerIdResponse),
    Parked(Result<Parked, ErrorCode>),
}

/// Hands out a producer id, or the next epoch of a transactional id, whose instances before
/// are fenced.
///
/// The response comes when the new instance is on disk.
// ANCHOR: init_producer_id
pub async fn init_producer_id(
    coordinator: &Coordinator,
    version: i16,
    request: InitProducerIdRequest,
) -> impl Future<Output = InitProducerIdResponse> + Send + use<> {
    let begun = match &request.transactional_id {
        None => Begun::Now(without_transactions(&coordinator.common.broker, request).await),
        Some(id) => Begun::Parked(init(coordinator, id, &request).await),
    };
    async move {
        match begun {
            Begun::Now(response) => response,
            Begun::Parked(Ok(parked)) => encode(parked.answer(fenced(version, FENCED_SINCE)).await),
            Begun::Parked(Err(code)) => encode(Err(code)),
        }
    }
}
// ANCHOR_END: init_producer_id

async fn init(
    coordinator: &Coordinator,
    id: &str,
    request: &InitProducerIdRequest,
) -> Result<Parked, ErrorCode> {
    check_id(id)?;
    let (producer, epoch) = (request.producer_id, i64::from(request.producer_epoch));
    if (producer == NONE) != (epoch == NONE) {
        return Err(ErrorCode::INVALID_REQUEST);
    }
    let shard = coordinator.shard(id)?;
    let fresh_id = coordinator.common.broker.producer_ids.next().await;
    let init = Init {
        fresh_id: fresh_id.map_err(|error| {
            tracing::error!("no producer id can be handed out: {error}");
            ErrorCode::COORDINATOR_NOT_AVAILABLE
        })?,
        timeout: Duration::from_millis(u64::try_from(request.transaction_timeout_ms).unwrap_or(0)),
        expected: (producer != NONE).then(|| instance(producer, request.producer_epoch)),
    };
    shard.park(id, true, |transactions, now, call| {
        transactions.init(now, call, &init)
    })
}

fn encode(answer: Result<Instance, ErrorCode>) -> InitProducerIdResponse {
    match answer {
        Ok(instance) => InitProducerIdResponse {
            producer_id: instance.id.0,
            producer_epoch: instance.epoch.0,
            ..InitProducerIdResponse::default()
        },
        Err(error_code) => InitProducerIdResponse {
            error_code,
            ..InitProducerIdResponse::default()
        },
    }
}
