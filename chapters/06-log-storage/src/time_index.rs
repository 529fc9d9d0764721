//! A sparse map from timestamp to offset, one per segment.
//!
//! # On disk
//! Ascending entries, no header, no checksum: timestamp `i64` | relative offset
//! `i32`, big-endian. Kafka's `.timeindex` format.
//!
//! # Invariants
//! - Entries strictly ascend in both columns.
//! - An entry says: the batch that ends with this offset has this largest
//!   timestamp, and no record before it has a larger one.
//! - The file is a cache: it can be made again from the segment at any time.
//!
//! Before an entry is used, its batch must end and have the timestamp as it says. That no
//! record before it has a larger one is believed, as Kafka does: finding out would
//! take a walk over the segment, which the index is there to save. So a well-formed file
//! that was made by hand can hide records from look-ups by time.

use message_model::{Offset, Timestamp};

const TIMESTAMP_SIZE: usize = size_of::<i64>();
const RELATIVE_OFFSET_SIZE: usize = size_of::<i32>();
const ENTRY_SIZE: usize = TIMESTAMP_SIZE + RELATIVE_OFFSET_SIZE;
/// Name, start and size of each field of an entry of a `.timeindex`, in bytes.
pub const TIME_INDEX_FIELDS: [(&str, usize, usize); 2] = [
    ("timestamp", 0, TIMESTAMP_SIZE),
    ("relative offset", TIMESTAMP_SIZE, RELATIVE_OFFSET_SIZE),
];

/// The time index of one segment, in memory in its file format.
#[derive(Debug, Clone)]
pub(crate) struct TimeIndex {
    base_offset: Offset,
    bytes: Vec<u8>,
}

impl TimeIndex {
    /// The index of a segment that starts at `base_offset`, from its file's bytes.
    /// A torn last entry is dropped.
    pub(crate) fn from_bytes(base_offset: Offset, mut bytes: Vec<u8>) -> TimeIndex {
        bytes.truncate(bytes.len() / ENTRY_SIZE * ENTRY_SIZE);
        TimeIndex { base_offset, bytes }
    }

    /// The index as its file holds it.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Notes that the batch with the last offset `offset` is the first one with a
    /// record as new as `timestamp`. One that would break the order is left out.
    pub(crate) fn push(&mut self, timestamp: Timestamp, offset: Offset) {
        let Ok(relative) = i32::try_from(offset.since(self.base_offset)) else {
            return;
        };
        let ascends = self
            .last()
            .is_none_or(|(newest, at)| timestamp > newest && offset > at);
        if ascends && relative >= 0 {
            self.bytes.extend_from_slice(&timestamp.0.to_be_bytes());
            self.bytes.extend_from_slice(&relative.to_be_bytes());
        }
    }

    /// The last entry with a timestamp below `target`.
    pub(crate) fn below(&self, target: Timestamp) -> Option<(Timestamp, Offset)> {
        let below = self
            .entries()
            .partition_point(|entry| self.read(entry).0 < target);
        let entry = self.entries().get(below.checked_sub(1)?)?;
        Some(self.read(entry))
    }

    /// The last entry: the segment's largest timestamp when it was written.
    pub(crate) fn last(&self) -> Option<(Timestamp, Offset)> {
        self.entries().last().map(|entry| self.read(entry))
    }

    /// Whether the entries keep the order and begin inside the segment.
    pub(crate) fn is_sane(&self) -> bool {
        let ascends = self.entries().windows(2).all(|pair| {
            let (before, after) = (self.read(&pair[0]), self.read(&pair[1]));
            before.0 < after.0 && before.1 < after.1
        });
        let first = self.entries().first().map(|entry| self.read(entry));
        ascends && first.is_none_or(|(_, offset)| offset >= self.base_offset)
    }

    fn entries(&self) -> &[[u8; ENTRY_SIZE]] {
        self.bytes.as_chunks().0
    }

    fn read(&self, entry: &[u8; ENTRY_SIZE]) -> (Timestamp, Offset) {
        let (timestamp, relative) = entry.split_at(TIMESTAMP_SIZE);
        let timestamp = timestamp.try_into().map_or(0, i64::from_be_bytes);
        let relative = relative.try_into().map_or(0, i32::from_be_bytes);
        let offset = self.base_offset.0.saturating_add(relative.into());
        (Timestamp(timestamp), Offset(offset))
    }
}
