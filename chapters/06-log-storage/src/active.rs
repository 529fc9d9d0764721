//! The segment that is being written.

use std::collections::VecDeque;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use disk::ReadAt;
use message_model::{Offset, Timestamp};
use record_batch::BatchHeader;

use crate::aborted::AbortedIndex;
use crate::indexes::Indexes;
use crate::part::SegmentFile;
use crate::segment_view::SegmentView;

/// How many headers of the newest batches are kept in memory: 5 KiB a log.
const RECENT_MAX: usize = 64;

/// The last segment of a log, shared by its writer and the views.
///
/// How long it is differs from view to view; what is here grows with the writer.
/// Entries that are beyond a view's end do it no harm.
#[derive(Debug)]
pub(crate) struct Active {
    pub(crate) base_offset: Offset,
    pub(crate) file: SegmentFile,
    pub(crate) reader: Arc<dyn ReadAt>,
    /// Whether its name in the directory is on disk.
    pub(crate) named: Arc<AtomicBool>,
    pub(crate) aborted: Arc<AbortedIndex>,
    growing: Mutex<Growing>,
}

/// What grows with each append. No I/O is done under its lock.
#[derive(Debug)]
pub(crate) struct Growing {
    pub(crate) indexes: Indexes,
    /// The newest batches and their positions, one behind the other.
    recent: VecDeque<(u32, BatchHeader)>,
}

impl Active {
    pub(crate) fn new(
        file: SegmentFile,
        indexes: Indexes,
        named: bool,
        aborted: AbortedIndex,
    ) -> Active {
        Active {
            base_offset: indexes.base_offset,
            reader: Arc::clone(&file.file).reader(),
            file,
            named: Arc::new(AtomicBool::new(named)),
            aborted: Arc::new(aborted),
            growing: Mutex::new(Growing {
                indexes,
                recent: VecDeque::new(),
            }),
        }
    }

    /// What grows, locked.
    pub(crate) fn growing(&self) -> MutexGuard<'_, Growing> {
        self.growing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Its first `size` bytes.
    pub(crate) fn view(&self, size: u32) -> SegmentView {
        SegmentView {
            path: Arc::clone(&self.file.path),
            base_offset: self.base_offset,
            size,
            file: Arc::clone(&self.reader),
            reads: Arc::clone(&self.reader),
        }
    }

    /// The position of the last indexed batch at or below `offset`.
    pub(crate) fn position_of(&self, offset: Offset) -> u32 {
        self.growing().indexes.offsets.lookup(offset)
    }

    /// The largest timestamp so far.
    pub(crate) fn newest(&self) -> Option<Timestamp> {
        self.growing().indexes.newest.map(|(newest, _)| newest)
    }

    /// An offset before which no record is as new as `target`.
    pub(crate) fn older_than(&self, target: Timestamp) -> Option<(Timestamp, Offset)> {
        self.growing().indexes.times.below(target)
    }

    /// The batches from the one that ends above `from` on, below `size`, if they
    /// are still in memory; empty if not.
    pub(crate) fn known_from(&self, from: Offset, size: u32) -> Vec<(u32, BatchHeader)> {
        let growing = self.growing();
        let recent = &growing.recent;
        let first = recent.partition_point(|(_, header)| header.range().end <= from);
        let is_known = match recent.get(first) {
            Some((_, header)) => first > 0 || header.base_offset <= from,
            None => false,
        };
        let known = recent.iter().skip(first);
        let known = known.take_while(|(position, _)| is_known && *position < size);
        known.copied().collect()
    }
}

impl Growing {
    /// Notes the batch that was written at `position`.
    pub(crate) fn note(&mut self, position: u32, header: &BatchHeader) {
        self.indexes.note(position, header);
        if self.recent.len() == RECENT_MAX {
            self.recent.pop_front();
        }
        self.recent.push_back((position, *header));
    }
}
