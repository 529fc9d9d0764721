//! The file that takes the place of some segments, while it is written.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use disk::File;
use message_model::{Offset, OffsetRange, Timestamp};
use record_batch::BatchHeader;

use super::rewrite::placeholder;
use crate::error::{At, Error};
use crate::indexes::Indexes;
use crate::log_dir::LogDir;
use crate::name;
use crate::part::{SEGMENT_SIZE_MAX, Segment};

/// Batches are collected up to this size before they are written, in bytes.
const WRITE_SIZE: usize = 256 * 1024;
/// After so many bytes the file is synced, so that no sync takes long.
const SYNC_SIZE: u32 = 32 * 1024 * 1024;

/// A segment on its way to disk.
#[derive(Debug)]
pub(crate) struct NewSegment {
    path: PathBuf,
    file: Arc<dyn File>,
    pub(crate) indexes: Indexes,
    /// Behind its last batch.
    end: Offset,
    /// Batches, in bytes, those that are not written yet included.
    size: u32,
    synced: u32,
    unwritten: Vec<u8>,
}

impl NewSegment {
    /// An empty file.
    ///
    /// # Errors
    /// As the disk says.
    pub(crate) fn create(dir: &LogDir, base_offset: Offset) -> Result<NewSegment, Error> {
        let path = name::cleaned_path(&dir.path, base_offset);
        let file = dir.disk.create(&path).at(&path)?;
        let interval = dir.config().index_interval_bytes;
        Ok(NewSegment {
            path,
            file,
            indexes: Indexes::new(base_offset, interval),
            end: base_offset,
            size: 0,
            synced: 0,
            unwritten: Vec::new(),
        })
    }

    /// Appends a batch.
    ///
    /// # Errors
    /// As the disk says; [`io::ErrorKind::FileTooLarge`] when no segment may be so long.
    pub(crate) fn push(&mut self, header: &BatchHeader, batch: &[u8]) -> Result<(), Error> {
        let size = u32::try_from(batch.len()).ok();
        let size = size.and_then(|size| self.size.checked_add(size));
        let Some(size) = size.filter(|size| *size <= SEGMENT_SIZE_MAX) else {
            return Err(io::Error::from(io::ErrorKind::FileTooLarge)).at(&self.path);
        };
        self.indexes.note(self.size, header);
        self.unwritten.extend_from_slice(batch);
        self.size = size;
        self.end = header.range().end;
        if self.unwritten.len() >= WRITE_SIZE {
            self.write()?;
        }
        if self.size - self.synced >= SYNC_SIZE {
            self.sync()?;
        }
        Ok(())
    }

    /// Makes it end at `end`, and puts it on disk. `last` is the header of the last batch
    /// that was looked at, and `newest` the largest timestamp of what was left out since the last
    /// one that was kept.
    ///
    /// # Errors
    /// As the disk says.
    pub(crate) fn finish(
        &mut self,
        end: Offset,
        last: &BatchHeader,
        newest: Timestamp,
    ) -> Result<(), Error> {
        if self.end < end {
            let range = OffsetRange {
                start: self.end,
                end,
            };
            let batch = placeholder(last, range, newest);
            let header = BatchHeader::read(&batch).expect("a placeholder is a batch");
            self.push(&header, &batch)?;
        }
        self.indexes.note_newest();
        self.write()?;
        self.sync()
    }

    /// The segment, once it is finished.
    pub(crate) fn segment(&self) -> Segment {
        Segment {
            base_offset: self.indexes.base_offset,
            end_offset: self.end,
            size: self.size,
        }
    }

    /// Removes the file, if that is possible; a later start removes it too.
    pub(crate) fn discard(&self, dir: &LogDir) {
        let _ = dir.disk.remove(&self.path);
    }

    fn write(&mut self) -> Result<(), Error> {
        let position = self.size as usize - self.unwritten.len();
        let written = self.file.write_all_at(&self.unwritten, position as u64);
        written.at(&self.path)?;
        self.unwritten.clear();
        Ok(())
    }

    fn sync(&mut self) -> Result<(), Error> {
        self.file.sync_data().at(&self.path)?;
        self.synced = self.size;
        Ok(())
    }
}
