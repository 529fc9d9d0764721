//! The calls to the coordinator of a producer's transactions, and to that of a group.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use client::{Backoff, Client, Target};
use consumer::{Committed, GroupMetadata};
use message_model::{Moment, ProducerEpoch, ProducerId, TopicName, TopicPartition};
use producer::Identity;
use wire_protocol::message::{
    AddOffsetsToTxnRequest, AddPartitionsToTxnRequest, AddPartitionsToTxnTopic, EndTxnRequest,
    InitProducerIdRequest, TxnOffsetCommitRequest, TxnOffsetCommitRequestPartition,
    TxnOffsetCommitRequestTopic,
};
use wire_protocol::{ErrorCode, Request};

use crate::error::Error;

/// The first pause before a call is repeated: the coordinator mostly is busy with the end of
/// the transaction before, which takes a few writes.
const PAUSE: Duration = Duration::from_millis(20);

/// The calls about the transactions of one transactional id.
///
/// Each is repeated until its deadline while that may help. None is done twice by that: the
/// coordinator answers a call that it has carried out before as it did then.
#[derive(Debug, Clone)]
pub(crate) struct Calls {
    client: Arc<Client>,
    id: Arc<str>,
    patience: Duration,
}

impl Calls {
    pub(crate) fn new(client: Arc<Client>, id: &str, patience: Duration) -> Calls {
        Calls {
            client,
            id: id.into(),
            patience,
        }
    }

    pub(crate) fn now(&self) -> Moment {
        self.client.clock().now()
    }

    /// A producer id with its epoch: the next one after `last`, or one after which those of
    /// all other instances are fenced.
    pub(crate) async fn init(
        &self,
        timeout: Duration,
        last: Option<Identity>,
    ) -> Result<Identity, Error> {
        let last = last.map_or((-1, -1), |last| (last.id.0, last.epoch.0));
        let request = InitProducerIdRequest {
            transactional_id: Some(self.id.to_string()),
            transaction_timeout_ms: i32::try_from(timeout.as_millis()).unwrap_or(i32::MAX),
            producer_id: last.0,
            producer_epoch: last.1,
        };
        let code = |answer: &<InitProducerIdRequest as Request>::Response| answer.error_code;
        let answer = self.call(&self.coordinator(), &request, code).await?;
        Ok(Identity {
            id: ProducerId(answer.producer_id),
            epoch: ProducerEpoch(answer.producer_epoch),
        })
    }

    /// Adds partitions to the transaction, or begins one with them.
    pub(crate) async fn add_partitions(
        &self,
        identity: Identity,
        partitions: &[TopicPartition],
    ) -> Result<(), Error> {
        let mut topics: BTreeMap<&TopicName, Vec<i32>> = BTreeMap::new();
        for one in partitions {
            topics.entry(&one.topic).or_default().push(one.partition.0);
        }
        let topic = |(name, partitions): (&TopicName, _)| AddPartitionsToTxnTopic {
            name: name.as_str().to_owned(),
            partitions,
        };
        let request = AddPartitionsToTxnRequest {
            transactional_id: self.id.to_string(),
            producer_id: identity.id.0,
            producer_epoch: identity.epoch.0,
            topics: topics.into_iter().map(topic).collect(),
        };
        let code = |answer: &<AddPartitionsToTxnRequest as Request>::Response| {
            let topics = answer.results_by_topic.iter();
            let partitions = topics.flat_map(|topic| &topic.results_by_partition);
            // One that is refused keeps the others out: their code says only that.
            worst(partitions.map(|partition| partition.partition_error_code))
        };
        self.call(&self.coordinator(), &request, code).await?;
        Ok(())
    }

    /// Adds a group to the transaction, and commits offsets of it as part of that.
    pub(crate) async fn commit_offsets(
        &self,
        identity: Identity,
        group: &GroupMetadata,
        offsets: &BTreeMap<TopicPartition, Committed>,
    ) -> Result<(), Error> {
        let request = AddOffsetsToTxnRequest {
            transactional_id: self.id.to_string(),
            producer_id: identity.id.0,
            producer_epoch: identity.epoch.0,
            group_id: group.group().to_string(),
        };
        let code = |answer: &<AddOffsetsToTxnRequest as Request>::Response| answer.error_code;
        self.call(&self.coordinator(), &request, code).await?;
        let (member_id, generation_id) = group.identity();
        let request = TxnOffsetCommitRequest {
            transactional_id: self.id.to_string(),
            group_id: group.group().to_string(),
            producer_id: identity.id.0,
            producer_epoch: identity.epoch.0,
            generation_id,
            member_id,
            group_instance_id: group.instance().map(str::to_owned),
            topics: by_topic(offsets),
        };
        let target = Target::Coordinator(Arc::clone(group.group()));
        let code = |answer: &<TxnOffsetCommitRequest as Request>::Response| {
            let partitions = answer.topics.iter().flat_map(|topic| &topic.partitions);
            worst(partitions.map(|partition| partition.error_code))
        };
        self.call(&target, &request, code).await?;
        Ok(())
    }

