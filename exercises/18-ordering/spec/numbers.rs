//! Entries and batches with few words.

use message_model::ProducerEpoch;

use super::part::{Numbered, Standing};

/// The numbers at which something changes, and their neighbours.
pub(super) const NUMBERS: [i32; 9] = [
    0,
    1,
    2,
    9,
    1 << 16,
    i32::MAX - 10,
    i32::MAX - 2,
    i32::MAX - 1,
    i32::MAX,
];

pub(super) fn batch(epoch: i16, first: i32, count: u32) -> Numbered {
    Numbered {
        epoch: ProducerEpoch(epoch),
        first,
        count,
    }
}

pub(super) fn known(epoch: i16, last: impl Into<Option<i32>>) -> Standing {
    Standing {
        epoch: ProducerEpoch(epoch),
        last: last.into(),
    }
}
