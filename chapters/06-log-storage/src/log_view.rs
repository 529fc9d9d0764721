//! A log as its readers see it.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use message_model::{Offset, OffsetRange, Timestamp};
use record_batch::Opening;

use crate::aborted::FindAborted;
use crate::active::Active;
use crate::compaction::{Compaction, Compactor, Dirty, FindDirty};
use crate::error::Error;
use crate::failed_sync;
use crate::find_timestamp::FindTimestamp;
use crate::index_file;
use crate::locate::Locate;
use crate::log_config::LogConfig;
use crate::log_dir::LogDir;
use crate::part::sync_segments;
use crate::retention::Retention;
use crate::saved_offset;
use crate::sealed::Sealed;
use crate::segment_view::SegmentView;

/// A log at one moment: immutable, cheap to clone, and usable outside of any
/// lock. What was appended later is not in it; what was deleted later still is.
///
/// Reading is done in steps: [`scan`](LogView::scan), [`find_timestamp`](LogView::find_timestamp)
/// and [`retention`](LogView::retention) return a job whose `step` reads at most
/// about 1 MiB or 256 headers, so that a long job can take turns with others.
#[derive(Debug, Clone)]
pub struct LogView {
    pub(crate) dir: Arc<LogDir>,
    /// Oldest first.
    pub(crate) sealed: Arc<Vec<Arc<Sealed>>>,
    pub(crate) active: Arc<Active>,
    /// Of the active segment, in bytes.
    pub(crate) size: u32,
    pub(crate) log_start: Offset,
    pub(crate) log_end: Offset,
    pub(crate) is_cached: bool,
}

impl LogView {
    /// The first offset that the log has.
    #[must_use]
    pub fn log_start(&self) -> Offset {
        self.log_start
    }

    /// The offset behind the last record.
    #[must_use]
    pub fn log_end(&self) -> Offset {
        self.log_end
    }

