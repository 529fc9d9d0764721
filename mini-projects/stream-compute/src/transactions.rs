//! Calls about transactions that one process begins, and perhaps another one ends.

use std::sync::Arc;
use std::time::Duration;

use client::{Client, Target};
use message_model::{ProducerEpoch, ProducerId, TopicPartition};
use producer::{Identity, Producer, Transaction};
use serde::{Deserialize, Serialize};
use wire_protocol::message::{
    AddPartitionsToTxnRequest, AddPartitionsToTxnTopic, DescribeTransactionsRequest, EndTxnRequest,
    InitProducerIdRequest,
};
use wire_protocol::{ErrorCode, Request};

/// The codes after which no call ends the transaction: another producer has its id now, or the
/// coordinator has aborted it.
const FENCED: [ErrorCode; 4] = [
    ErrorCode::INVALID_PRODUCER_EPOCH,
    ErrorCode::INVALID_PRODUCER_ID_MAPPING,
    ErrorCode::PRODUCER_FENCED,
    ErrorCode::INVALID_TXN_STATE,
];

/// What commits a transaction, from any process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Named {
    pub(crate) id: String,
    /// The producer id and the epoch that the transactional id had then: with another one the queue
    /// refuses to commit.
    pub(crate) producer: (i64, i16),
}

/// What has become of a transaction that was prepared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Open,
    Committed,
    Aborted,
    /// The coordinator knows only what came later, or nothing.
    Unknown,
}

/// The calls, each of which is repeated while that may help. None is done twice by that.
#[derive(Debug, Clone)]
pub(crate) struct Transactions {
    pub(crate) client: Arc<Client>,
    pub(crate) patience: Duration,
    /// How long a transaction may be open. A job that is not resumed within this time has lost
    /// what it had prepared.
    pub(crate) timeout: Duration,
}

impl Transactions {
    /// Begins to write with this id: aborts what is open under it, and fences the others that
    /// write with it. With `expected`, only if it has this identity: else the answer is one of
    /// [`is_fenced`].
    pub(crate) async fn init(
        &self,
        id: &str,
        expected: Option<Identity>,
    ) -> Result<Identity, client::Error> {
        let request = InitProducerIdRequest {
            transactional_id: Some(id.to_owned()),
            transaction_timeout_ms: i32::try_from(self.timeout.as_millis()).unwrap_or(i32::MAX),
            producer_id: expected.map_or(-1, |expected| expected.id.0),
            producer_epoch: expected.map_or(-1, |expected| expected.epoch.0),
        };
        let code = |answer: &<InitProducerIdRequest as Request>::Response| answer.error_code;
        let answer = self.call(id, &request, code).await?;
        Ok(Identity {
            id: ProducerId(answer.producer_id),
            epoch: ProducerEpoch(answer.producer_epoch),
        })
    }

    /// A producer whose records are in the transactions of this id and identity.
    pub(crate) fn producer(
        &self,
        id: &str,
        identity: Identity,
        settings: producer::Settings,
    ) -> Producer {
        let (calls, name) = (self.clone(), id.to_owned());
        let transaction = Transaction::new(id.to_owned(), identity, move |partitions| {
            let (calls, name) = (calls.clone(), name.clone());
            Box::pin(async move {
                let added = calls.add(&name, identity, &partitions).await;
                added.map_err(|error| error.code().unwrap_or(ErrorCode::REQUEST_TIMED_OUT))
            })
        });
        Producer::transactional(Arc::clone(&self.client), settings, transaction)
    }

