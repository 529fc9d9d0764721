//! Where the fields of a batch (message format v2) are, in bytes from its start.
//!
//! All integers are big-endian. Source: the Kafka protocol guide, "Record Batch".

// ANCHOR: offsets
/// Base offset, `i64`: the offset of the first record. Assigned by the broker.
pub const BASE_OFFSET: usize = 0;
/// Batch length, `i32`: how many bytes follow this field.
pub const BATCH_LENGTH: usize = BASE_OFFSET + 8;
/// Partition leader epoch, `i32`. Assigned by the broker.
pub const PARTITION_LEADER_EPOCH: usize = BATCH_LENGTH + 4;
/// Magic, `i8`: the format's version, 2.
pub const MAGIC: usize = PARTITION_LEADER_EPOCH + 4;
/// CRC-32C, `u32`, of everything from [`ATTRIBUTES`] to the end of the batch.
pub const CRC: usize = MAGIC + 1;
/// Attributes, `i16`: codec, timestamp type, transactional, control, delete horizon.
pub const ATTRIBUTES: usize = CRC + 4;
/// Last offset delta, `i32`: the last record's offset, relative to the base offset.
pub const LAST_OFFSET_DELTA: usize = ATTRIBUTES + 2;
/// Base timestamp, `i64`: the first record's.
pub const BASE_TIMESTAMP: usize = LAST_OFFSET_DELTA + 4;
/// Max timestamp, `i64`.
pub const MAX_TIMESTAMP: usize = BASE_TIMESTAMP + 8;
/// Producer id, `i64`; -1 without idempotence.
pub const PRODUCER_ID: usize = MAX_TIMESTAMP + 8;
/// Producer epoch, `i16`; -1 without idempotence.
pub const PRODUCER_EPOCH: usize = PRODUCER_ID + 8;
/// Base sequence, `i32`; -1 without idempotence.
pub const BASE_SEQUENCE: usize = PRODUCER_EPOCH + 2;
/// Record count, `i32`.
pub const RECORD_COUNT: usize = BASE_SEQUENCE + 4;
/// The records: the size of everything before them.
pub const RECORDS: usize = RECORD_COUNT + 4;
// ANCHOR_END: offsets

/// What the batch length does not count: base offset and the length itself.
pub const LENGTH_OVERHEAD: usize = PARTITION_LEADER_EPOCH;

/// The value of the magic byte.
pub const MAGIC_V2: i8 = 2;

const _: () = assert!(RECORDS == 61, "Kafka's RECORD_BATCH_OVERHEAD");

/// Name, start and size of each field, in bytes; for figures and hex dumps.
pub const FIELDS: &[(&str, usize, usize)] = &[
    ("base offset", BASE_OFFSET, 8),
    ("batch length", BATCH_LENGTH, 4),
    ("partition leader epoch", PARTITION_LEADER_EPOCH, 4),
    ("magic", MAGIC, 1),
    ("crc", CRC, 4),
    ("attributes", ATTRIBUTES, 2),
    ("last offset delta", LAST_OFFSET_DELTA, 4),
    ("base timestamp", BASE_TIMESTAMP, 8),
    ("max timestamp", MAX_TIMESTAMP, 8),
    ("producer id", PRODUCER_ID, 8),
    ("producer epoch", PRODUCER_EPOCH, 2),
    ("base sequence", BASE_SEQUENCE, 4),
    ("record count", RECORD_COUNT, 4),
];
