//! What can go wrong with a partition or a topic, and the protocol's code for it.

use message_model::{InvalidTopicName, Offset};
use record_batch::BatchError;
use wire_protocol::ErrorCode;

use crate::topic_settings::SettingError;

/// Why a partition or a topic could not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The log could not.
    #[error(transparent)]
    Log(#[from] log_storage::Error),
    /// A batch that we do not take.
    #[error(transparent)]
    Batch(#[from] BatchError),
    /// A producer sent no batch for a partition, or more than one.
    #[error("a produce request carries exactly one batch for a partition")]
    NotOneBatch,
    /// A producer sent timestamps that only a broker gives.
    #[error("a producer must not set the timestamp type to LogAppendTime")]
    LogAppendTime,
    /// A batch for a follower that does not lie behind its log's end.
    #[error("the batch at offset {base_offset} does not follow the log, which ends at {end}")]
    NotNext {
        /// The batch's offset.
        base_offset: Offset,
        /// The log's end, the batches before it included.
        end: Offset,
    },
    /// Not from this producer, or not in the time that it gave; the code says which.
    #[error("rejected: {0}")]
    Rejected(ErrorCode),
    /// A name that no topic can have.
    #[error(transparent)]
    Name(#[from] InvalidTopicName),
    /// There is no such topic, or no such partition of it.
    #[error("there is no such topic or partition")]
    Unknown,
    /// The topic exists, or a directory that is not ours has its partition's name.
    #[error("the topic exists")]
    Exists,
    /// No topic can have this many partitions.
    #[error("a topic has between 1 and {max} partitions")]
    PartitionCount {
        /// The most.
        max: u32,
    },
    /// A setting of a topic.
    #[error(transparent)]
    Setting(#[from] SettingError),
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
        Error::Batch(BatchError::Control | BatchError::Count { .. } | BatchError::Sequence(_)) => {
            ErrorCode::INVALID_RECORD
        }
        Error::Batch(_) => ErrorCode::CORRUPT_MESSAGE,
        Error::NotOneBatch | Error::LogAppendTime | Error::NotNext { .. } => {
            ErrorCode::INVALID_RECORD
        }
        Error::Rejected(code) => *code,
        Error::Name(_) => ErrorCode::INVALID_TOPIC_EXCEPTION,
        Error::Unknown => ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
        Error::Exists => ErrorCode::TOPIC_ALREADY_EXISTS,
        Error::PartitionCount { .. } => ErrorCode::INVALID_PARTITIONS,
        Error::Setting(_) => ErrorCode::INVALID_CONFIG,
        Error::LeaderEpoch { asked, ours } if asked > ours => ErrorCode::UNKNOWN_LEADER_EPOCH,
        Error::LeaderEpoch { .. } => ErrorCode::FENCED_LEADER_EPOCH,
    }
}
