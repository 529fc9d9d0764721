//! Batches as the cases write them.

use message_model::{LeaderEpoch, Offset, ProducerEpoch, ProducerId, Timestamp};
use record_batch::BatchHeader;

use super::part::Remembered;

pub(crate) const EPOCH: ProducerEpoch = ProducerEpoch(3);
pub(crate) const NEWER: ProducerEpoch = ProducerEpoch(4);
pub(crate) const OLDER: ProducerEpoch = ProducerEpoch(2);

/// A batch with these numbers, at this offset; its timestamp is a million later.
pub(crate) fn batch(first: i32, last: i32, offset: i64) -> Remembered {
    Remembered {
        first,
        last,
        base_offset: Offset(offset),
        timestamp: Timestamp(1_000_000 + offset),
    }
}

/// The header of a batch in the log, with ten records from sequence number 40 on.
pub(crate) fn header() -> BatchHeader {
    BatchHeader {
        base_offset: Offset(5_000_000_000),
        batch_length: 300,
        leader_epoch: LeaderEpoch(7),
        magic: 2,
        crc: 0x1234_5678,
        attributes: 0,
        last_offset_delta: 9,
        base_timestamp: Timestamp(1_700_000_000_000),
        max_timestamp: Timestamp(1_700_000_000_999),
        producer_id: ProducerId(4711),
        producer_epoch: EPOCH,
        base_sequence: 40,
        record_count: 10,
    }
}
