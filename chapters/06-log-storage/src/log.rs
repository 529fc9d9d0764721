//! The writer of a log.

use std::sync::Arc;

use message_model::{Offset, OffsetRange, Timestamp};
use record_batch::BatchHeader;

use crate::aborted::{AbortedIndex, AbortedTransaction, UNBOUNDED};
use crate::active::Active;
use crate::error::Error;
use crate::index_file;
use crate::indexes::Indexes;
use crate::log_dir::LogDir;
use crate::log_view::LogView;
use crate::part::{LogWriter, SEGMENT_SIZE_MAX};
use crate::removed::Removed;
use crate::sealed::{Sealed, Unsynced};
use crate::segment_cache::{Loaded, OpenSlot};

/// The writer of one partition's log. It has no lock: the partition has.
///
/// It touches the page cache only, and creates files when it rolls; no method
/// syncs. Whatever reads or waits for the disk is done on a [`LogView`].
#[derive(Debug)]
pub struct Log {
    pub(crate) dir: Arc<LogDir>,
    pub(crate) writer: LogWriter,
    /// Oldest first. Views share it; a roll makes a new list.
    pub(crate) sealed: Arc<Vec<Arc<Sealed>>>,
    pub(crate) active: Arc<Active>,
    /// Everything below it is known to be on disk.
    pub(crate) durable: Offset,
    /// The right to leave one more closed segment open.
    pub(crate) open_slot: Option<OpenSlot>,
    /// When the active segment was first appended to since the start of this process.
    pub(crate) first_append: Option<Timestamp>,
    pub(crate) log_start: Offset,
}

impl Log {
    /// Appends a batch, and returns its offsets. It is in the page cache then.
    ///
    /// Rolls first if [`rolls_for`](Log::rolls_for) says so.
    ///
    /// # Errors
    /// As the disk says. The log holds what it held before then; if what a failed
    /// write left cannot be cut off, each later append fails with [`Error::Offline`].
    ///
    /// # Panics
    /// When `header` is not the header of `batch`, or begins below the log end.
    // ANCHOR: append
    pub fn append(
        &mut self,
        now: Timestamp,
        batch: &[u8],
        header: &BatchHeader,
    ) -> Result<OffsetRange, Error> {
        if self.rolls_for(now, header) {
            self.roll()?;
        }
        let position = self.writer.append(batch, header)?;
        self.first_append.get_or_insert(now);
        self.active.growing().note(position, header);
        Ok(header.range())
    }
    // ANCHOR_END: append

    /// Whether appending the batch with this header would create a file, which
    /// may wait for the disk.
    #[must_use]
    pub fn rolls_for(&self, now: Timestamp, header: &BatchHeader) -> bool {
        let config = self.dir.config();
        let active = self.writer.active();
        let limit = u64::from(config.segment_bytes.min(SEGMENT_SIZE_MAX));
        let too_large = u64::from(active.size).saturating_add(header.size() as u64) > limit;
        let first = self.first_append;
        let too_old = first.is_some_and(|first| now.since(first) > config.roll_age());
        // Index entries have 31 bits for an offset relative to the segment's first.
        let too_far = header.range().end.since(active.base_offset) > i64::from(i32::MAX);
        active.size > 0 && (too_large || too_old || too_far)
    }

    /// Sets a descriptor aside for the next segment that is closed before it is on disk; whether there was one.
    /// If not, sync the log first, and say so ([`note_durable`](Log::note_durable)): then none is needed.
    pub fn reserve_open(&mut self) -> bool {
        if self.open_slot.is_none() {
            self.open_slot = self.dir.cache.open_slot();
        }
        self.open_slot.is_some()
    }

    /// Notes that everything below `durable` is on disk.
    pub fn note_durable(&mut self, durable: Offset) {
        self.durable = self.durable.max(durable);
    }

