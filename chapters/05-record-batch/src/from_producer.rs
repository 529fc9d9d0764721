//! What a producer may send, beyond what a log may hold.

use message_model::{Offset, ProducerId};

use crate::part::{BatchError, BatchHeader, NotFromProducer};

/// Checks what [`validate`](crate::validate) lets pass because a log may hold
/// it, but a producer must not send it.
///
/// - Only the broker writes control batches.
/// - Only compaction makes gaps: a new batch has as many offsets as records.
///   Otherwise a producer could use up a partition's offsets with one record.
/// - Only the broker assigns offsets: a new batch begins at 0.
/// - A producer with an id has a sequence number.
///
/// Whether a transactional batch may be sent depends on the request and on the
/// transaction, so that is the caller's to ask ([`BatchHeader::is_transactional`]).
///
/// # Errors
/// [`BatchError::Count`] or [`BatchError::NotFromProducer`].
// ANCHOR: from_producer
pub fn check_from_producer(header: &BatchHeader) -> Result<(), BatchError> {
    if header.is_control() {
        return Err(NotFromProducer::Control.into());
    }
    let count = header.record_count;
    let last_offset_delta = header.last_offset_delta;
    if count < 1 || last_offset_delta != count - 1 {
        return Err(BatchError::Count {
            count,
            last_offset_delta,
        });
    }
    if header.base_offset != Offset(0) {
        return Err(NotFromProducer::BaseOffset(header.base_offset).into());
    }
    if header.producer_id != ProducerId::NONE && header.base_sequence < 0 {
        return Err(NotFromProducer::Sequence(header.base_sequence).into());
    }
    Ok(())
}
// ANCHOR_END: from_producer
