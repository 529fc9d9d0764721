//! Writing a log: append, roll and sync.
//!
//! A log is a directory of segments, each one file. Batches are written behind
//! the last one of the last segment, the *active* one. Nothing is synced on the
//! way; [`sync_segments`] does that, on any other thread.
//!
//! # Invariants
//! - A segment begins where the one before it ends, and its name says so.
//! - What is behind [`Segment::size`] in the active file is never part of the log.
//!
//! Start reading at [`LogWriter`].

use std::mem;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use disk::Disk;
use record_batch::BatchHeader;

use crate::error::{At, WriteError};
use crate::segment::{SEGMENT_SIZE_MAX, Segment, SegmentFile, create_segment};

/// Writes at the end of one log. It has no lock: its owner has.
#[derive(Debug)]
pub struct LogWriter {
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) dir: PathBuf,
    pub(crate) active: Segment,
    pub(crate) file: SegmentFile,
    /// A write failed, and what it left could not be cut off.
    pub(crate) offline: bool,
}

impl LogWriter {
    /// Writes `batch` behind the last one, and returns its position in the
    /// active segment. It is in the page cache then, not on disk.
    ///
    /// # Errors
    /// As the disk says. The segment is then as long as before, or, if what was
    /// written cannot be cut off, every later call fails with [`WriteError::Offline`].
    ///
    /// # Panics
    /// When `header` is not the header of `batch`, begins below the log end, or
    /// the segment would have 2 GiB.
    pub fn append(&mut self, batch: &[u8], header: &BatchHeader) -> Result<u32, WriteError> {
        // task 6.4: the log writer, append: behind the last batch, or not at all
        self.check_online()?;
        let position = self.active.size;
        let size = self.size_with(batch, header);
        let written = self.file.file.write_all_at(batch, position.into());
        if let Err(error) = written.at(&self.file.path) {
            // Any part of the batch may be in the file: cut it off. The cut needs no
            // sync. Until the next one, a crash may leave the rest of this batch as
            // it may leave any other that was not synced, and recovery cuts off what
            // is not whole; the next sync makes the cut safe together with what was
            // appended since.
            let cut = self.file.file.set_len(position.into());
            self.offline = cut.is_err();
            return Err(error);
        }
        self.active.size = size;
        self.active.end_offset = header.range().end;
        Ok(position)
        // end
    }

    /// Begins a new segment at the log end, and returns the one that was active:
    /// nothing of it is synced here, so its file must be kept until it is.
    ///
    /// # Errors
    /// As the disk says. The active segment is then the same as before.
    ///
    /// # Panics
    /// When the active segment is empty: the new one would have the same name.
    pub fn roll(&mut self) -> Result<(Segment, SegmentFile), WriteError> {
        // task 6.4: roll: a new segment, named after the offset that comes next
        self.check_online()?;
        assert!(self.active.size > 0, "an empty segment is not rolled");
        let (segment, file) = create_segment(&*self.disk, &self.dir, self.active.end_offset)?;
        let old = mem::replace(&mut self.active, segment);
        let old_file = mem::replace(&mut self.file, file);
        Ok((old, old_file))
        // end
    }

    /// The segment that is being written.
    #[must_use]
    pub fn active(&self) -> Segment {
        self.active
    }

    /// Its file.
    #[must_use]
    pub fn active_file(&self) -> &SegmentFile {
        &self.file
    }

    /// How long the active segment is with `batch` behind it, in bytes.
    ///
    /// # Panics
    /// When the batch must not be appended; see [`append`](LogWriter::append).
    fn size_with(&self, batch: &[u8], header: &BatchHeader) -> u32 {
        let end = self.active.end_offset;
        assert!(
            header.base_offset >= end,
            "offsets ascend: {} follows {end}",
            header.range()
        );
        assert_eq!(header.size(), batch.len(), "the header is the batch's");
        let size = u32::try_from(batch.len()).ok();
        let size = size.and_then(|size| self.active.size.checked_add(size));
        let size = size.filter(|size| *size <= SEGMENT_SIZE_MAX);
        size.expect("a segment is below 2 GiB")
    }

    /// # Errors
    /// [`WriteError::Offline`].
    fn check_online(&self) -> Result<(), WriteError> {
        if self.offline {
            return Err(WriteError::Offline);
        }
        Ok(())
    }
}

/// Makes `segments` (each with all that was written to it before the call) safe
/// against power loss, and, if a segment was created since the last time, their names in `dir`.
///
/// # Errors
/// As the disk says. What was not on disk before is then lost for good: only
/// [`LogWriter::open`] can save it, and no later sync may be believed.
pub fn sync_segments(
    disk: &dyn Disk,
    dir: &Path,
    segments: &[SegmentFile],
    created: bool,
) -> Result<(), WriteError> {
    // task 6.4: sync: what `fdatasync` does not cover is the name of a file
    for segment in segments {
        segment.file.sync_data().at(&segment.path)?;
    }
    if created {
        disk.sync_dir(dir).at(dir)?;
    }
    Ok(())
    // end
}
