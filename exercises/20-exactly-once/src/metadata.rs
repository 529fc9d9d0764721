//! What is stored of a transactional id.

use std::collections::BTreeSet;
use std::time::Duration;

use message_model::{ProducerId, Timestamp, TopicPartition};

use crate::nouns::{Instance, Outcome};

/// Where a transactional id is, with the names that Kafka gives its states.
///
/// Kafka has one more, `PrepareEpochFence`, which is never stored nor shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// An instance has asked for its epoch, and has begun nothing.
    Empty,
    /// A transaction is open.
    Ongoing,
    /// It is decided that the transaction commits. Markers are being written.
    PrepareCommit,
    /// It is decided that the transaction aborts. Markers are being written.
    PrepareAbort,
    /// All markers of the commit are written.
    CompleteCommit,
    /// All markers of the abort are written.
    CompleteAbort,
    /// The transactional id has expired.
    Dead,
}

/// A transactional id as it is stored: the value of Kafka's record in `__transaction_state`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransactionMetadata {
    /// The instance that counts; [`Instance::NONE`] before the first.
    pub producer: Instance,
    /// The producer id before this one, whose epochs are used up; `NONE` if there is none.
    pub previous: ProducerId,
    /// How long a transaction may be open.
    pub timeout: Duration,
    /// The state that it has reached.
    pub state: State,
    /// The partitions of the transaction. While markers are being written, those that still
    /// need one; empty when all is written.
    pub partitions: BTreeSet<TopicPartition>,
    /// When the transaction began; `NONE` before the first of this instance.
    pub started: Timestamp,
    /// When it was changed.
    pub updated: Timestamp,
}

impl State {
    /// Returns the state in which a transaction waits for its markers.
    #[must_use]
    pub fn prepare(outcome: Outcome) -> State {
        match outcome {
            Outcome::Abort => State::PrepareAbort,
            Outcome::Commit => State::PrepareCommit,
        }
    }

    /// Returns the state in which a transaction has all its markers.
    #[must_use]
    pub fn complete(outcome: Outcome) -> State {
        match outcome {
            Outcome::Abort => State::CompleteAbort,
            Outcome::Commit => State::CompleteCommit,
        }
    }

    /// Returns how the transaction ends; `None` if that is not decided.
    #[must_use]
    pub fn outcome(self) -> Option<Outcome> {
        match self {
            State::PrepareCommit | State::CompleteCommit => Some(Outcome::Commit),
            State::PrepareAbort | State::CompleteAbort => Some(Outcome::Abort),
            State::Empty | State::Ongoing | State::Dead => None,
        }
    }

    /// Returns whether markers are being written.
    #[must_use]
    pub fn is_prepare(self) -> bool {
        matches!(self, State::PrepareCommit | State::PrepareAbort)
    }

    /// Returns the name that Kafka's clients know.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            State::Empty => "Empty",
            State::Ongoing => "Ongoing",
            State::PrepareCommit => "PrepareCommit",
            State::PrepareAbort => "PrepareAbort",
            State::CompleteCommit => "CompleteCommit",
            State::CompleteAbort => "CompleteAbort",
            State::Dead => "Dead",
        }
    }
}
