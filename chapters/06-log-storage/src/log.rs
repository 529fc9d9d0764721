//! A log: segments one behind the other.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use message_model::{Offset, OffsetRange, Timestamp};
use networking::FileRange;
use record_batch::BatchHeader;

use crate::disk::{Disk, File};
use crate::error::Error;
use crate::part::RetentionLimits;

/// Settings of a log; named as in Kafka's configuration of a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogConfig {
    /// `segment.bytes`: a segment is rolled before it grows above this.
    pub segment_bytes: u32,
    /// `segment.ms`: a segment is rolled when its first record is older than this.
    pub segment_age: Duration,
    /// `index.interval.bytes`: how many bytes of batches lie between two index entries.
    pub index_interval_bytes: u32,
    /// `max.message.bytes`: no batch is larger.
    pub batch_size_max: usize,
    /// `retention.ms` and `retention.bytes`.
    pub retention: RetentionLimits,
}

/// The log of one partition. It has no lock: the partition has.
#[derive(Debug)]
pub struct Log {}

/// What [`Log::open`] found.
#[derive(Debug)]
pub struct Opened {
    /// The log.
    pub log: Log,
    /// What was cut off, if anything.
    pub truncated: Option<Truncated>,
}

/// A torn tail that was cut off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Truncated {
    /// The segment.
    pub path: PathBuf,
    /// Where it ends now, in bytes.
    pub position: u64,
    /// How many bytes were cut off, those of later segments included.
    pub bytes: u64,
    /// The log end now.
    pub log_end: Offset,
}

/// Where appended batches are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// Their offsets.
    pub range: OffsetRange,
}

/// A walk along the batches of one segment; yields each one's position in the
/// segment (in bytes) and its header. Reads headers only.
#[derive(Debug)]
pub struct Scan {}

impl Scan {
    /// A run of batches of this segment, unread.
    #[must_use]
    pub fn file_range(&self, position: u32, length: u32) -> FileRange {
        let _ = (position, length);
        todo!()
    }
}

impl Iterator for Scan {
    type Item = Result<(u32, BatchHeader), Error>;

    fn next(&mut self) -> Option<Self::Item> {
        todo!()
    }
}

impl Log {
    /// Opens the log in `dir`, or creates one there that starts at offset 0, and
    /// makes good what a crash has left: a torn tail is cut off, missing or
    /// wrong indexes are made again.
    ///
    /// # Errors
    /// [`Error::Damaged`] when a batch below the recovery point is broken;
    /// nothing is changed then. Else as the disk says.
    pub fn open(disk: Arc<dyn Disk>, dir: &Path, config: LogConfig) -> Result<Opened, Error> {
        let _ = (disk, dir, config);
        todo!()
    }

    /// Appends whole batches whose offsets have been assigned, ascending, the
    /// first at or above the log end. They are in the page cache when it returns.
    ///
    /// Rolls the segment first if it is due; that syncs the old one.
    ///
    /// # Errors
    /// As the disk says. The log is then as it was before, or offline.
    ///
    /// # Panics
    /// When `batches` is not what is said above: the caller has validated it.
    pub fn append(&mut self, now: Timestamp, batches: &[u8]) -> Result<Appended, Error> {
        let _ = (now, batches);
        todo!()
    }

    /// Whether appending `bytes` more would roll the segment, which syncs it:
    /// a caller that must not block for long syncs it elsewhere first.
    #[must_use]
    pub fn rolls_for(&self, now: Timestamp, bytes: usize) -> bool {
        let _ = (now, bytes);
        todo!()
    }

    /// The batches from `from` on, to the end of their segment. The first ones
    /// may lie below `from`: the index is sparse. `from` = log end yields none.
    ///
    /// # Errors
    /// [`Error::OutOfRange`]; [`Error::Damaged`] (from here or from the walk)
    /// when there is no batch where one must be; else as the disk says.
    pub fn scan(&self, from: Offset) -> Result<Scan, Error> {
        let _ = from;
        todo!()
    }

    /// The first record with a timestamp at or above `target`, and its timestamp;
    /// `None` if there is none. Exact to the record in uncompressed batches; of a
    /// compressed one the first record that could be it.
    ///
    /// # Errors
    /// As [`Log::scan`].
    pub fn find_timestamp(&self, target: Timestamp) -> Result<Option<(Timestamp, Offset)>, Error> {
        let _ = target;
        todo!()
    }

    /// Cuts the log off so that it ends at `end`, which must be the start of a batch or the log end.
    ///
    /// # Errors
    /// As the disk says.
    pub fn truncate_to(&mut self, end: Offset) -> Result<(), Error> {
        let _ = end;
        todo!()
    }

    /// Deletes the segments whose time has come, none that holds an offset at or
    /// above `keep_from`. Returns how many. Readers of them can finish.
    ///
    /// # Errors
    /// As the disk says.
    pub fn apply_retention(&mut self, now: Timestamp, keep_from: Offset) -> Result<usize, Error> {
        let _ = (now, keep_from);
        todo!()
    }

    /// What to call [`File::sync_data`] on, and what is safe when that has
    /// returned: everything below the log end of now. Pass it to [`Log::synced`] then.
    #[must_use]
    pub fn to_sync(&self) -> (Arc<dyn File>, Offset) {
        todo!()
    }

    /// Notes that everything below `end` is on disk.
    pub fn synced(&mut self, end: Offset) {
        let _ = end;
        todo!()
    }

    /// Takes the log offline: every later call but reads fails with [`Error::Offline`].
    pub fn take_offline(&mut self) {
        todo!()
    }

    /// Everything below it is on disk.
    #[must_use]
    pub fn recovery_point(&self) -> Offset {
        todo!()
    }

    /// Writes the recovery point to its file, so that the next start looks at less.
    ///
    /// # Errors
    /// As the disk says.
    pub fn save_recovery_point(&mut self) -> Result<(), Error> {
        todo!()
    }

    /// The first offset that the log has.
    #[must_use]
    pub fn log_start(&self) -> Offset {
        todo!()
    }

    /// The offset that the next record gets.
    #[must_use]
    pub fn log_end(&self) -> Offset {
        todo!()
    }
}
