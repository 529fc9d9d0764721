//! A segment that is complete.

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use message_model::{Offset, Timestamp};

use crate::log_dir::LogDir;
use crate::name;
use crate::part::{Segment, SegmentFile, segment_path};

/// A segment that will not grow any more. Nothing of it is in memory until it is read.
#[derive(Debug)]
pub(crate) struct Sealed {
    pub(crate) segment: Segment,
    /// The largest timestamp in it, once that was asked for.
    pub(crate) newest: OnceLock<Option<Timestamp>>,
    unsynced: Mutex<Option<Unsynced>>,
}

/// The file of a segment that may not be on disk yet. It stays open until it is:
/// the operating system reports a failure to write to those who have the file open.
#[derive(Debug, Clone)]
pub(crate) struct Unsynced {
    pub(crate) file: SegmentFile,
    /// Whether its name in the directory is on disk.
    pub(crate) named: Arc<AtomicBool>,
}

impl Sealed {
    pub(crate) fn new(segment: Segment, unsynced: Option<Unsynced>) -> Sealed {
        Sealed {
            segment,
            newest: OnceLock::new(),
            unsynced: Mutex::new(unsynced),
        }
    }

    pub(crate) fn base_offset(&self) -> Offset {
        self.segment.base_offset
    }

    pub(crate) fn end_offset(&self) -> Offset {
        self.segment.end_offset
    }

    /// Its file, if it was not synced since it was sealed.
    pub(crate) fn unsynced(&self) -> Option<Unsynced> {
        self.lock().clone()
    }

    /// Closes the file, which is on disk now.
    pub(crate) fn close(&self) {
        let closed = self.lock().take();
        // Closing a file may take long: after the lock.
        drop(closed);
    }

    /// The paths of its files in `dir`, the batches first: indexes without batches do no harm.
    pub(crate) fn paths(&self, dir: &LogDir) -> [PathBuf; 3] {
        let base_offset = self.base_offset();
        [
            segment_path(&dir.path, base_offset),
            name::offset_index_path(&dir.path, base_offset),
            name::time_index_path(&dir.path, base_offset),
        ]
    }

    fn lock(&self) -> MutexGuard<'_, Option<Unsynced>> {
        self.unsynced.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