    /// How large its segments are together, in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        let sealed = self.sealed.iter().map(|one| u64::from(one.segment.size));
        sealed.sum::<u64>() + u64::from(self.size)
    }

    /// The settings of the log, which may have changed since the view was made.
    #[must_use]
    pub fn config(&self) -> LogConfig {
        self.dir.config()
    }

    /// Gives the log other settings. Its writer and all its views follow them from now on.
    pub fn set_config(&self, config: LogConfig) {
        self.dir.set_config(config);
    }

    /// The same view, but whatever would wait for the disk fails with an error
    /// for which [`Error::would_wait`] holds. Try it first, and the view itself
    /// on the blocking pool if that was the error.
    #[must_use]
    pub fn cached(&self) -> LogView {
        LogView {
            is_cached: true,
            ..self.clone()
        }
    }

    /// The job of finding the batches from the one that holds `from` on, or from
    /// the next one if there is a gap, to the end of their segment.
    #[must_use]
    pub fn scan(&self, from: Offset) -> Locate {
        Locate::new(self.clone(), from)
    }

    /// The job of finding the first record with a timestamp at or above `target`.
    /// Compressed batches are opened with `opening`, if there is one.
    #[must_use]
    pub fn find_timestamp(&self, target: Timestamp, opening: Option<Opening>) -> FindTimestamp {
        FindTimestamp::new(self.clone(), target, opening)
    }

    /// The job of finding the transactions that were aborted and of which a record or the
    /// marker may be in `range`. Those that ended below the log start are not among them.
    ///
    /// It takes at most about 2 MiB of memory, and 64 bytes for each transaction that is open
    /// at the start of the range. What is in memory anyway is found without waiting for the disk.
    #[must_use]
    pub fn aborted(&self, range: OffsetRange) -> FindAborted {
        FindAborted::new(self.clone(), range)
    }

    /// The job of finding where the log may start, by the limits of `retention.ms`
    /// and `retention.bytes`; never above `keep_from`.
    #[must_use]
    pub fn retention(&self, now: Timestamp, keep_from: Offset) -> Retention {
        Retention::new(self.clone(), now, keep_from)
    }

    /// The job of finding how much of the log was never compacted, and whether it is time to.
    /// Nothing is compacted from `stable` on. It is at most
    /// - the last stable offset: it is not known which records behind it will be committed;
    /// - the offset up to which a snapshot of the producers on disk holds, if there is one: what
    ///   a start replays must not miss the markers of transactions that were open then.
    #[must_use]
    pub fn find_dirty(&self, now: Timestamp, stable: Offset) -> FindDirty {
        FindDirty::new(self.clone(), now, stable)
    }

    /// The job of compacting the log. The closed segments of this view are read; each
    /// group of them that is written again comes out as [`Progress::Rewritten`](crate::Progress).
    ///
    /// # Errors
    /// As the disk says.
    pub fn compact(&self, compactor: Compactor, dirty: Dirty) -> Result<Compaction, Error> {
        Compaction::new(self.clone(), compactor, dirty)
    }

    /// How many closed segments hold their files open because no sync has covered them yet.
    #[must_use]
    pub fn unsynced_segments(&self) -> usize {
        let newest_first = self.sealed.iter().rev();
        newest_first.map_while(|sealed| sealed.unsynced()).count()
    }

    /// Makes everything in this view safe against power loss, and returns its
    /// end. `durable` is what was safe before. Blocks for as long as the disk takes.
    ///
    /// Syncs the segments that have records at or above `durable`, oldest first,
    /// and the directory if one of them is new. One sync at a time per log: of two,
    /// one may get the failure and the other be told that all is well.
    ///
    /// # Errors
    /// As the disk says. The log must be opened again then: no later sync tells
    /// whether what was unsafe before has been lost.
    // ANCHOR: sync
    pub fn sync(&self, durable: Offset) -> Result<Offset, Error> {
        let disk = &*self.dir.disk;
        let open = self.sealed.iter().rev().map_while(|sealed| {
            let unsynced = sealed.unsynced()?;
            Some((sealed, unsynced))
        });
        let mut open: Vec<_> = open.collect();
        open.reverse();
        let new = open
            .iter()
            .filter(|(sealed, _)| sealed.end_offset() > durable);
        let mut files: Vec<_> = new.clone().map(|(_, one)| one.file.clone()).collect();
        let mut names: Vec<_> = new.map(|(_, one)| &one.named).collect();
        if self.log_end > durable && self.size > 0 {
            files.push(self.active.file.clone());
            names.push(&self.active.named);
        }
        let created = names.iter().any(|named| !named.load(Ordering::Acquire));
        let synced = sync_segments(disk, &self.dir.path, &files, created);
        synced.inspect_err(|_| failed_sync::note(disk, &self.dir.path))?;
        for named in names {
            named.store(true, Ordering::Release);
        }
        for (sealed, _) in &open {
            index_file::sync(disk, &self.dir.path, sealed.base_offset());
            sealed.close();
        }
        Ok(self.log_end)
    }
    // ANCHOR_END: sync

    /// Whether the log has one segment only, whose name is not on disk.
    /// [`sync_name`](LogView::sync_name) comes before the first roll then: a power failure could
    /// leave the second segment without the first.
    #[must_use]
    pub fn is_unnamed(&self) -> bool {
        self.sealed.is_empty() && !self.active.named.load(Ordering::Acquire)
    }

    /// Makes the name of the active segment safe against power loss. Blocks for as long as the disk takes.
    ///
    /// # Errors
    /// As [`sync`](LogView::sync).
    pub fn sync_name(&self) -> Result<(), Error> {
        let (disk, dir) = (&*self.dir.disk, &self.dir.path);
        let synced = sync_segments(disk, dir, &[], true);
        synced.inspect_err(|_| failed_sync::note(disk, dir))?;
        self.active.named.store(true, Ordering::Release);
        Ok(())
    }

    /// Saves that everything below `durable` is on disk, so that the next start
    /// looks at less. An offset below the one that was saved before changes nothing.
    /// Blocks for as long as the disk takes.
    ///
    /// # Errors
    /// As the disk says.
    pub fn save_recovery_point(&self, durable: Offset) -> Result<(), Error> {
        self.dir.save_recovery_point(durable)
    }

    /// Puts the aborted transactions that were noted by now on disk. Blocks for as long
    /// as the disk takes. Comes before anything by which a start replays less of the log.
    ///
    /// # Errors
    /// As the disk says. What was on disk stays so, and the next call tries again.
    pub fn save_aborted(&self) -> Result<(), Error> {
        for sealed in self.sealed.iter() {
            sealed.aborted.save(&self.dir)?;
        }
        self.active.aborted.save(&self.dir)
    }

    /// Saves that no record below `offset` is wanted any more. Blocks for as long
    /// as the disk takes. [`Log::set_log_start`](crate::Log::set_log_start) comes after it.
    ///
    /// # Errors
    /// As the disk says.
    pub fn save_log_start(&self, offset: Offset) -> Result<(), Error> {
        let (disk, dir) = (&*self.dir.disk, &self.dir.path);
        saved_offset::write(disk, dir, saved_offset::LOG_START, offset)
    }

    /// The active segment, as far as it is in this view.
    pub(crate) fn active_view(&self) -> SegmentView {
        self.as_read(self.active.view(self.size))
    }

    /// A segment, to be read as this view reads.
    pub(crate) fn as_read(&self, segment: SegmentView) -> SegmentView {
        if self.is_cached {
            segment.cached()
        } else {
            segment
        }
    }

    pub(crate) fn out_of_range(&self, asked: Offset) -> Error {
        let log = OffsetRange {
            start: self.log_start,
            end: self.log_end,
        };
        Error::OutOfRange { asked, log }
    }
}
