//! What can go wrong with a partition or a topic, and the protocol's code for it.

use message_model::InvalidTopicName;
use record_batch::BatchError;
use wire_protocol::ErrorCode;

/// Why a partition or a topic could not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The log could not.
    #[error(transparent)]
    Log(#[from] log_storage::Error),
    /// A batch that we do not take.
    #[error(transparent)]
    Batch(#[from] BatchError),
    /// A producer's state does not allow the batch.
    #[error("rejected: {0}")]
    Rejected(ErrorCode),
    /// A name that no topic can have.
    #[error(transparent)]
    Name(#[from] InvalidTopicName),
    /// There is no such topic, or no such partition of it.
    #[error("there is no such topic or partition")]
    Unknown,
    /// The topic exists.
    #[error("the topic exists")]
    Exists,
    /// The reader knows another leader epoch than we do.
    #[error("the leader epoch is {ours}, not {asked}")]
    LeaderEpoch {
        /// The reader's.
        asked: i32,
        /// Ours.
        ours: i32,
    },
}

/// The protocol's code for an error of a partition or a topic.
#[must_use]
pub fn error_code(error: &Error) -> ErrorCode {
    match error {
        Error::Log(log_storage::Error::OutOfRange { .. }) => ErrorCode::OFFSET_OUT_OF_RANGE,
        Error::Log(_) => ErrorCode::KAFKA_STORAGE_ERROR,
        Error::Batch(BatchError::TooLarge { .. }) => ErrorCode::MESSAGE_TOO_LARGE,
        Error::Batch(BatchError::Magic(_)) => ErrorCode::UNSUPPORTED_FOR_MESSAGE_FORMAT,
        Error::Batch(BatchError::UnknownCodec(_)) => ErrorCode::UNSUPPORTED_COMPRESSION_TYPE,
        Error::Batch(BatchError::Control | BatchError::Count { .. }) => ErrorCode::INVALID_RECORD,
        Error::Batch(_) => ErrorCode::CORRUPT_MESSAGE,
        Error::Rejected(code) => *code,
        Error::Name(_) => ErrorCode::INVALID_TOPIC_EXCEPTION,
        Error::Unknown => ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
        Error::Exists => ErrorCode::TOPIC_ALREADY_EXISTS,
        Error::LeaderEpoch { asked, ours } if asked > ours => ErrorCode::UNKNOWN_LEADER_EPOCH,
        Error::LeaderEpoch { .. } => ErrorCode::FENCED_LEADER_EPOCH,
    }
}
