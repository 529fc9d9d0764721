//! A segment that is complete.

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use disk::ReadAt;
use message_model::{Offset, Timestamp};

use crate::aborted::AbortedIndex;
use crate::error::{At, Error};
use crate::log_dir::LogDir;
use crate::name;
use crate::part::{Segment, SegmentFile, segment_path};
use crate::segment_cache::OpenSlot;
use crate::segment_view::SegmentView;

/// A segment that will not grow any more. Nothing of it is in memory until it is read.
#[derive(Debug)]
pub(crate) struct Sealed {
    pub(crate) segment: Segment,
    /// How often compaction has written it again: tells segments of one name apart.
    pub(crate) version: u32,
    /// The largest timestamp in it, once that was asked for.
    pub(crate) newest: OnceLock<Option<Timestamp>>,
    pub(crate) aborted: Arc<AbortedIndex>,
    unsynced: Mutex<Option<Unsynced>>,
    /// Its file, once compaction gives the name to another one: readers of old views go on with it.
    replaced: OnceLock<Arc<dyn ReadAt>>,
}

/// The file of a segment that may not be on disk yet. It stays open until it is:
/// the operating system reports a failure to write to those who have the file open.
#[derive(Debug, Clone)]
pub(crate) struct Unsynced {
    pub(crate) file: SegmentFile,
    /// Whether its name in the directory is on disk.
    pub(crate) named: Arc<AtomicBool>,
    /// Counts the file among those of its kind until it is closed.
    pub(crate) _slot: Option<Arc<OpenSlot>>,
}

impl Sealed {
    pub(crate) fn new(
        segment: Segment,
        unsynced: Option<Unsynced>,
        aborted: Arc<AbortedIndex>,
    ) -> Sealed {
        Sealed {
            segment,
            version: 0,
            newest: OnceLock::new(),
            aborted,
            unsynced: Mutex::new(unsynced),
            replaced: OnceLock::new(),
        }
    }

    /// A segment that compaction has written again; it is on disk.
    pub(crate) fn again(segment: Segment, version: u32, aborted: AbortedIndex) -> Sealed {
        Sealed {
            version,
            ..Sealed::new(segment, None, Arc::new(aborted))
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

    /// Keeps its file for those who still read it, before another one gets the name.
    pub(crate) fn replace_with(&self, file: Arc<dyn ReadAt>) {
        self.replaced.get_or_init(|| file);
    }

    /// Whether the files of its name are not its own any more.
    pub(crate) fn is_replaced(&self) -> bool {
        self.replaced.get().is_some()
    }

    /// The segment, open.
    ///
    /// # Errors
    /// As the disk says.
    pub(crate) fn open(&self, dir: &LogDir) -> Result<SegmentView, Error> {
        let path = segment_path(&dir.path, self.base_offset());
        let opened = match self.replaced.get() {
            Some(_) => None,
            None => Some(dir.disk.open(&path)),
        };
        // Asked after the opening: the name may have gone to another file just before.
        let file = match (self.replaced.get(), opened) {
            (Some(file), _) => Arc::clone(file),
            (None, Some(opened)) => opened.at(&path)?.reader(),
            (None, None) => unreachable!("a file that is kept stays kept"),
        };
        Ok(SegmentView {
            path: path.into(),
            base_offset: self.base_offset(),
            size: self.segment.size,
            reads: Arc::clone(&file),
            file,
        })
    }

    /// The paths of its files in `dir`, the batches first: indexes without batches do no harm.
    pub(crate) fn paths(&self, dir: &LogDir) -> [PathBuf; 4] {
        let base_offset = self.base_offset();
        [
            segment_path(&dir.path, base_offset),
            name::offset_index_path(&dir.path, base_offset),
            name::time_index_path(&dir.path, base_offset),
            name::aborted_index_path(&dir.path, base_offset),
        ]
    }

    fn lock(&self) -> MutexGuard<'_, Option<Unsynced>> {
        self.unsynced.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
