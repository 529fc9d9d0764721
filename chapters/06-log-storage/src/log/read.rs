//! Reading by offset.

use std::sync::Arc;

use message_model::Offset;

use super::Log;
use crate::error::Error;
use crate::scan::Scan;
use crate::sealed::{Loaded, Sealed, scan_from_index};

impl Log {
    /// The batches from the one that holds `from` on, or from the next one if
    /// there is a gap, to the end of their segment. `from` = log end yields none.
    ///
    /// # Errors
    /// [`Error::OutOfRange`]; [`Error::Damaged`] (from here or from the walk)
    /// when there is no batch where one must be; else as the disk says.
    pub fn scan(&self, from: Offset) -> Result<Scan, Error> {
        if from < self.log_start() || from > self.log_end() {
            return Err(self.out_of_range(from));
        }
        if from == self.log_end() {
            // Nothing is there to be looked at; most fetches of a live consumer end here.
            let view = self.active.view();
            let size = view.size;
            return Ok(Scan::new(view, size));
        }
        let behind = self.sealed.partition_point(|one| one.base_offset <= from);
        let mut first = behind.saturating_sub(1);
        if behind == self.sealed.len() && self.active.base_offset <= from {
            first = behind;
        }
        // ANCHOR: scan
        for segment in first..self.sealed.len() {
            let mut scan = self.scan_segment(segment, from)?;
            if scan.skip_to(from)? {
                return Ok(scan);
            }
        }
        let mut scan = self.scan_active(from);
        scan.skip_to(from)?;
        Ok(scan)
        // ANCHOR_END: scan
    }

    /// The walk from the last indexed batch at or below `from`; `segment` counts
    /// the sealed ones, the active one follows them.
    pub(super) fn scan_segment(&self, segment: usize, from: Offset) -> Result<Scan, Error> {
        let Some(sealed) = self.sealed.get(segment) else {
            return Ok(self.scan_active(from));
        };
        if let Some(scan) = self.load(segment)?.scan(from) {
            return Ok(scan);
        }
        // The index is wrong there.
        let rebuilt = self.rebuild(sealed)?;
        Ok(rebuilt
            .scan(from)
            .unwrap_or_else(|| Scan::new(rebuilt.view.clone(), 0)))
    }

    fn scan_active(&self, from: Offset) -> Scan {
        let view = self.active.view();
        // This index has never left memory.
        scan_from_index(&view, &self.active.indexes, from).unwrap_or_else(|| Scan::new(view, 0))
    }

    /// A sealed segment, ready to be read.
    pub(super) fn load(&self, segment: usize) -> Result<Arc<Loaded>, Error> {
        let sealed = &self.sealed[segment];
        if let Some(loaded) = &*self.loaded.borrow()
            && loaded.view.base_offset == sealed.base_offset
        {
            return Ok(Arc::clone(loaded));
        }
        let interval = self.config.index_interval_bytes;
        let loaded = sealed.load(&*self.disk, &self.dir, interval)?;
        Ok(self.keep(loaded))
    }

    /// A sealed segment with indexes that were made again.
    pub(super) fn rebuild(&self, sealed: &Sealed) -> Result<Arc<Loaded>, Error> {
        let interval = self.config.index_interval_bytes;
        let rebuilt = sealed.rebuild(&*self.disk, &self.dir, interval)?;
        Ok(self.keep(rebuilt))
    }

    fn keep(&self, loaded: Loaded) -> Arc<Loaded> {
        let loaded = Arc::new(loaded);
        *self.loaded.borrow_mut() = Some(Arc::clone(&loaded));
        loaded
    }
}