    /// Commits or aborts the transaction. Returns when every partition has its marker.
    pub(crate) async fn end(&self, identity: Identity, committed: bool) -> Result<(), Error> {
        let request = EndTxnRequest {
            transactional_id: self.id.to_string(),
            producer_id: identity.id.0,
            producer_epoch: identity.epoch.0,
            committed,
        };
        let code = |answer: &<EndTxnRequest as Request>::Response| answer.error_code;
        self.call(&self.coordinator(), &request, code).await?;
        Ok(())
    }

    fn coordinator(&self) -> Target {
        Target::Transactions(Arc::clone(&self.id))
    }

    /// Asks until the answer's code is none, or one that repeating does not change.
    async fn call<R: Request>(
        &self,
        target: &Target,
        request: &R,
        code: impl Fn(&R::Response) -> ErrorCode,
    ) -> Result<R::Response, Error> {
        let deadline = self.now().plus(self.patience);
        let backoff = Backoff {
            first: PAUSE,
            max: self.client.settings().backoff_max,
        };
        // A broker that hangs is given up while there is time to ask again.
        let attempt = || async {
            let patience = self.now().plus(self.client.settings().patience);
            let answer = self.client.call(target, request, patience.min(deadline));
            let answer = answer.await?;
            match code(&answer) {
                ErrorCode::NONE => Ok(answer),
                code => Err(client::Error::Broker(code)),
            }
        };
        let answer = self.client.retry_after(backoff, target, deadline, attempt);
        answer.await.map_err(Error::of_call)
    }
}

/// The code that says most: none if all are none, else the first that is neither that nor
/// OPERATION_NOT_ATTEMPTED.
fn worst(codes: impl Iterator<Item = ErrorCode>) -> ErrorCode {
    let says_most = |code: ErrorCode| match code {
        ErrorCode::NONE => 0,
        ErrorCode::OPERATION_NOT_ATTEMPTED => 1,
        _ => 2,
    };
    let worse = |one: ErrorCode, other: ErrorCode| match says_most(other) > says_most(one) {
        true => other,
        false => one,
    };
    codes.fold(ErrorCode::NONE, worse)
}

fn by_topic(offsets: &BTreeMap<TopicPartition, Committed>) -> Vec<TxnOffsetCommitRequestTopic> {
    let mut topics: BTreeMap<&TopicName, Vec<TxnOffsetCommitRequestPartition>> = BTreeMap::new();
    for (partition, committed) in offsets {
        let of_topic = topics.entry(&partition.topic).or_default();
        of_topic.push(TxnOffsetCommitRequestPartition {
            partition_index: partition.partition.0,
            committed_offset: committed.offset.0,
            committed_metadata: Some(committed.metadata.clone()),
            ..TxnOffsetCommitRequestPartition::default()
        });
    }
    let topic = |(name, partitions): (&TopicName, _)| TxnOffsetCommitRequestTopic {
        name: name.as_str().to_owned(),
        partitions,
    };
    topics.into_iter().map(topic).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_that_says_why_is_returned_wherever_it_is() {
        let none = ErrorCode::NONE;
        let left_out = ErrorCode::OPERATION_NOT_ATTEMPTED;
        let unknown = ErrorCode::UNKNOWN_TOPIC_OR_PARTITION;
        assert_eq!(worst([].into_iter()), none);
        assert_eq!(worst([none, none].into_iter()), none);
        assert_eq!(worst([none, left_out].into_iter()), left_out);
        assert_eq!(worst([left_out, unknown, left_out].into_iter()), unknown);
        let first = [unknown, ErrorCode::INVALID_TXN_STATE];
        assert_eq!(worst(first.into_iter()), unknown);
    }
}
