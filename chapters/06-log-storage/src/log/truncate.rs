//! Cutting a log off.

use message_model::Offset;

use super::Log;
use crate::active::Active;
use crate::error::{At, Error};
use crate::index_file::IndexFiles;
use crate::indexes::Indexes;
use crate::name;
use crate::scan::Scan;

impl Log {
    /// Cuts the log off so that it ends at `end`, which must be the start of a
    /// batch or the log end; of a batch that `end` lies in nothing is left. What
    /// is left is on disk when it returns.
    ///
    /// # Errors
    /// [`Error::OutOfRange`]; else as the disk says. The log may be offline then.
    pub fn truncate_to(&mut self, end: Offset) -> Result<(), Error> {
        self.check_online()?;
        if end < self.log_start() || end > self.log_end() {
            return Err(self.out_of_range(end));
        }
        if end == self.log_end() {
            return Ok(());
        }
        self.lower_recovery_point(end)?;
        self.truncated_from = self.truncated_from.max(Some(self.log_end()));
        self.loaded.take();
        let cut = self
            .remove_segments_from(end)
            .and_then(|()| self.cut_active(end));
        self.or_offline(cut)?;
        self.recovery_point = self.log_end();
        Ok(())
    }

    /// The saved recovery point must never be above what a crash leaves. The
    /// first offset of the segment that will be the last is low enough, and
    /// known to be the end of a batch.
    fn lower_recovery_point(&mut self, end: Offset) -> Result<(), Error> {
        let bases = self.sealed.iter().map(|segment| segment.base_offset);
        let base_offset = bases
            .chain([self.active.base_offset])
            .take_while(|base_offset| *base_offset <= end)
            .last()
            .unwrap_or(self.log_start());
        if self
            .saved_recovery_point
            .is_some_and(|saved| saved <= base_offset)
        {
            return Ok(());
        }
        self.write_recovery_point(base_offset)
    }

    /// Removes the segments that begin above `end`, the newest first and each for
    /// good: a crash leaves no hole.
    fn remove_segments_from(&mut self, end: Offset) -> Result<(), Error> {
        while self.active.base_offset > end {
            let Some(previous) = self.sealed.last() else {
                break;
            };
            let path = name::log_path(&self.dir, previous.base_offset);
            let file = self.disk.open(&path).at(&path)?;
            let interval = self.config.index_interval_bytes;
            let mut active = Active::new(&*self.disk, &path, previous.base_offset, file, interval);
            active.size = previous.size;
            active.end_offset = previous.end_offset;
            self.remove_segment(self.active.base_offset)?;
            self.active = active;
            self.sealed.pop();
        }
        Ok(())
    }

    /// Cuts the last segment off, and makes its indexes again.
    fn cut_active(&mut self, end: Offset) -> Result<(), Error> {
        let base_offset = self.active.base_offset;
        let mut indexes = Indexes::new(base_offset, self.config.index_interval_bytes);
        let mut left = (0, base_offset);
        let mut scan = Scan::new(self.active.view(), 0);
        while let Some(batch) = scan.next() {
            let (position, header) = batch?;
            if header.range().end > end {
                break;
            }
            indexes.note(position, &header);
            left = (scan.position(), header.range().end);
        }
        self.active.cut_to(left.0)?;
        (self.active.size, self.active.end_offset) = left;
        self.active.index_files = IndexFiles::make(&*self.disk, &self.dir, base_offset, &indexes);
        self.active.indexes = indexes;
        Ok(())
    }
}
