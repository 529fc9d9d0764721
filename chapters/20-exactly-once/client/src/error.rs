//! What can go wrong with transactions.

use wire_protocol::ErrorCode;

/// Why a transaction, or the producer, cannot go on.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// Another instance with the same transactional id has begun, or the coordinator has ended
    /// a transaction that was open for too long. This producer is at its end.
    #[error("the producer is fenced: {0}")]
    Fenced(ErrorCode),
    /// A call failed, or had no answer in time. Whether it can be repeated is said where it is
    /// made.
    #[error(transparent)]
    Client(#[from] client::Error),
    /// A record was not delivered: the transaction can only be aborted.
    #[error("a record of the transaction was not delivered: {0}")]
    NotDelivered(#[source] producer::Error),
    /// Something has failed in the transaction before: it can only be aborted.
    #[error("the transaction has failed, and can only be aborted")]
    MustAbort,
    /// No transaction is open.
    #[error("no transaction is open")]
    NoTransaction,
    /// A transaction is open, or its end is not known.
    #[error("the last transaction has not ended")]
    NotEnded,
    /// The consumer of a transform failed.
    #[error(transparent)]
    Consumer(#[from] consumer::Error),
    /// A record cannot be read.
    #[error(transparent)]
    Read(#[from] client::ReadError),
}

/// The codes after which a producer is at its end: INVALID_PRODUCER_EPOCH,
/// INVALID_PRODUCER_ID_MAPPING (the coordinator has forgotten the transactional id, or has given it
/// to another instance), PRODUCER_FENCED.
const FENCED: [ErrorCode; 3] = [
    ErrorCode::INVALID_PRODUCER_EPOCH,
    ErrorCode::INVALID_PRODUCER_ID_MAPPING,
    ErrorCode::PRODUCER_FENCED,
];

impl Error {
    /// What it means that a call about a transaction has failed.
    pub(crate) fn of_call(error: client::Error) -> Error {
        match error.code() {
            Some(code) if FENCED.contains(&code) => Error::Fenced(code),
            _ => Error::Client(error),
        }
    }

    /// What it means that a record was not delivered.
    pub(crate) fn of_record(error: producer::Error) -> Error {
        match error {
            producer::Error::Fatal(code) | producer::Error::Refused(code)
                if FENCED.contains(&code) =>
            {
                Error::Fenced(code)
            }
            error => Error::NotDelivered(error),
        }
    }

    /// Whether the producer is at its end.
    #[must_use]
    pub fn is_fenced(&self) -> bool {
        matches!(self, Error::Fenced(_))
    }
}
