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
    /// The largest timestamp in the segment, and the last offset of the first batch that has it.
    pub(crate) newest: Option<(Timestamp, Offset)>,
    /// More than so many bytes of batches lie between two entries.
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

    /// Notes the next batch of the segment, which begins at `position`.
    ///
    /// As Kafka does it: an entry when more than the interval was appended since
    /// the batch of the last one, for the last offset of this batch.
    pub(crate) fn note(&mut self, position: u32, header: &BatchHeader) {
        let last_offset = last_offset(header);
        let newest = newest_of(header);
        // The timestamp of a batch without records is no record's, as look-ups by time see it.
        let has_record = header.record_count > 0;
        if has_record && self.newest.is_none_or(|(so_far, _)| newest > so_far) {
            self.newest = Some((newest, last_offset));
        }
        if position - self.indexed_to > self.interval {
            self.offsets.push(last_offset, position);
            self.note_newest();
            self.indexed_to = position;
        }
    }

    /// Whether they were made from the batches by this process, and not read from files.
    pub(crate) fn is_made_here(&self) -> bool {
        self.newest.is_some()
    }

    /// Puts the largest timestamp into the time index: a sealed segment's last
    /// entry is the newest of all.
    pub(crate) fn note_newest(&mut self) {
        if let Some((timestamp, offset)) = self.newest {
            self.times.push(timestamp, offset);
        }
    }
}

/// The offset of the last record of a batch.
pub(crate) fn last_offset(header: &BatchHeader) -> Offset {
    Offset(header.range().end.0 - 1)
}

/// The largest timestamp in a batch as far as its header tells: some clients write
/// no maximum, and none can be below the first record's.
pub(crate) fn newest_of(header: &BatchHeader) -> Timestamp {
    header.newest()
}
