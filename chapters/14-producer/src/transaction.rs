//! What makes a producer's batches parts of transactions.

use std::collections::BTreeSet;
use std::fmt;
use std::future::Future;
use std::pin::Pin;

use message_model::TopicPartition;
use wire_protocol::ErrorCode;

use crate::error::Error;
use crate::part::{Identity, Slot};

/// The end of a call that adds partitions to the transaction.
pub type Enlisting = Pin<Box<dyn Future<Output = Result<(), ErrorCode>> + Send>>;

type Enlist = dyn Fn(Vec<TopicPartition>) -> Enlisting + Send + Sync;

/// Whose transactions a producer's batches belong to, and how partitions come into them.
///
/// The producer knows nothing of where a transaction begins and ends, except that
/// [`next_transaction`](crate::Producer::next_transaction) is called between two. Its
/// identity stays: after the first record that is not delivered it takes no more, and nothing
/// can be done but to abort the transaction.
pub struct Transaction {
    /// The transactional id.
    pub id: String,
    /// What the coordinator has given.
    pub identity: Identity,
    /// Adds partitions to the transaction that is open. No batch of a partition is sent before
    /// this has ended well.
    enlist: Box<Enlist>,
}

impl Transaction {
    /// Returns the transactions of this producer; `enlist` adds partitions to the one that is
    /// open, and fails with the code that the batches are to fail with.
    pub fn new(
        id: String,
        identity: Identity,
        enlist: impl Fn(Vec<TopicPartition>) -> Enlisting + Send + Sync + 'static,
    ) -> Transaction {
        Transaction {
            id,
            identity,
            enlist: Box::new(enlist),
        }
    }

    pub(crate) fn enlist(&self, partitions: Vec<TopicPartition>) -> Enlisting {
        (self.enlist)(partitions)
    }
}

impl fmt::Debug for Transaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transaction")
            .field("id", &self.id)
            .field("identity", &self.identity)
            .finish_non_exhaustive()
    }
}

/// The transaction that is open, as far as the producer's state needs it.
#[derive(Debug, Default)]
pub(crate) struct Enlisted {
    /// The partitions that are in it.
    pub(crate) slots: BTreeSet<Slot>,
    /// Why a record was not delivered, the first time.
    pub(crate) failed: Option<Error>,
}
