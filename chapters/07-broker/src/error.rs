//! What can go wrong with a partition or a topic, and the protocol's code for it.

use std::io;
use std::path::Path;

use message_model::InvalidTopicName;
use record_batch::{BatchError, OpenError};
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
    /// A compressed batch that cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// What a producer sent is no batch that this topic takes.
    #[error(transparent)]
    Unfit(#[from] Unfit),
    /// Not now or not for this client; the code says why.
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
    /// The topic cannot have this many partitions, or all topics together cannot.
    #[error("the topic can have between 1 and {max} partitions")]
    PartitionCount {
        /// The most.
        max: u32,
    },
    /// A setting of a topic.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// The client knows another leader epoch than we do.
    #[error("the leader epoch is {ours}, not {theirs}")]
    LeaderEpoch {
        /// The client's.
        theirs: i32,
        /// Ours.
        ours: i32,
    },
}

/// Why a topic does not take what a producer sent, although it may be a right batch.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// There is no batch for the partition, or there are several.
    #[error("a produce request carries exactly one batch for a partition")]
    NotOneBatch,
    /// Its timestamps are such as only a broker gives.
    #[error("a producer must not set the timestamp type to LogAppendTime")]
    LogAppendTime,
    /// The topic is compacted, and some records have no key.
    #[error("a compacted topic takes no record without a key")]
    Keyless {
        /// Which records of the batch, counted from 0; the first 100 of them at most.
        records: Vec<i32>,
    },
}

impl Error {
    /// Whether a read from memory alone cannot go on: the same read succeeds on a
    /// thread that may wait.
    pub(crate) fn would_wait(&self) -> bool {
        matches!(self, Error::Log(error) if error.would_wait())
    }
}

/// A failure of the disk, with the file or directory that it is about.
pub(crate) fn io_error(path: &Path, source: io::Error) -> Error {
    let path = path.to_owned();
    log_storage::Error::Io { path, source }.into()
}

/// The protocol's code for an error of a partition or a topic.
#[must_use]
pub fn error_code(error: &Error) -> ErrorCode {
    match error {
        Error::Log(log_storage::Error::OutOfRange { .. }) => ErrorCode::OFFSET_OUT_OF_RANGE,
        Error::Log(_) => ErrorCode::KAFKA_STORAGE_ERROR,
        Error::Batch(error) => error.error_code(),
        Error::Open(OpenError::TooLarge { .. }) => ErrorCode::MESSAGE_TOO_LARGE,
        Error::Unfit(_) | Error::Open(OpenError::Malformed) => ErrorCode::INVALID_RECORD,
        Error::Rejected(code) => *code,
        Error::Name(_) => ErrorCode::INVALID_TOPIC_EXCEPTION,
        Error::Unknown => ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
        Error::Exists => ErrorCode::TOPIC_ALREADY_EXISTS,
        Error::PartitionCount { .. } => ErrorCode::INVALID_PARTITIONS,
        Error::Setting(_) => ErrorCode::INVALID_CONFIG,
        Error::LeaderEpoch { theirs, ours } if theirs > ours => ErrorCode::UNKNOWN_LEADER_EPOCH,
        Error::LeaderEpoch { .. } => ErrorCode::FENCED_LEADER_EPOCH,
    }
}
