//! InitProducerId (22): versions 0 and 1.

use std::sync::Arc;

use wire_protocol::message::{InitProducerIdRequest, InitProducerIdResponse};

use crate::producer_ids::ProducerIds;

/// Hands out a producer id; transactional producers are refused until chapter 20.
pub async fn init_producer_id(
    ids: &Arc<ProducerIds>,
    request: InitProducerIdRequest,
) -> InitProducerIdResponse {
    let _ = (ids, request);
    todo!()
}
