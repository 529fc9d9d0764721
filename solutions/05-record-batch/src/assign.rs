//! What a broker changes in a batch.

use message_model::{LeaderEpoch, Offset};

use crate::layout;

/// Gives the records of `batch` their offsets: the first one gets `base_offset`,
/// the others follow from their deltas. Also notes the leader's epoch.
///
/// Both fields lie outside what the CRC covers, so nothing else changes. Where they are
/// is in [`layout`]; the numbers to write are `base_offset.0` and `leader_epoch.0`.
///
/// # Panics
/// When `batch` is shorter than a header; [`validate`](crate::validate) it first.
pub fn assign_offsets(batch: &mut [u8], base_offset: Offset, leader_epoch: LeaderEpoch) {
    // task 5.1: write the base offset and the leader epoch into the header, and nothing else
    batch[layout::BASE_OFFSET..layout::BATCH_LENGTH].copy_from_slice(&base_offset.0.to_be_bytes());
    batch[layout::PARTITION_LEADER_EPOCH..layout::MAGIC]
        .copy_from_slice(&leader_epoch.0.to_be_bytes());
    // end
}