    /// Starts a new segment at the log end. The old one is not synced: the next sync finds
    /// its file in the view, unless all of it is on disk.
    // ANCHOR: roll
    fn roll(&mut self) -> Result<(), Error> {
        let (segment, file) = self.writer.roll()?;
        let indexes = {
            let mut growing = self.active.growing();
            growing.indexes.note_newest();
            growing.indexes.clone()
        };
        index_file::write(&*self.dir.disk, &self.dir.path, &indexes);
        let slot = self.open_slot.take();
        let unsynced = (segment.end_offset > self.durable).then(|| Unsynced {
            file,
            named: Arc::clone(&self.active.named),
            _slot: slot.map(Arc::new),
        });
        let sealed = Sealed::new(segment, unsynced, Arc::clone(&self.active.aborted));
        let newest = indexes.newest.map(|(newest, _)| newest);
        sealed.newest.get_or_init(|| newest);
        let view = self.active.view(segment.size);
        let loaded = Arc::new(Loaded { view, indexes });
        self.dir.cache.put(self.dir.key(&sealed), &loaded);
        let list = self.sealed.iter().cloned().chain([Arc::new(sealed)]);
        self.sealed = Arc::new(list.collect());
        let interval = self.dir.config().index_interval_bytes;
        let indexes = Indexes::new(segment.end_offset, interval);
        let aborted = AbortedIndex::new(segment.end_offset, false);
        let next = Active::new(self.writer.active_file().clone(), indexes, false, aborted);
        self.active = Arc::new(next);
        self.first_append = None;
        Ok(())
    }
    // ANCHOR_END: roll

    /// Notes a transaction that was aborted, in the index of the segment that holds its marker.
    /// Takes no time to speak of. It is in memory alone until
    /// [`save_aborted`](LogView::save_aborted); one that is there already is not added twice.
    ///
    /// Comes before a reader can see a last stable offset behind the marker.
    ///
    /// # Panics
    /// When its offsets cannot be, or the log was opened with an index and
    /// [`keep_aborted_below`](Log::keep_aborted_below) did not come before.
    pub fn note_aborted(&mut self, aborted: AbortedTransaction) {
        assert!(
            aborted.can_be() && aborted.last < self.log_end(),
            "a marker is behind its transaction, and in the log: {aborted:?}"
        );
        let behind = |one: &Arc<Sealed>| one.end_offset() <= aborted.last;
        let number = self.sealed.partition_point(behind);
        let index = self.sealed.get(number).map(|one| &one.aborted);
        index.unwrap_or(&self.active.aborted).note(aborted);
    }

    /// Keeps what the indexes on disk have of aborted transactions with a marker below
    /// `offset`, and forgets all else. A start calls it once, and then
    /// [`note_aborted`](Log::note_aborted) for each marker at or above `offset`, which it
    /// finds by a replay of the log. With the log start as the offset all indexes are made again.
    /// Blocks for as long as the disk takes.
    ///
    /// # Errors
    /// [`Error::Damaged`] when what is to be kept cannot be right: replay from the log start
    /// then. Else as the disk says.
    pub fn keep_aborted_below(&mut self, offset: Offset) -> Result<(), Error> {
        let offset = match offset > self.log_start {
            true => offset.min(self.log_end()),
            // Nothing below the log start is wanted, and it need not be right.
            false => Offset::ZERO,
        };
        for sealed in self.sealed.iter() {
            let end = sealed.end_offset();
            sealed.aborted.keep_below(&self.dir, end, offset)?;
        }
        self.active.aborted.keep_below(&self.dir, UNBOUNDED, offset)
    }

    /// Lets the log start at `offset`: what is below it is out of range, and the
    /// segments wholly below it are no longer part of the log. Their files are
    /// still there; [`LogView::save_log_start`] comes before this, and
    /// [`Removed::remove`] after it. An offset below the log start changes nothing.
    ///
    /// # Panics
    /// When `offset` is above the log end.
    pub fn set_log_start(&mut self, offset: Offset) -> Removed {
        assert!(offset <= self.log_end(), "a log starts at or below its end");
        self.log_start = self.log_start.max(offset);
        let below = self
            .sealed
            .partition_point(|one| one.end_offset() <= offset);
        let removed = self.sealed[..below].to_vec();
        if below > 0 {
            self.sealed = Arc::new(self.sealed[below..].to_vec());
        }
        Removed {
            dir: Arc::clone(&self.dir),
            segments: removed,
        }
    }

    /// The log as it is now. Takes no time to speak of.
    #[must_use]
    pub fn view(&self) -> LogView {
        LogView {
            dir: Arc::clone(&self.dir),
            sealed: Arc::clone(&self.sealed),
            active: Arc::clone(&self.active),
            size: self.writer.active().size,
            log_start: self.log_start,
            log_end: self.log_end(),
            is_cached: false,
        }
    }

    /// The first offset that the log has.
    #[must_use]
    pub fn log_start(&self) -> Offset {
        self.log_start
    }

    /// The offset that the next record gets.
    #[must_use]
    pub fn log_end(&self) -> Offset {
        self.writer.active().end_offset
    }
}
