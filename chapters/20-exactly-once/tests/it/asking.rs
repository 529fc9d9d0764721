//! What producers ask of the coordinator, in the newest versions.

use std::time::Duration;

use exactly_once::api;
use wire_protocol::ErrorCode;
use wire_protocol::message::{
    AddOffsetsToTxnRequest, AddPartitionsToTxnRequest, AddPartitionsToTxnTopic,
    DescribeTransactionsRequest, DescribedTransaction, EndTxnRequest, FindCoordinatorRequest,
    InitProducerIdRequest, InitProducerIdResponse,
};

use crate::support::Queue;

/// The newest version of InitProducerId.
const INIT: i16 = 4;
/// The newest version of the other requests of producers.
const NEWEST: i16 = 3;
/// How often a test asks again before it fails.
pub(crate) const TRIES: usize = 1_000_000;
/// A call that is not answered fails after so long, instead of hanging.
const PATIENCE: Duration = Duration::from_secs(30);

async fn in_time<T>(call: impl Future<Output = T>) -> T {
    let answer = tokio::time::timeout(PATIENCE, call).await;
    answer.expect("the coordinator answers")
}

/// Asks until the answer is another one than that the transaction before is being ended.
pub(crate) async fn end(queue: &Queue, producer: &Producer, commits: bool) -> ErrorCode {
    for _ in 0..TRIES {
        match queue.end_txn(producer, commits).await {
            ErrorCode::CONCURRENT_TRANSACTIONS => tokio::task::yield_now().await,
            code => return code,
        }
    }
    panic!("{producer:?} waits for ever")
}

/// Waits until `is_so`. A panic in a hole of the parts ends the work that a test waits for, and
/// then the test fails instead of hanging.
pub(crate) async fn until(what: &str, is_so: impl Fn() -> bool) {
    for _ in 0..TRIES {
        if is_so() {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("never: {what}")
}

/// A producer that has an instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Producer {
    pub(crate) transactional_id: String,
    pub(crate) id: i64,
    pub(crate) epoch: i16,
}

pub(crate) fn init_request(id: &str) -> InitProducerIdRequest {
    InitProducerIdRequest {
        transactional_id: Some(id.to_owned()),
        transaction_timeout_ms: 60_000,
        ..InitProducerIdRequest::default()
    }
}

impl Queue {
    /// The topic of transactions is there then.
    pub(crate) async fn find_coordinator(&self, id: &str) -> ErrorCode {
        let request = FindCoordinatorRequest {
            key: id.to_owned(),
            key_type: 1,
            ..FindCoordinatorRequest::default()
        };
        let found = api::find_coordinator(&self.transactions, &self.groups, 2, request).await;
        found.error_code
    }

    pub(crate) async fn init(&self, request: InitProducerIdRequest) -> InitProducerIdResponse {
        let initialized = api::init_producer_id(&self.transactions, INIT, request);
        in_time(initialized.await).await
    }

    /// A new instance; asks again while the one before is being fenced.
    pub(crate) async fn producer(&self, id: &str) -> Producer {
        assert_eq!(self.find_coordinator(id).await, ErrorCode::NONE);
        for _ in 0..TRIES {
            let got = self.init(init_request(id)).await;
            match got.error_code {
                ErrorCode::CONCURRENT_TRANSACTIONS => tokio::task::yield_now().await,
                code => {
                    assert_eq!(code, ErrorCode::NONE);
                    return Producer {
                        transactional_id: id.to_owned(),
                        id: got.producer_id,
                        epoch: got.producer_epoch,
                    };
                }
            }
        }
        panic!("the transaction of {id:?} before never ends")
    }

    /// Adds partitions of topics; returns the code of each.
    pub(crate) async fn add(
        &self,
        producer: &Producer,
        topics: &[(&str, &[i32])],
    ) -> Vec<ErrorCode> {
        self.add_version(NEWEST, producer, topics).await
    }

    pub(crate) async fn add_version(
        &self,
        version: i16,
        producer: &Producer,
        topics: &[(&str, &[i32])],
    ) -> Vec<ErrorCode> {
        let topics = topics
            .iter()
            .map(|(name, partitions)| AddPartitionsToTxnTopic {
                name: (*name).to_owned(),
                partitions: partitions.to_vec(),
            });
        let request = AddPartitionsToTxnRequest {
            transactional_id: producer.transactional_id.clone(),
            producer_id: producer.id,
            producer_epoch: producer.epoch,
            topics: topics.collect(),
        };
        let added = api::add_partitions_to_txn(&self.transactions, version, request);
        let added = in_time(added).await;
        let results = added.results_by_topic.iter();
        let results = results.flat_map(|topic| &topic.results_by_partition);
        results.map(|one| one.partition_error_code).collect()
    }

    pub(crate) async fn add_offsets(&self, producer: &Producer, group: &str) -> ErrorCode {
        let request = AddOffsetsToTxnRequest {
            transactional_id: producer.transactional_id.clone(),
            producer_id: producer.id,
            producer_epoch: producer.epoch,
            group_id: group.to_owned(),
        };
        let added = api::add_offsets_to_txn(&self.transactions, NEWEST, request).await;
        in_time(added).await.error_code
    }

    pub(crate) async fn end_txn(&self, producer: &Producer, committed: bool) -> ErrorCode {
        self.end_txn_version(NEWEST, producer, committed).await
    }

    pub(crate) async fn end_txn_version(
        &self,
        version: i16,
        producer: &Producer,
        committed: bool,
    ) -> ErrorCode {
        let request = EndTxnRequest {
            transactional_id: producer.transactional_id.clone(),
            producer_id: producer.id,
            producer_epoch: producer.epoch,
            committed,
        };
        let ended = api::end_txn(&self.transactions, version, &request);
        in_time(ended).await.error_code
    }

    pub(crate) fn describe(&self, id: &str) -> DescribedTransaction {
        let request = DescribeTransactionsRequest {
            transactional_ids: vec![id.to_owned()],
        };
        let mut described = api::describe_transactions(&self.transactions, request);
        described.transaction_states.remove(0)
    }

    /// Kafka's name of the state of a transactional id.
    pub(crate) fn state(&self, id: &str) -> String {
        self.describe(id).transaction_state
    }
}
