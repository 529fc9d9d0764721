//! InitProducerId (22): versions 0 and 1.

use message_model::ProducerEpoch;
use wire_protocol::ErrorCode;
use wire_protocol::message::{InitProducerIdRequest, InitProducerIdResponse};

use crate::broker::Broker;
use crate::error::error_code;

/// Hands out a producer id; transactional producers are refused until chapter 20.
pub async fn init_producer_id(
    broker: &Broker,
    request: InitProducerIdRequest,
) -> InitProducerIdResponse {
    if request.transactional_id.is_some() {
        return failed(ErrorCode::COORDINATOR_NOT_AVAILABLE);
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
