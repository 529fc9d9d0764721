//! Reading from a partition.

use std::sync::atomic::Ordering;

use log_storage::{AbortedList, Error as LogError, FindTimestamp, LogView};
use message_model::{Offset, OffsetRange, Timestamp};
use networking::FileRange;

use super::Partition;
use super::reading::{Batches, Reading};
use crate::ends::{End, Ends};
use crate::error::Error;
use crate::part::Want;
use crate::services::in_pieces;

/// How many steps of a reading are taken where it was asked for. Most need one, and one more
/// for each segment with aborted transactions.
const STEPS_ON_THE_SPOT: usize = 3;

/// The kind of reader, which decides at which end the reading stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    /// A consumer of everything, up to the high watermark.
    Uncommitted,
    /// A consumer of what is committed, up to the last stable offset.
    Committed,
}

impl Reader {
    /// The end at which the reading stops.
    #[must_use]
    pub fn end(self) -> End {
        match self {
            Reader::Uncommitted => End::HighWatermark,
            Reader::Committed => End::LastStable,
        }
    }
}

/// How much a fetch may still take.
#[derive(Debug, Clone, Copy)]
pub struct Room {
    /// The most bytes of batches.
    pub bytes: u32,
    /// Whether the first batch is returned even if it is larger, so that a
    /// reader with a small buffer gets past it.
    pub at_least_one: bool,
}

/// What a fetch found.
#[derive(Debug, Clone)]
pub struct Fetched {
    /// Whole batches, unread.
    pub slice: Option<FileRange>,
    /// Their offsets; empty at the fetch offset if there are none.
    pub range: OffsetRange,
    /// The aborted transactions whose records may be among them, for a reader of committed
    /// data; `None` without batches. A request may name many partitions, so it takes little room.
    pub aborted: Option<Box<AbortedList>>,
    /// The ends at that time.
    pub ends: Ends,
    /// How many bytes were appended up to the reader's end when it looked, since the
    /// start of the broker; a second reading says what came in between.
    pub bytes_before: u64,
}

impl Partition {
    /// The whole batches for `reader` from the one that holds `from` on, as far
    /// as `room` allows. Reads batch headers, outside of every lock: on the spot
    /// if they are in memory, else on the lane for reads.
    ///
    /// # Errors
    /// When the partition is offline, `from` is out of range, or the log is damaged there.
    // ANCHOR: fetch
    pub async fn fetch(&self, reader: Reader, from: Offset, room: Room) -> Result<Fetched, Error> {
        let (view, ends, bytes_before) =
            self.online(|online| (online.view().clone(), online.ends(), online.bytes()))?;
        let want = Want {
            from,
            end: ends.get(reader.end()),
            max_bytes: room.bytes,
            at_least_one: room.at_least_one,
        };
        let found = match from == want.end {
            true => None,
            false => self.read(&view, want, reader).await?,
        };
        let mut fetched = Fetched {
            slice: None,
            range: OffsetRange {
                start: from,
                end: from,
            },
            aborted: None,
            ends,
            bytes_before,
        };
        if let Some(found) = found {
            fetched.slice = Some(found.slice);
            fetched.range = found.range;
            fetched.aborted = found.aborted.map(Box::new);
        }
        Ok(fetched)
    }
    // ANCHOR_END: fetch

    async fn read(
        &self,
        view: &LogView,
        want: Want,
        reader: Reader,
    ) -> Result<Option<Batches>, Error> {
        // Without rules nothing is known about transactions.
        let lists_aborted = reader == Reader::Committed && self.services.producers.is_some();
        let mut read = Reading::new(view.cached(), want, lists_aborted);
        for _ in 0..STEPS_ON_THE_SPOT {
            match read.step() {
                Ok(Some(found)) => return Ok(found),
                Ok(None) => {}
                // An index must be loaded, or something is not in memory.
                Err(error) if error.would_wait() => break,
                Err(error) => return Err(self.judge(error)),
            }
        }
        let mut read = Reading::new(view.clone(), want, lists_aborted);
        let lane = &self.services.lanes.reads;
        let found = in_pieces(lane, self.name.clone(), move || read.step().transpose()).await;
        found.map_err(|error| self.judge(error))
    }

    /// The same error. If the list of aborted transactions is damaged, the next start makes it
    /// again, and reads the whole log for it.
    fn judge(&self, error: Error) -> Error {
        if let Error::Log(LogError::Damaged { path, .. }) = &error
            && path
                .extension()
                .is_some_and(|extension| extension == "txnindex")
        {
            // Relaxed: nothing else is read because of it.
            self.snapshot_is_useless.store(true, Ordering::Relaxed);
        }
        error
    }

    /// How many bytes were appended since the start that a consumer may see.
    ///
    /// # Errors
    /// When the partition is offline.
    pub(crate) fn bytes(&self) -> Result<u64, Error> {
        self.online(|online| online.bytes())
    }

    /// The first record at or after `target` that `reader` may see, and its timestamp.
    ///
    /// # Errors
    /// When the partition is offline, or the log is damaged there.
    pub async fn find_timestamp(
        &self,
        reader: Reader,
        target: Timestamp,
    ) -> Result<Option<(Timestamp, Offset)>, Error> {
        let (view, ends) = self.online(|online| (online.view().clone(), online.ends()))?;
        let mut find: FindTimestamp = view.find_timestamp(target, self.services.opening);
        let lane = &self.services.lanes.reads;
        let found = in_pieces(lane, self.name.clone(), move || find.step().transpose()).await?;
        Ok(found.filter(|(_, offset)| *offset < ends.get(reader.end())))
    }
}
