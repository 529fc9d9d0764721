//! What can be wrong with a batch.

use message_model::Offset;
use wire_protocol::{ErrorCode, Malformed};

use crate::layout;

/// Why bytes are no batch, or none that we take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    /// The bytes end before the batch does.
    #[error("the batch needs {needed} bytes, {arrived} are there")]
    Truncated {
        /// How many bytes the batch has by its own account (or the header's size).
        needed: usize,
        /// How many there are.
        arrived: usize,
    },
    /// The batch length is below what a header takes.
    #[error("the batch length says {0}, less than a header takes")]
    LengthTooSmall(i32),
    /// Message format v0 or v1, or none at all.
    #[error("the magic byte is {0}; only message format v2 is taken")]
    Magic(i8),
    /// The CRC-32C does not fit the bytes.
    #[error("the CRC-32C says {stored:08x}, the bytes give {computed:08x}")]
    Crc {
        /// What the batch says.
        stored: u32,
        /// What its bytes give.
        computed: u32,
    },
    /// A batch above the limit.
    #[error("the batch has {size} bytes; the limit is {limit}")]
    TooLarge {
        /// Its size, in bytes.
        size: usize,
        /// The limit, in bytes.
        limit: usize,
    },
    /// A codec number that does not exist.
    #[error("compression codec {0} does not exist")]
    UnknownCodec(u8),
    /// Record count and last offset delta do not fit each other, or there is no record.
    #[error("{count} records with a last offset delta of {last_offset_delta}")]
    Count {
        /// The record count.
        count: i32,
        /// The last offset delta.
        last_offset_delta: i32,
    },
    /// A batch that a log may hold, and that a producer must not send.
    #[error(transparent)]
    NotFromProducer(#[from] NotFromProducer),
    /// A record cannot be read.
    #[error("a record is malformed: {0}")]
    Record(#[from] Malformed),
    /// Bytes are left behind the last record, or a record's length is wrong.
    #[error("a record does not end where its length says")]
    RecordLength,
    /// A record's offset delta is not its place in the batch.
    #[error("record {index} of a batch has the offset delta {offset_delta}")]
    OffsetDelta {
        /// How many records precede it.
        index: i32,
        /// What it says.
        offset_delta: i32,
    },
    /// The records are compressed: they must be decompressed before they are read.
    #[error("the records are compressed with {0:?}")]
    Compressed(crate::Codec),
}

/// What only a broker writes into a batch, or what a producer left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotFromProducer {
    /// The coordinator of a transaction writes control batches.
    #[error("a producer must not send a control batch")]
    Control,
    /// The broker assigns offsets; a producer's batch begins at 0.
    #[error("a producer's batch begins at offset 0, not {0}")]
    BaseOffset(Offset),
    /// A batch with a producer id must have a place in the producer's sequence.
    #[error("a batch of an idempotent producer has base sequence {0}")]
    Sequence(i32),
}

impl BatchError {
    /// The protocol's code for a producer whose batch has this error, as Kafka 4.3
    /// chooses it; only for a codec that does not exist it has -1, which says nothing.
    #[must_use]
    pub fn error_code(&self) -> ErrorCode {
        match self {
            BatchError::Truncated { arrived, .. } if *arrived < layout::RECORDS => {
                ErrorCode::CORRUPT_MESSAGE
            }
            BatchError::LengthTooSmall(_) | BatchError::Crc { .. } => ErrorCode::CORRUPT_MESSAGE,
            BatchError::Magic(0 | 1) => ErrorCode::INVALID_RECORD,
            BatchError::Magic(_) => ErrorCode::CORRUPT_MESSAGE,
            BatchError::TooLarge { .. } => ErrorCode::MESSAGE_TOO_LARGE,
            BatchError::UnknownCodec(_) => ErrorCode::UNSUPPORTED_COMPRESSION_TYPE,
            BatchError::Truncated { .. }
            | BatchError::Count { .. }
            | BatchError::NotFromProducer(_)
            | BatchError::Record(_)
            | BatchError::RecordLength
            | BatchError::OffsetDelta { .. }
            | BatchError::Compressed(_) => ErrorCode::INVALID_RECORD,
        }
    }
}
