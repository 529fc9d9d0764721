//! What can be wrong with a batch.

use wire_protocol::Malformed;

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
    /// A producer sent a control batch; only the broker writes those.
    #[error("a producer must not send a control batch")]
    Control,
    /// A batch with a producer id must say where it stands in the producer's sequence.
    #[error("a batch of an idempotent producer has base sequence {0}")]
    Sequence(i32),
    /// A record cannot be read.
    #[error("a record is malformed: {0}")]
    Record(#[from] Malformed),
    /// Bytes are left behind the last record, or a record's length is wrong.
    #[error("a record does not end where its length says")]
    RecordLength,
    /// The records are compressed: whoever wants them must decompress them first.
    #[error("the records are compressed with {0:?}")]
    Compressed(crate::Codec),
}
