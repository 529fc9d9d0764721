//! A header whose largest timestamp is not that of its records.

use message_model::Timestamp;

use crate::part::{BatchHeader, layout};

/// Writes the true largest timestamp into the header, and the CRC that follows
/// from it. A batch whose header tells the truth stays as it is.
///
/// Some producers send -1 there (sarama did until 2025). With a wrong maximum
/// the batch could not be found by time, and the age of its segment would be
/// wrong. Kafka writes the true one too, and nothing else of a batch is changed.
///
/// # Panics
/// When `batch` is shorter than a header; [`validate`](crate::validate) it first.
// ANCHOR: mend
pub fn mend_max_timestamp(header: &mut BatchHeader, batch: &mut [u8], max_timestamp: Timestamp) {
    if header.max_timestamp == max_timestamp {
        return;
    }
    header.max_timestamp = max_timestamp;
    batch[layout::MAX_TIMESTAMP..layout::PRODUCER_ID]
        .copy_from_slice(&max_timestamp.0.to_be_bytes());
    header.crc = crc32c::crc32c(&batch[layout::ATTRIBUTES..]);
    batch[layout::CRC..layout::ATTRIBUTES].copy_from_slice(&header.crc.to_be_bytes());
}
// ANCHOR_END: mend
