//! AddOffsetsToTxn (25): versions 0 to 3.

use std::future::Future;

use wire_protocol::ErrorCode;
use wire_protocol::message::{AddOffsetsToTxnRequest, AddOffsetsToTxnResponse};

use super::names::{check_id, instance};
use crate::coordinator::Coordinator;
use crate::entry::cost;
use crate::parked::Parked;
use crate::refusal::fenced;

/// The first version that knows PRODUCER_FENCED.
const FENCED_SINCE: i16 = 2;

/// Adds the offsets of a group to the open transaction of a producer: the partition of
/// `__consumer_offsets` that they are stored in.
///
/// The response comes when that is on disk and the partition knows it.
pub async fn add_offsets_to_txn(
    coordinator: &Coordinator,
    version: i16,
    request: AddOffsetsToTxnRequest,
) -> impl Future<Output = AddOffsetsToTxnResponse> + Send + use<> {
    let parked = park(coordinator, &request).await;
    async move {
        let code = match parked {
            Ok(parked) => parked.answer(fenced(version, FENCED_SINCE)).await.err(),
            Err(code) => Some(code),
        };
        AddOffsetsToTxnResponse {
            error_code: code.unwrap_or(ErrorCode::NONE),
            ..AddOffsetsToTxnResponse::default()
        }
    }
}

async fn park(
    coordinator: &Coordinator,
    request: &AddOffsetsToTxnRequest,
) -> Result<Parked, ErrorCode> {
    let id = &request.transactional_id;
    check_id(id)?;
    let groups = &coordinator.common.groups;
    let partition = groups.offsets_partition(&request.group_id).await;
    let partition = partition.map_err(|error| {
        tracing::error!("the topic for groups cannot be made: {error}");
        ErrorCode::COORDINATOR_NOT_AVAILABLE
    })?;
    let producer = instance(request.producer_id, request.producer_epoch);
    let shard = coordinator.shard(id)?;
    let bytes = cost(partition.topic.as_str());
    if !coordinator.common.room.has_bytes(bytes) {
        return Err(ErrorCode::POLICY_VIOLATION);
    }
    shard.park(id, false, |transactions, now, call| {
        transactions.add_partitions(now, call, producer, vec![partition])
    })
}
