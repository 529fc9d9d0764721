//! What a producer may send, beyond what a log may hold.

use message_model::ProducerId;

use crate::part::{BatchError, BatchHeader};

/// Checks what [`validate`](crate::validate) lets pass because a log may hold
/// it, but a producer must not send it.
///
/// - Only the broker writes control batches.
/// - Only compaction makes gaps: a new batch has as many offsets as records.
///   Otherwise a producer could use up a partition's offsets with one record.
/// - Who has a producer id has a sequence number.
///
/// # Errors
/// [`BatchError::Control`], [`BatchError::Count`] or [`BatchError::Sequence`].
// ANCHOR: from_producer
pub fn check_from_producer(header: &BatchHeader) -> Result<(), BatchError> {
    if header.is_control() {
        return Err(BatchError::Control);
    }
    let count = header.record_count;
    let last_offset_delta = header.last_offset_delta;
    if count < 1 || last_offset_delta != count - 1 {
        return Err(BatchError::Count {
            count,
            last_offset_delta,
        });
    }
    if header.producer_id != ProducerId::NONE && header.base_sequence < 0 {
        return Err(BatchError::Sequence(header.base_sequence));
    }
    Ok(())
}
// ANCHOR_END: from_producer
