//! TxnOffsetCommit (28): versions 0 to 3.

use std::future::Future;

use message_model::{ProducerEpoch, ProducerId};
use wire_protocol::ErrorCode;
use wire_protocol::message::{
    OffsetCommitPartition, OffsetCommitRequest, OffsetCommitResponse, OffsetCommitTopic,
    TxnOffsetCommitRequest, TxnOffsetCommitRequestTopic, TxnOffsetCommitResponse,
    TxnOffsetCommitResponsePartition, TxnOffsetCommitResponseTopic,
};

use super::names::check_group;
use super::p08_offset_commit::{Committed, commit};
use crate::coordinator::Coordinator;
use crate::transactions::Transaction;

/// Stores how far a group has read, as part of a transaction: it counts when that commits.
///
/// Completes when it is in the log. The response comes when it is on disk.
// ANCHOR: txn_offset_commit
pub async fn txn_offset_commit(
    coordinator: &Coordinator,
    request: TxnOffsetCommitRequest,
) -> impl Future<Output = TxnOffsetCommitResponse> + Send + use<> {
    let transaction = Transaction {
        producer: ProducerId(request.producer_id),
        epoch: ProducerEpoch(request.producer_epoch),
    };
    let committed = match check_names(&request) {
        Ok(()) => Ok(commit(coordinator, as_commit(request), Some(transaction)).await),
        Err(code) => Err((request, code)),
    };
    async move {
        match committed {
            Ok(committed) => encode(Committed::answer(committed).await),
            Err((request, code)) => refuse(request, code),
        }
    }
}
// ANCHOR_END: txn_offset_commit

/// Without a producer the offsets would be in no transaction.
fn check_names(request: &TxnOffsetCommitRequest) -> Result<(), ErrorCode> {
    check_group(&request.group_id)?;
    match request.producer_id < 0 || request.producer_epoch < 0 {
        true => Err(ErrorCode::INVALID_PRODUCER_ID_MAPPING),
        false => Ok(()),
    }
}

/// The same offsets without the transaction.
fn as_commit(request: TxnOffsetCommitRequest) -> OffsetCommitRequest {
    let topics = request.topics.into_iter().map(|topic| OffsetCommitTopic {
        partitions: topic
            .partitions
            .into_iter()
            .map(|one| OffsetCommitPartition {
                partition_index: one.partition_index,
                committed_offset: one.committed_offset,
                committed_leader_epoch: one.committed_leader_epoch,
                committed_metadata: one.committed_metadata,
            })
            .collect(),
        name: topic.name,
    });
    OffsetCommitRequest {
        topics: topics.collect(),
        group_id: request.group_id,
        generation_id: request.generation_id,
        member_id: request.member_id,
        group_instance_id: request.group_instance_id,
        ..OffsetCommitRequest::default()
    }
}

fn encode(response: OffsetCommitResponse) -> TxnOffsetCommitResponse {
    let topics = response.topics.into_iter();
    let topics = topics.map(|topic| TxnOffsetCommitResponseTopic {
        partitions: topic
            .partitions
            .into_iter()
            .map(|one| TxnOffsetCommitResponsePartition {
                partition_index: one.partition_index,
                error_code: one.error_code,
            })
            .collect(),
        name: topic.name,
    });
    TxnOffsetCommitResponse {
        topics: topics.collect(),
        ..TxnOffsetCommitResponse::default()
    }
}

fn refuse(request: TxnOffsetCommitRequest, error_code: ErrorCode) -> TxnOffsetCommitResponse {
    let of_topic = |topic: TxnOffsetCommitRequestTopic| TxnOffsetCommitResponseTopic {
        partitions: topic
            .partitions
            .into_iter()
            .map(|one| TxnOffsetCommitResponsePartition {
                partition_index: one.partition_index,
                error_code,
            })
            .collect(),
        name: topic.name,
    };
    TxnOffsetCommitResponse {
        topics: request.topics.into_iter().map(of_topic).collect(),
        ..TxnOffsetCommitResponse::default()
    }
}
