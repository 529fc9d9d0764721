//! Reading from a partition.

use log_storage::{FindTimestamp, Locate, LogView};
use message_model::{Offset, OffsetRange, Timestamp};
use networking::FileRange;

use super::Partition;
use crate::ends::{End, Ends};
use crate::error::Error;
use crate::part::{Want, whole_batches};
use crate::services::in_pieces;

/// How many batches of one partition a fetch returns at most: a bound on the
/// headers that are read in one go, whatever a client asks for.
const BATCHES_MAX: usize = 4_096;

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
    /// The ends at that time.
    pub ends: Ends,
    /// How many bytes were appended up to the reader's end when it looked, since the
    /// start of the broker; a second reading says what came in between.
    pub bytes_before: u64,
}

/// A fetch in bounded pieces.
struct Read {
    locate: Locate,
    want: Want,
}

impl Read {
    fn new(view: &LogView, want: Want) -> Read {
        let locate = view.scan(want.from);
        Read { locate, want }
    }

    /// The batches; `None` while there is more to do.
    fn step(&mut self) -> Result<Option<Option<(FileRange, OffsetRange)>>, Error> {
        let Some(mut scan) = self.locate.step()? else {
            return Ok(None);
        };
        let batches = scan.by_ref().take(BATCHES_MAX);
        let selection = whole_batches(batches, self.want)?;
        Ok(Some(selection.map(|selection| {
            let slice = scan.file_range(selection.position, selection.length);
            (slice, selection.range)
        })))
    }
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
        let found = if from == want.end {
            None
        } else {
            self.read(&view, want).await?
        };
        let nothing = OffsetRange {
            start: from,
            end: from,
        };
        let (slice, range) = found.map_or((None, nothing), |(slice, range)| (Some(slice), range));
        Ok(Fetched {
            slice,
            range,
            ends,
            bytes_before,
        })
    }
    // ANCHOR_END: fetch

    async fn read(
        &self,
        view: &LogView,
        want: Want,
    ) -> Result<Option<(FileRange, OffsetRange)>, Error> {
        match Read::new(&view.cached(), want).step() {
            Ok(Some(found)) => return Ok(found),
            // An index must be loaded, or something is not in memory.
            Ok(None) => {}
            Err(error) if error.would_wait() => {}
            Err(error) => return Err(error),
        }
        let mut read = Read::new(view, want);
        let lane = &self.services.lanes.reads;
        in_pieces(lane, self.name.clone(), move || read.step().transpose()).await
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