    /// Adds partitions to the transaction, or begins one with them.
    async fn add(
        &self,
        id: &str,
        identity: Identity,
        partitions: &[TopicPartition],
    ) -> Result<(), client::Error> {
        let topic = |one: &TopicPartition| AddPartitionsToTxnTopic {
            name: one.topic.as_str().to_owned(),
            partitions: vec![one.partition.0],
        };
        let request = AddPartitionsToTxnRequest {
            transactional_id: id.to_owned(),
            producer_id: identity.id.0,
            producer_epoch: identity.epoch.0,
            topics: partitions.iter().map(topic).collect(),
        };
        let code = |answer: &<AddPartitionsToTxnRequest as Request>::Response| {
            let topics = answer.results_by_topic.iter();
            let partitions = topics.flat_map(|topic| &topic.results_by_partition);
            let mut codes = partitions.map(|partition| partition.partition_error_code);
            codes
                .find(|code| *code != ErrorCode::NONE)
                .unwrap_or(ErrorCode::NONE)
        };
        self.call(id, &request, code).await?;
        Ok(())
    }

    // ANCHOR: commit
    /// Commits a transaction whose records are delivered, or aborts it. Does nothing if that is
    /// done already. Needs nothing but its name: the process that wrote it may be gone.
    pub(crate) async fn end(&self, named: &Named, committed: bool) -> Result<(), client::Error> {
        let request = EndTxnRequest {
            transactional_id: named.id.clone(),
            producer_id: named.producer.0,
            producer_epoch: named.producer.1,
            committed,
        };
        let code = |answer: &<EndTxnRequest as Request>::Response| answer.error_code;
        self.call(&named.id, &request, code).await?;
        Ok(())
    }
    // ANCHOR_END: commit

    /// What has become of a transaction behind which nothing was begun under its id by the one
    /// that has prepared it.
    ///
    /// The coordinator knows the last transaction of an id, and the epoch of its producer. When
    /// it aborts one, because of its timeout or for a new producer, the epoch becomes one more.
    /// A new producer has a higher epoch too; but this one's transaction, if it has one, is
    /// aborted with a still higher epoch.
    pub(crate) async fn fate(&self, named: &Named) -> Result<Fate, client::Error> {
        let request = DescribeTransactionsRequest {
            transactional_ids: vec![named.id.clone()],
        };
        let code = |answer: &<DescribeTransactionsRequest as Request>::Response| {
            let first = answer.transaction_states.first();
            first.map_or(ErrorCode::NONE, |state| state.error_code)
        };
        let answer = match self.call(&named.id, &request, code).await {
            Ok(answer) => answer,
            // Kafka before version 3.0.
            Err(client::Error::UnsupportedApi(_)) => return Ok(Fate::Unknown),
            Err(error) if error.code() == Some(ErrorCode::TRANSACTIONAL_ID_NOT_FOUND) => {
                return Ok(Fate::Unknown);
            }
            Err(error) => return Err(error),
        };
        let Some(last) = answer.transaction_states.first() else {
            return Ok(Fate::Unknown);
        };
        let (id, epoch) = named.producer;
        let later = i32::from(last.producer_epoch) - i32::from(epoch);
        let fate = match (last.transaction_state.as_str(), later) {
            _ if last.producer_id != id => Fate::Unknown,
            ("Ongoing", 0) => Fate::Open,
            ("PrepareCommit" | "CompleteCommit", 0) => Fate::Committed,
            ("PrepareAbort" | "CompleteAbort", 0 | 1) => Fate::Aborted,
            _ => Fate::Unknown,
        };
        Ok(fate)
    }

    /// Asks the coordinator of `id` until the answer's code is none, or one that repeating does
    /// not change.
    async fn call<R: Request>(
        &self,
        id: &str,
        request: &R,
        code: impl Fn(&R::Response) -> ErrorCode,
    ) -> Result<R::Response, client::Error> {
        let target = Target::Transactions(id.into());
        let deadline = self.client.clock().now().plus(self.patience);
        let attempt = || async {
            // A broker that hangs is given up while there is time to ask again.
            let by = self.client.deadline().min(deadline);
            let answer = self.client.call(&target, request, by).await?;
            match code(&answer) {
                ErrorCode::NONE => Ok(answer),
                code => Err(client::Error::Broker(code)),
            }
        };
        self.client.retry(&target, deadline, attempt).await
    }
}

/// Whether no call ends the transaction any more.
pub(crate) fn is_fenced(code: Option<ErrorCode>) -> bool {
    code.is_some_and(|code| FENCED.contains(&code))
}
