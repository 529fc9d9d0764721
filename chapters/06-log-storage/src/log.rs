//! A log: segments one behind the other.

mod append;
mod find_timestamp;
mod open;
mod read;
mod retention;
mod truncate;

use std::cell::RefCell;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use message_model::{Offset, OffsetRange};

use crate::active::Active;
use crate::error::Error;
use crate::part::RetentionLimits;
use crate::recovery_point;
use crate::sealed::{Loaded, Sealed};
use disk::{Disk, File};

/// Settings of a log; named as in Kafka's configuration of a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogConfig {
    /// `segment.bytes`: a segment is rolled before it grows above this. It grows
    /// above it only when one append is larger. At most 2 GiB - 1 takes effect.
    pub segment_bytes: u32,
    /// `segment.ms`: a segment is rolled when it was first appended to longer ago
    /// than this, as far as this process knows.
    pub segment_age: Duration,
    /// `index.interval.bytes`: how many bytes of batches lie between two index entries.
    pub index_interval_bytes: u32,
    /// `max.message.bytes`: no batch is larger. The caller of [`Log::append`] sees to it.
    pub batch_size_max: usize,
    /// `retention.ms` and `retention.bytes`.
    pub retention: RetentionLimits,
}

impl Default for LogConfig {
    /// Kafka's defaults.
    fn default() -> LogConfig {
        let day = Duration::from_hours(24);
        LogConfig {
            segment_bytes: 1024 * 1024 * 1024,
            segment_age: 7 * day,
            index_interval_bytes: 4096,
            batch_size_max: 1024 * 1024 + 12,
            retention: RetentionLimits {
                age: Some(7 * day),
                bytes: None,
            },
        }
    }
}

/// The log of one partition. It has no lock: the partition has.
///
/// # Invariants
/// - Everything in sealed segments is on disk.
/// - log start ≤ recovery point ≤ log end, and the recovery point is not below
///   the last segment's first offset.
#[derive(Debug)]
pub struct Log {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    config: LogConfig,
    /// Oldest first.
    sealed: Vec<Sealed>,
    active: Active,
    /// The sealed segment that was read last: a reader that catches up asks for
    /// the same one again and again.
    loaded: RefCell<Option<Arc<Loaded>>>,
    recovery_point: Offset,
    /// What its file says (0 when there is none); `None` when that is unknown.
    saved_recovery_point: Option<Offset>,
    /// The log end before the last truncation; see [`Log::synced`].
    truncated_from: Option<Offset>,
    online: bool,
}

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
    /// How many bytes were cut off.
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

impl Log {
    /// What to call [`File::sync_data`] on, and what is safe when that has
    /// returned: everything below the log end of now. Pass it to [`Log::synced`] then.
    #[must_use]
    pub fn to_sync(&self) -> (Arc<dyn File>, Offset) {
        (Arc::clone(&self.active.file), self.log_end())
    }

    /// Notes that everything below `end` is on disk.
    ///
    /// A sync that a truncation has overtaken says nothing about what was
    /// appended since: up to the log end of before the truncation it is ignored.
    pub fn synced(&mut self, end: Offset) {
        match self.truncated_from {
            Some(log_end) if end <= log_end => return,
            _ => self.truncated_from = None,
        }
        self.recovery_point = self.recovery_point.max(end.min(self.log_end()));
    }

    /// Takes the log offline: every later call but reads fails with [`Error::Offline`].
    pub fn take_offline(&mut self) {
        self.online = false;
    }

    /// Everything below it is on disk.
    #[must_use]
    pub fn recovery_point(&self) -> Offset {
        self.recovery_point
    }

    /// Writes the recovery point to its file, if it has moved, so that the next
    /// start knows what must be there.
    ///
    /// # Errors
    /// As the disk says.
    pub fn save_recovery_point(&mut self) -> Result<(), Error> {
        self.check_online()?;
        if self.saved_recovery_point == Some(self.recovery_point) {
            return Ok(());
        }
        self.write_recovery_point(self.recovery_point)
    }

    /// The first offset that the log has.
    #[must_use]
    pub fn log_start(&self) -> Offset {
        let oldest = self.sealed.first();
        oldest.map_or(self.active.base_offset, |segment| segment.base_offset)
    }

    /// The offset that the next record gets.
    #[must_use]
    pub fn log_end(&self) -> Offset {
        self.active.end_offset
    }

    fn write_recovery_point(&mut self, offset: Offset) -> Result<(), Error> {
        // A failure may come before the file is replaced, or after.
        self.saved_recovery_point = None;
        recovery_point::write(&*self.disk, &self.dir, offset)?;
        self.saved_recovery_point = Some(offset);
        Ok(())
    }

    fn check_online(&self) -> Result<(), Error> {
        if self.online {
            Ok(())
        } else {
            Err(Error::Offline)
        }
    }

    /// After a failure that leaves unknown what is on disk.
    fn or_offline<T>(&mut self, result: Result<T, Error>) -> Result<T, Error> {
        if result.is_err() {
            self.take_offline();
        }
        result
    }

    fn out_of_range(&self, asked: Offset) -> Error {
        let log = OffsetRange {
            start: self.log_start(),
            end: self.log_end(),
        };
        Error::OutOfRange { asked, log }
    }
}
