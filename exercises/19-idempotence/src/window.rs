//! What the broker remembers of the batches that one producer sent to one partition.

use std::collections::VecDeque;

use message_model::{Offset, OffsetRange, ProducerEpoch, Timestamp};
use record_batch::BatchHeader;

/// How many batches are remembered. A producer has at most as many in flight, so one that
/// comes again is among them.
pub const BATCHES_MAX: usize = 5;

/// A batch that is in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Remembered {
    /// The sequence number of its first record.
    pub first: i32,
    /// The sequence number of its last record. It is below `first` if the numbers have
    /// begun again within the batch: 0 follows on [`i32::MAX`].
    pub last: i32,
    /// The offset of its first record.
    pub base_offset: Offset,
    /// The largest timestamp of its records, as its header says.
    pub timestamp: Timestamp,
}

impl Remembered {
    /// What is remembered of a batch with this header; `None` if its records have no
    /// numbers: those of a producer that is not idempotent, and markers, which have a
    /// base sequence of -1.
    ///
    /// Compaction removes records from a batch in the log, perhaps all of them, and
    /// leaves its offsets and numbers as they were.
    #[must_use]
    pub fn of(header: &BatchHeader) -> Option<Remembered> {
        // task 19.1: the numbers of its first and its last record
        todo!("19.1: the numbers of its first and its last record")
        // end
    }

    /// Returns the offsets of its records.
    #[must_use]
    pub fn range(&self) -> OffsetRange {
        let count = i64::from(self.last.wrapping_sub(self.first) & i32::MAX) + 1;
        OffsetRange {
            start: self.base_offset,
            end: Offset(self.base_offset.0.saturating_add(count)),
        }
    }
}

/// The last batches of a producer: those that the broker recognises if they come again.
///
/// # Invariants
/// - All its batches are of one epoch, the newest that the producer was seen with.
/// - There are at most [`BATCHES_MAX`], and they are the last ones, in the order of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    pub(crate) epoch: ProducerEpoch,
    /// The oldest one first.
    pub(crate) batches: VecDeque<Remembered>,
}

impl Window {
    /// Of a producer that has written nothing with this epoch.
    #[must_use]
    pub fn new(epoch: ProducerEpoch) -> Window {
        Window {
            epoch,
            batches: VecDeque::new(),
        }
    }

    /// Returns the producer's epoch.
    #[must_use]
    pub fn epoch(&self) -> ProducerEpoch {
        self.epoch
    }

    /// Returns the batches, the oldest one first.
    pub fn batches(&self) -> impl DoubleEndedIterator<Item = &Remembered> {
        self.batches.iter()
    }

    /// Returns the batch that was written last; `None` if there is none with this epoch.
    #[must_use]
    pub fn last(&self) -> Option<&Remembered> {
        self.batches.back()
    }

    /// Returns the batch that was written with exactly these numbers. What comes with
    /// them now is the same batch once more, and is not to be written again.
    ///
    /// A batch that has only some numbers in common with one in the window is no
    /// duplicate: a producer sends the same batch again, or none.
    #[must_use]
    pub fn find(&self, epoch: ProducerEpoch, first: i32, last: i32) -> Option<Remembered> {
        // task 19.1: the same epoch, the same first and the same last number
        todo!("19.1: the same epoch, the same first and the same last number")
        // end
    }

    /// The producer was seen with this epoch. If it is newer, its numbers begin anew, and
    /// nothing is left of the window. An older one changes nothing.
    pub fn begin(&mut self, epoch: ProducerEpoch) {
        // task 19.1: a new epoch clears the window
        todo!("19.1: a new epoch clears the window")
        // end
    }

    /// A batch was written with this epoch: it is remembered, and the oldest one is
    /// forgotten if there are too many. A batch of an older epoch changes nothing.
    pub fn push(&mut self, epoch: ProducerEpoch, batch: Remembered) {
        // task 19.1: remember this batch, and forget the oldest if there are too many
        todo!("19.1: remember this batch, and forget the oldest if there are too many")
        // end
    }
}
