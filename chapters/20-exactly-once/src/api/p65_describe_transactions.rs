//! DescribeTransactions (65): version 0.

use std::collections::BTreeMap;

use wire_protocol::ErrorCode;
use wire_protocol::message::{
    DescribeTransactionsRequest, DescribeTransactionsResponse, DescribedTransaction,
    DescribedTransactionTopic,
};

use super::names::{ANSWERED_MAX, check_id};
use crate::coordinator::Coordinator;
use crate::part::{State, TransactionMetadata};

/// The most partitions in an answer: a transactional id may be named again and again.
const PARTITIONS_MAX: usize = 200_000;

/// How much memory a partition takes in the answer, and while that is made, in bytes.
const PARTITION: usize = 128;

/// How much memory the answer takes for what is known, in bytes.
#[must_use]
pub fn describe_transactions_size(
    coordinator: &Coordinator,
    request: &DescribeTransactionsRequest,
) -> usize {
    let partitions_of = |id: &String| {
        let shard = coordinator.shard(id).ok()?;
        let state = shard.serving().ok()?;
        let entry = state.ids.get(id.as_str())?;
        Some(entry.transactions.metadata().partitions.len())
    };
    let ids = request.transactional_ids.iter().take(ANSWERED_MAX);
    let partitions: usize = ids.filter_map(partitions_of).sum();
    partitions.min(PARTITIONS_MAX) * PARTITION
}

/// What is known of transactional ids.
#[must_use]
pub fn describe_transactions(
    coordinator: &Coordinator,
    request: DescribeTransactionsRequest,
) -> DescribeTransactionsResponse {
    let mut left = PARTITIONS_MAX;
    let ids = request.transactional_ids.into_iter().take(ANSWERED_MAX);
    let states = ids.map(|id| {
        let described = describe(coordinator, &id).and_then(|metadata| {
            left = left
                .checked_sub(metadata.partitions.len())
                .ok_or(ErrorCode::POLICY_VIOLATION)?;
            Ok(metadata)
        });
        encode(id, described)
    });
    DescribeTransactionsResponse {
        transaction_states: states.collect(),
        ..DescribeTransactionsResponse::default()
    }
}

fn describe(coordinator: &Coordinator, id: &str) -> Result<TransactionMetadata, ErrorCode> {
    check_id(id)?;
    let shard = coordinator.shard(id)?;
    let state = shard.serving()?;
    let metadata = state.ids.get(id).map(|entry| entry.transactions.metadata());
    let metadata = metadata.filter(|metadata| metadata.state != State::Dead);
    metadata
        .cloned()
        .ok_or(ErrorCode::TRANSACTIONAL_ID_NOT_FOUND)
}

fn encode(
    transactional_id: String,
    described: Result<TransactionMetadata, ErrorCode>,
) -> DescribedTransaction {
    let metadata = match described {
        Ok(metadata) => metadata,
        Err(error_code) => {
            return DescribedTransaction {
                error_code,
                transactional_id,
                ..DescribedTransaction::default()
            };
        }
    };
    let mut topics: BTreeMap<&str, Vec<i32>> = BTreeMap::new();
    for one in &metadata.partitions {
        let partitions = topics.entry(one.topic.as_str()).or_default();
        partitions.push(one.partition.0);
    }
    let topics = topics.into_iter();
    DescribedTransaction {
        error_code: ErrorCode::NONE,
        transactional_id,
        transaction_state: metadata.state.name().to_owned(),
        transaction_timeout_ms: i32::try_from(metadata.timeout.as_millis()).unwrap_or(i32::MAX),
        transaction_start_time_ms: metadata.started.0,
        producer_id: metadata.producer.id.0,
        producer_epoch: metadata.producer.epoch.0,
        topics: topics
            .map(|(topic, partitions)| DescribedTransactionTopic {
                topic: topic.to_owned(),
                partitions,
            })
            .collect(),
    }
}
