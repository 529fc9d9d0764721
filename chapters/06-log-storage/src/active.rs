//! The segment that is being written.

use std::cell::OnceCell;
use std::path::Path;
use std::sync::Arc;

use message_model::{Offset, Timestamp};

use crate::batch_run::BatchRun;
use crate::error::{At, Error};
use crate::index_file::IndexFiles;
use crate::indexes::Indexes;
use crate::scan::View;
use crate::sealed::Sealed;
use disk::{Disk, File};

/// The last segment of a log.
#[derive(Debug)]
pub(crate) struct Active {
    pub(crate) base_offset: Offset,
    /// The offset that the next record gets.
    pub(crate) end_offset: Offset,
    pub(crate) path: Arc<Path>,
    pub(crate) file: Arc<dyn File>,
    /// Whole batches, in bytes; the file has no more, but after a failed write.
    pub(crate) size: u32,
    /// When it was first appended to since the start of this process.
    pub(crate) first_append: Option<Timestamp>,
    pub(crate) indexes: Indexes,
    pub(crate) index_files: IndexFiles,
}

impl Active {
    /// An empty segment in `file`.
    pub(crate) fn new(
        disk: &dyn Disk,
        path: &Path,
        base_offset: Offset,
        file: Arc<dyn File>,
        interval: u32,
    ) -> Active {
        let indexes = Indexes::new(base_offset, interval);
        let dir = path.parent().unwrap_or(path);
        Active {
            base_offset,
            end_offset: base_offset,
            index_files: IndexFiles::make(disk, dir, base_offset, &indexes),
            path: path.into(),
            file,
            size: 0,
            first_append: None,
            indexes,
        }
    }

    /// Writes `run` behind what there is. On failure nothing is written.
    ///
    /// # Errors
    /// The failure to write; and whether the file could be brought back to what it was.
    pub(crate) fn write(
        &mut self,
        disk: &dyn Disk,
        now: Timestamp,
        run: &BatchRun<'_>,
    ) -> Result<(), (Error, Result<(), Error>)> {
        // ANCHOR: write
        let written = self.file.write_all_at(run.bytes, u64::from(self.size));
        if let Err(error) = written.at(&self.path) {
            return Err((error, self.cut_to(self.size)));
        }
        self.first_append.get_or_insert(now);
        for (position, header) in run.headers() {
            self.indexes.note(self.size + position, &header);
        }
        self.size += run.size;
        self.end_offset = run.range.end;
        self.index_files.write(disk, &self.indexes);
        Ok(())
        // ANCHOR_END: write
    }

    /// Cuts the file off, on disk too: what was cut off must not come back
    /// behind what is appended next.
    ///
    /// # Errors
    /// As the disk says.
    // ANCHOR: cut
    pub(crate) fn cut_to(&self, size: u32) -> Result<(), Error> {
        self.file.set_len(u64::from(size)).at(&self.path)?;
        self.file.sync_data().at(&self.path)
    }
    // ANCHOR_END: cut

    /// As its readers see it now.
    pub(crate) fn view(&self) -> View {
        View {
            path: Arc::clone(&self.path),
            file: Arc::clone(&self.file).reader(),
            base_offset: self.base_offset,
            size: self.size,
        }
    }

    /// As a segment that will not grow any more.
    pub(crate) fn seal(mut self, disk: &dyn Disk, end_offset: Offset) -> Sealed {
        self.indexes.note_newest();
        self.index_files.seal(disk, &self.indexes);
        let newest = self.indexes.newest.map(|(newest, _)| newest);
        Sealed {
            base_offset: self.base_offset,
            end_offset,
            size: self.size,
            newest: OnceCell::from(newest),
        }
    }
}
