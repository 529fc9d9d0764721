//! One partition: a log, its four ends, and what is known of its producers, under one lock.

use message_model::{LeaderEpoch, Offset, OffsetRange, Timestamp, TopicPartition};
use networking::FileRange;

use crate::ends::{End, Ends};
use crate::error::Error;
use crate::producers::AbortedTransaction;

/// Who reads; decides at which end the reading stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    /// A consumer of everything: up to the high watermark.
    Uncommitted,
    /// A consumer of what is committed: up to the last stable offset.
    Committed,
    /// A follower: up to the log end.
    Replica,
}

impl Reader {
    /// The end at which the reading stops.
    #[must_use]
    pub fn end(self) -> End {
        match self {
            Reader::Uncommitted => End::HighWatermark,
            Reader::Committed => End::LastStable,
            Reader::Replica => End::LogEnd,
        }
    }
}

/// What became of a produce.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// The offsets of the batches.
    pub range: OffsetRange,
    /// The ends after it.
    pub ends: Ends,
}

/// What a fetch found.
#[derive(Debug, Clone)]
pub struct Fetched {
    /// Whole batches, unread.
    pub slices: Vec<FileRange>,
    /// Their offsets; empty at the fetch offset if there are none.
    pub range: OffsetRange,
    /// The ends at that time.
    pub ends: Ends,
    /// Aborted transactions in the range, for a committed reader.
    pub aborted: Vec<AbortedTransaction>,
}

/// One partition. Shared by all connections; every method locks it for as long
/// as it runs, and none of them waits for anything but the page cache.
#[derive(Debug)]
pub struct Partition {}

impl Partition {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &TopicPartition {
        todo!()
    }

    /// Gives `batches` their offsets and appends them. They are in the page
    /// cache when it returns; wait for durability if that was asked for.
    ///
    /// # Errors
    /// When a batch is none that we take (nothing is appended then), the
    /// producer's state forbids it, or the log fails.
    pub fn append(&self, now: Timestamp, batches: &mut [u8]) -> Result<Appended, Error> {
        let _ = (now, batches);
        todo!()
    }

    /// Appends batches that have their offsets; for followers.
    ///
    /// # Errors
    /// As [`Partition::append`].
    pub fn append_as_follower(&self, now: Timestamp, batches: &[u8]) -> Result<Appended, Error> {
        let _ = (now, batches);
        todo!()
    }

    /// The whole batches from the one that holds `from` on, for `reader`, at
    /// most `max_bytes` (but at least one batch if `at_least_one`).
    ///
    /// # Errors
    /// When `from` is out of range or the log is damaged there.
    pub fn fetch(
        &self,
        reader: Reader,
        from: Offset,
        max_bytes: u32,
        at_least_one: bool,
    ) -> Result<Fetched, Error> {
        let _ = (reader, from, max_bytes, at_least_one);
        todo!()
    }

    /// The first record at or after `target` that `reader` may see.
    ///
    /// # Errors
    /// When the log is damaged there.
    pub fn find_timestamp(
        &self,
        reader: Reader,
        target: Timestamp,
    ) -> Result<Option<(Timestamp, Offset)>, Error> {
        let _ = (reader, target);
        todo!()
    }

    /// Makes everything appended so far safe against power loss. Blocks for as
    /// long as the disk takes (without the lock): call it on the blocking pool.
    ///
    /// # Errors
    /// When the sync fails; the partition is offline from then on.
    pub fn sync(&self) -> Result<Offset, Error> {
        todo!()
    }

    /// Cuts the log off at `end`; for followers.
    ///
    /// # Errors
    /// When the log fails.
    pub fn truncate_to(&self, end: Offset) -> Result<(), Error> {
        let _ = end;
        todo!()
    }

    /// Deletes the segments whose time has come; none that holds an offset at or above `keep_from`.
    ///
    /// # Errors
    /// When the log fails.
    pub fn apply_retention(&self, now: Timestamp, keep_from: Offset) -> Result<usize, Error> {
        let _ = (now, keep_from);
        todo!()
    }

    /// Where its ends are.
    #[must_use]
    pub fn ends(&self) -> Ends {
        todo!()
    }

    /// How often its leader has changed.
    #[must_use]
    pub fn leader_epoch(&self) -> LeaderEpoch {
        LeaderEpoch::FIRST
    }
}
