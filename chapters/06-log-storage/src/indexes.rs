//! Both indexes of a segment, in memory, and what they are made from.

use message_model::{Offset, Timestamp};
use record_batch::BatchHeader;

use crate::part::OffsetIndex;
use crate::time_index::TimeIndex;

/// The indexes of one segment; grow with it, batch by batch.
#[derive(Debug, Clone)]
pub(crate) struct Indexes {
    /// The segment's.
    pub(crate) base_offset: Offset,
    pub(crate) offsets: OffsetIndex,
    pub(crate) times: TimeIndex,
    /// The largest timestamp in the segment, and the first batch that has it.
    pub(crate) newest: Option<(Timestamp, Offset)>,
    /// Bytes of batches between two entries.
    interval: u32,
    /// The position of the last entry.
    indexed_to: u32,
}

impl Indexes {
    /// Of an empty segment.
    pub(crate) fn new(base_offset: Offset, interval: u32) -> Indexes {
        Indexes::from_files(base_offset, interval, Vec::new(), Vec::new())
    }

    /// From the bytes of the two files; `newest` is not known yet.
    pub(crate) fn from_files(
        base_offset: Offset,
        interval: u32,
        offsets: Vec<u8>,
        times: Vec<u8>,
    ) -> Indexes {
        Indexes {
            base_offset,
            offsets: OffsetIndex::from_bytes(base_offset, offsets),
            times: TimeIndex::from_bytes(base_offset, times),
            newest: None,
            interval,
            indexed_to: 0,
        }
    }

    /// Notes the next batch of the segment, which lies at `position`.
    pub(crate) fn note(&mut self, position: u32, header: &BatchHeader) {
        if self
            .newest
            .is_none_or(|(newest, _)| header.max_timestamp > newest)
        {
            self.newest = Some((header.max_timestamp, header.base_offset));
        }
        if position - self.indexed_to >= self.interval {
            self.offsets.push(header.base_offset, position);
            self.note_newest();
            self.indexed_to = position;
        }
    }

    /// Puts the largest timestamp into the time index: a sealed segment's last
    /// entry is the newest of all.
    pub(crate) fn note_newest(&mut self) {
        if let Some((timestamp, offset)) = self.newest {
            self.times.push(timestamp, offset);
        }
    }
}
