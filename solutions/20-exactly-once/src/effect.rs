//! What a producer asks, and what the state machine wants done.

use std::time::Duration;

use message_model::{ProducerId, TopicPartition};

use crate::metadata::TransactionMetadata;
use crate::nouns::{CallId, Instance, Outcome, Refusal, WorkId};

/// An InitProducerId request with a transactional id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Init {
    /// A producer id that nobody has had, which the producer gets if it needs one.
    pub fresh_id: ProducerId,
    /// How long a transaction of this instance may be open.
    pub timeout: Duration,
    /// The instance that the producer was before, if it goes on after an error.
    pub expected: Option<Instance>,
}

// ANCHOR: effect
/// What the caller of [`Transactions`](crate::Transactions) has to do, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// A call is answered.
    Answer {
        /// The call that was passed with the request.
        call: CallId,
        /// The instance that the caller is from now on, or why not.
        answer: Result<Instance, Refusal>,
    },
    /// The transactional id is written to disk, or deleted there if `metadata` is `None`. When
    /// that is done, or has failed, [`stored`](crate::Transactions::stored) is called with
    /// `work`. Stores are written in the order in which they were returned.
    Store {
        /// The number with which the end of this work is reported.
        work: WorkId,
        /// The transactional id as it has to come back after a restart.
        metadata: Option<TransactionMetadata>,
    },
    /// Each of the partitions is told that it is in the producer's transaction. It may know.
    /// When all know, or one cannot, [`begun`](crate::Transactions::begun) is called with `work`.
    Begin {
        /// The number with which the end of this work is reported.
        work: WorkId,
        /// The instance that may write.
        producer: Instance,
        /// The partitions that it may write to.
        partitions: Vec<TopicPartition>,
    },
    /// A marker is written to each of the partitions. For each, when its marker is on disk,
    /// or could not be written, [`marked`](crate::Transactions::marked) is called.
    WriteMarkers {
        /// The producer of the transaction, with the epoch of the marker.
        producer: Instance,
        /// What the marker says.
        outcome: Outcome,
        /// The partitions that need one.
        partitions: Vec<TopicPartition>,
    },
}
// ANCHOR_END: effect
