//! InitProducerId (22): versions 0 to 4.

use message_model::ProducerEpoch;
use wire_protocol::ErrorCode;
use wire_protocol::message::{InitProducerIdRequest, InitProducerIdResponse};

use crate::broker::Broker;
use crate::error::error_code;

/// In place of a producer id or an epoch: none.
const NONE: i64 = -1;

/// Hands out a producer id; transactional producers are refused until chapter 20.
///
/// A producer that has one gets another: only a transactional id keeps its own.
pub async fn init_producer_id(
    broker: &Broker,
    request: InitProducerIdRequest,
) -> InitProducerIdResponse {
    if request.transactional_id.is_some() {
        return failed(ErrorCode::COORDINATOR_NOT_AVAILABLE);
    }
    let (id, epoch) = (request.producer_id, i64::from(request.producer_epoch));
    if (id == NONE) != (epoch == NONE) {
        return failed(ErrorCode::INVALID_REQUEST);
    }
    match broker.producer_ids.next().await {
        Ok(id) => InitProducerIdResponse {
            producer_id: id.0,
            producer_epoch: ProducerEpoch::FIRST.0,
            ..InitProducerIdResponse::default()
        },
        Err(error) => {
            tracing::error!("no producer id can be handed out: {error}");
            failed(error_code(&error))
        }
    }
}

fn failed(error_code: ErrorCode) -> InitProducerIdResponse {
    InitProducerIdResponse {
        error_code,
        ..InitProducerIdResponse::default()
    }
}
