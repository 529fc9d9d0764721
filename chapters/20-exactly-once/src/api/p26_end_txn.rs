//! EndTxn (26): versions 0 to 3.

use std::future::Future;

use wire_protocol::ErrorCode;
use wire_protocol::message::{EndTxnRequest, EndTxnResponse};

use super::names::{check_id, instance};
use crate::coordinator::Coordinator;
use crate::parked::Parked;
use crate::part::Outcome;
use crate::refusal::fenced;

/// The first version that knows PRODUCER_FENCED.
const FENCED_SINCE: i16 = 2;

/// Commits or aborts the open transaction of a producer.
///
/// The response comes when all partitions have their markers on disk, so that the producer can
/// begin its next transaction at once.
// ANCHOR: end_txn
pub fn end_txn(
    coordinator: &Coordinator,
    version: i16,
    request: &EndTxnRequest,
) -> impl Future<Output = EndTxnResponse> + Send + use<> {
    let parked = park(coordinator, request);
    async move {
        let code = match parked {
            Ok(parked) => parked.answer(fenced(version, FENCED_SINCE)).await.err(),
            Err(code) => Some(code),
        };
        EndTxnResponse {
            error_code: code.unwrap_or(ErrorCode::NONE),
            ..EndTxnResponse::default()
        }
    }
}
// ANCHOR_END: end_txn

fn park(coordinator: &Coordinator, request: &EndTxnRequest) -> Result<Parked, ErrorCode> {
    let id = &request.transactional_id;
    check_id(id)?;
    let producer = instance(request.producer_id, request.producer_epoch);
    let outcome = match request.committed {
        true => Outcome::Commit,
        false => Outcome::Abort,
    };
    let shard = coordinator.shard(id)?;
    shard.park(id, false, |transactions, now, call| {
        transactions.end(now, call, producer, outcome)
    })
}
