//! Whether bytes are a batch that a log may hold.

use crate::error::BatchError;
use crate::header::BatchHeader;
use crate::layout;

/// Checks the batch at the start of `bytes` without opening it: size, format,
/// CRC-32C ([`crc32c::crc32c`]), and whether its counts can be true.
///
/// `size_max` is `max.message.bytes`. Bytes behind the batch are the caller's to check.
///
/// A compacted log has batches with gaps: records were removed, and the offsets
/// of the others stay. So the last offset delta may be larger than the count
/// asks for, never smaller. Compaction may also leave a batch without a record, so a
/// count of 0 is right, and one below 0 is wrong.
///
/// # Errors
/// The first thing that is wrong, in this order: what [`BatchHeader::read`]
/// finds, size above the limit, bytes missing, CRC, codec, counts. The limit
/// comes before the missing bytes: who asks for too much is not waited for.
pub fn validate(bytes: &[u8], size_max: usize) -> Result<BatchHeader, BatchError> {
    // task 5.3: let in only what you are willing to serve for ever
    todo!("5.3: let in only what you are willing to serve for ever")
    // end
}
