//! What a partition knows of one producer.

use idempotence::{Remembered, Window};
use message_model::{Offset, ProducerEpoch, Timestamp};
use ordering::{Numbered, Standing, note};
use record_batch::BatchHeader;

// ANCHOR: entry
/// What a partition knows of one producer, beside its open transaction.
///
/// # Invariants
/// - `standing` and `window` are of the same epoch, the newest that was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// For the fence and the sequence (chapter 18).
    pub(super) standing: Standing,
    /// For duplicates (chapter 19).
    pub(super) window: Window,
    /// Of the coordinator that has written the last marker.
    pub(super) coordinator_epoch: Option<i32>,
    /// The last offset of the last batch or marker that was noted; `None` if the producer
    /// has only been named by the coordinator.
    pub(super) noted: Option<Offset>,
    /// When that was.
    pub(super) seen: Timestamp,
    /// The turn of the last use; see [`Room`](super::room::Room).
    pub(super) used: u64,
    /// Its place among those that may be forgotten; `None` while a transaction is open.
    pub(super) place: Option<u64>,
}
// ANCHOR_END: entry

impl Entry {
    /// Of a producer that was seen for the first time.
    pub(super) fn new(epoch: ProducerEpoch, seen: Timestamp) -> Entry {
        Entry {
            standing: Standing { epoch, last: None },
            window: Window::new(epoch),
            coordinator_epoch: None,
            noted: None,
            seen,
            used: 0,
            place: None,
        }
    }

    /// The producer was seen with `epoch`. If it is newer, its numbers begin anew.
    pub(super) fn begin(&mut self, epoch: ProducerEpoch) {
        if epoch > self.standing.epoch {
            self.standing = Standing { epoch, last: None };
        }
        self.window.begin(epoch);
    }

    /// A batch of data is in the log.
    ///
    /// One that is in the window is there a second time, because the rule of duplicates was
    /// left out. It does not turn the numbers back, or the next new batch would be refused.
    pub(super) fn wrote(&mut self, batch: &BatchHeader) {
        let epoch = batch.producer_epoch;
        self.begin(epoch);
        let Some(remembered) = Remembered::of(batch) else {
            return;
        };
        if self.find(epoch, &remembered).is_none() {
            self.standing = note(Some(&self.standing), numbered(batch));
            self.window.push(epoch, remembered);
        }
    }

    /// Returns the batch with exactly these numbers that is in the log.
    pub(super) fn find(&self, epoch: ProducerEpoch, batch: &Remembered) -> Option<Remembered> {
        self.window.find(epoch, batch.first, batch.last)
    }
}

/// Returns the numbers in a batch's header.
pub(super) fn numbered(batch: &BatchHeader) -> Numbered {
    Numbered {
        epoch: batch.producer_epoch,
        first: batch.base_sequence,
        count: u32::try_from(batch.last_offset_delta).map_or(0, |last| last + 1),
    }
}
