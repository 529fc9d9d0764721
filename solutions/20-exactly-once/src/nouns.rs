//! The names of what takes part in a transaction, and why a call is refused.

use message_model::{Moment, ProducerEpoch, ProducerId, Timestamp};

/// One instance of a producer: the id that all its instances share, and its own epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instance {
    /// The producer's id.
    pub id: ProducerId,
    /// The number of the instance. The next instance has a higher one.
    pub epoch: ProducerEpoch,
}

/// A call whose answer may be parked. The caller of the state machine chooses the numbers,
/// each once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId(pub u64);

/// One [`Store`](crate::Effect::Store) or [`Begin`](crate::Effect::Begin) of a transactional
/// id: 1, 2, 3 …
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WorkId(pub u64);

/// How a transaction ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// Readers of committed records never see what it wrote.
    Abort,
    /// All that it wrote counts.
    Commit,
}

/// What time it is, on both clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// For deadlines.
    pub moment: Moment,
    /// For what is stored, so that it survives a restart.
    pub wall: Timestamp,
}

/// Why a call is refused. Each is an error code of Kafka's, whose name and number it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Refusal {
    /// COORDINATOR_NOT_AVAILABLE (15): the change could not be stored, or a partition could
    /// not be told. Nobody knows whether it counts; the producer asks again.
    NotAvailable,
    /// POLICY_VIOLATION (44): the transaction would have more partitions than it may.
    TooManyPartitions,
    /// INVALID_TXN_STATE (48): there is no such transaction, or it has ended the other way.
    InvalidTransactionState,
    /// INVALID_PRODUCER_ID_MAPPING (49): the transactional id has another producer id.
    InvalidProducerIdMapping,
    /// INVALID_TRANSACTION_TIMEOUT (50): the timeout is 0, or longer than it may be.
    InvalidTransactionTimeout,
    /// CONCURRENT_TRANSACTIONS (51): something is under way; the producer asks again.
    ConcurrentTransactions,
    /// PRODUCER_FENCED (90), in old versions INVALID_PRODUCER_EPOCH (47): the call is of
    /// another instance than the one that counts.
    Fenced,
}

impl Instance {
    /// The instance of a transactional id that no producer has asked for yet.
    pub const NONE: Instance = Instance {
        id: ProducerId::NONE,
        epoch: ProducerEpoch::NONE,
    };
}
