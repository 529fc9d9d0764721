//! Writing at the end of a log.

use std::mem;
use std::path::Path;

use message_model::{Offset, OffsetRange, Timestamp};

use super::{Appended, Log};
use crate::active::Active;
use crate::batch_run::BatchRun;
use crate::error::{At, Error};
use crate::name;

impl Log {
    /// Appends whole batches whose offsets have been assigned, ascending, the
    /// first at or above the log end. They are in the page cache when it returns.
    ///
    /// Rolls the segment first if it is due; that syncs the old one.
    ///
    /// # Errors
    /// As the disk says. The log is then as it was before, or offline.
    ///
    /// # Panics
    /// When `batches` is not what is said above, or has 2 GiB: the caller has validated it.
    pub fn append(&mut self, now: Timestamp, batches: &[u8]) -> Result<Appended, Error> {
        self.check_online()?;
        let run = BatchRun::new(batches, self.log_end());
        if self.rolls_for(now, batches.len()) || !self.can_index(run.range) {
            self.roll(run.range.start)?;
        }
        if let Err((error, undone)) = self.active.write(&*self.disk, now, &run) {
            // The first failure is the one to report: the second follows from it.
            let _ = self.or_offline(undone);
            return Err(error);
        }
        Ok(Appended { range: run.range })
    }

    /// Whether appending `bytes` more would roll the segment, which syncs it:
    /// a caller that must not block for long syncs it elsewhere first.
    #[must_use]
    pub fn rolls_for(&self, now: Timestamp, bytes: usize) -> bool {
        let active = &self.active;
        let limit = u64::from(self.config.segment_bytes.min(i32::MAX.unsigned_abs()));
        let too_large = u64::from(active.size).saturating_add(bytes as u64) > limit;
        let too_old = active
            .first_append
            .is_some_and(|first| now.since(first) > self.config.segment_age);
        active.size > 0 && (too_large || too_old)
    }

    /// Index entries have 31 bits for an offset, relative to the segment's
    /// first: what is further on gets a segment of its own, if that helps.
    fn can_index(&self, range: OffsetRange) -> bool {
        let base_offset = self.active.base_offset;
        range.end.since(base_offset) <= i64::from(i32::MAX) || range.start == base_offset
    }

    /// Starts a new segment at `base_offset`.
    ///
    /// The order is what recovery relies on: first the old segment is on disk,
    /// then the new one exists.
    // ANCHOR: roll
    fn roll(&mut self, base_offset: Offset) -> Result<(), Error> {
        if self.recovery_point < self.log_end() {
            let synced = self.active.file.sync_data().at(&self.active.path);
            self.or_offline(synced)?;
            self.recovery_point = self.log_end();
        }
        let path = name::log_path(&self.dir, base_offset);
        let file = self.disk.create(&path).at(&path)?;
        self.sync_dir()?;
        let interval = self.config.index_interval_bytes;
        let next = Active::new(&*self.disk, &path, base_offset, file, interval);
        let old = mem::replace(&mut self.active, next);
        self.sealed.push(old.seal(&*self.disk, base_offset));
        Ok(())
    }
    // ANCHOR_END: roll

    /// Makes what has changed in the log's directory safe.
    pub(super) fn sync_dir(&mut self) -> Result<(), Error> {
        let synced = self.disk.sync_dir(&self.dir).at(&self.dir);
        self.or_offline(synced)
    }

    /// Removes the files of a segment: its batches first, for indexes without
    /// batches do no harm.
    pub(super) fn remove_segment(&mut self, base_offset: Offset) -> Result<(), Error> {
        let path = name::log_path(&self.dir, base_offset);
        ignore_missing(&path, self.disk.remove(&path))?;
        self.sync_dir()?;
        for path in [
            name::offset_index_path(&self.dir, base_offset),
            name::time_index_path(&self.dir, base_offset),
        ] {
            let _ = self.disk.remove(&path);
        }
        Ok(())
    }
}

fn ignore_missing(path: &Path, removed: std::io::Result<()>) -> Result<(), Error> {
    match removed {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        other => other.at(path),
    }
}
