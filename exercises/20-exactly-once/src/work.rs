//! What is under way for a transactional id.

use message_model::{ProducerEpoch, TopicPartition};

use crate::metadata::TransactionMetadata;
use crate::nouns::{CallId, WorkId};

/// A store that was asked for and has not ended.
#[derive(Debug, Clone)]
pub(crate) struct Storing {
    pub(crate) work: WorkId,
    /// The call that waits for it, if one does.
    pub(crate) call: Option<CallId>,
    pub(crate) change: Change,
}

/// Partitions that are being told of a transaction.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Beginning {
    pub(crate) work: WorkId,
    /// The call that waits for it, if one does.
    pub(crate) call: Option<CallId>,
}

// ANCHOR: change
/// What changes when a store is done.
#[derive(Debug, Clone)]
pub(crate) enum Change {
    /// A new instance counts.
    Init {
        next: TransactionMetadata,
        recovered_from: ProducerEpoch,
    },
    /// The transaction has more partitions.
    Add {
        next: TransactionMetadata,
        /// The partitions of the call.
        partitions: Vec<TopicPartition>,
    },
    /// The transaction ends as the producer wants.
    End { next: TransactionMetadata },
    /// The transaction aborts, and its producer is fenced.
    Fence { next: TransactionMetadata },
    /// The transactional id is deleted.
    Delete,
}
// ANCHOR_END: change

impl Change {
    /// Returns what is stored; `None` if the transactional id is deleted.
    pub(crate) fn next(&self) -> Option<&TransactionMetadata> {
        match self {
            Change::Init { next, .. }
            | Change::Add { next, .. }
            | Change::End { next }
            | Change::Fence { next } => Some(next),
            Change::Delete => None,
        }
    }
}
