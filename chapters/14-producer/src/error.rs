//! Why a record was not delivered.

use wire_protocol::ErrorCode;

use crate::part::Failure;

/// Why a record was not delivered, or perhaps not.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The topic is not known, and could not be looked up in time.
    #[error("the topic cannot be looked up: {0}")]
    Topic(#[from] client::Error),
    /// The topic has no such partition, or none that has a leader.
    #[error("the topic has no such partition")]
    NoPartition,
    /// There was no room in the producer's memory in time. The record was not sent.
    #[error("the producer's memory was full for too long")]
    NoRoom,
    /// The record is too large for the producer or for the topic.
    #[error("the record is too large")]
    TooLarge,
    /// The record's time was over. If an attempt to send it had no answer, it may be in
    /// the log, or come into it.
    #[error("the record was not acknowledged in time{}", if *.may_be_in_log { "; it may be in the log" } else { "" })]
    Expired {
        /// Whether there was such an attempt.
        may_be_in_log: bool,
    },
    /// The broker refused the record's batch.
    #[error("the broker refused the batch: {0}")]
    Refused(ErrorCode),
    /// The broker takes nothing of this producer any more.
    #[error("the broker refuses this producer: {0}")]
    Fatal(ErrorCode),
    /// The broker has lost records that it had acknowledged; the producer has stopped.
    #[error("the broker has lost records that it had acknowledged")]
    BrokerLost,
    /// The producer was closed before the record had an outcome, or takes no more records.
    #[error("the producer is closed")]
    Closed,
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Error {
        match failure {
            Failure::Expired { may_be_in_log } => Error::Expired { may_be_in_log },
            Failure::Refused(code) => Error::Refused(code),
            Failure::TooLarge => Error::TooLarge,
            Failure::Fatal(code) => Error::Fatal(code),
            Failure::BrokerLost => Error::BrokerLost,
            Failure::Closed => Error::Closed,
        }
    }
}
