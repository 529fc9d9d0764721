//! The sealed segments that are ready to be read.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use message_model::Offset;

use crate::indexes::Indexes;
use crate::segment_view::SegmentView;

/// What it takes to read a sealed segment: its open file and its indexes.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) view: SegmentView,
    pub(crate) indexes: Indexes,
}

/// The sealed segments that were read last, of all logs that share the cache;
/// clones are the same cache. It bounds the open files and the memory that
/// readers of old records take, also of readers that never take what they asked for.
#[derive(Debug, Clone)]
pub struct SegmentCache(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    next_log: AtomicU64,
    /// How many closed segments may be open because they are not on disk, and how many
    /// are, or are about to be.
    unsynced_max: usize,
    unsynced: Arc<AtomicUsize>,
    /// How many files of sealed segments stay open for as long as a [`FileRange`](networking::FileRange)
    /// of them is there, and how many there may be.
    held_max: usize,
    held: Arc<AtomicUsize>,
    /// No I/O is done under it.
    state: Mutex<State>,
}

/// The right to have one file of a closed segment open. Dropping it gives it back.
#[derive(Debug)]
pub(crate) struct OpenSlot(Arc<AtomicUsize>);

impl OpenSlot {
    fn take(taken: &Arc<AtomicUsize>, max: usize) -> Option<OpenSlot> {
        // It guards no memory.
        let order = Ordering::Relaxed;
        let more = |count: usize| (count < max).then_some(count + 1);
        taken.fetch_update(order, order, more).ok()?;
        Some(OpenSlot(Arc::clone(taken)))
    }
}

impl Drop for OpenSlot {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A log's number in the cache, the segment's base offset, and its version.
pub(crate) type Key = (u64, Offset, u32);

#[derive(Debug)]
struct State {
    segments_max: usize,
    segments: BTreeMap<Key, (Arc<Loaded>, u64)>,
    /// The segments by when they were used last.
    by_use: BTreeMap<u64, Key>,
    /// How often a segment was used so far.
    uses: u64,
}

impl SegmentCache {
    /// A cache of at most `segments_max` segments, at least one. Each has one
    /// open file and, in memory, about 20 bytes for every `index.interval.bytes` of batches.
    /// Besides, up to twice as many files are open for ranges of segments that have left the
    /// cache, and `unsynced_max` closed segments may be open until they are on disk.
    #[must_use]
    pub fn new(segments_max: usize, unsynced_max: usize) -> SegmentCache {
        let segments_max = segments_max.max(1);
        SegmentCache(Arc::new(Shared {
            next_log: AtomicU64::new(0),
            unsynced_max,
            unsynced: Arc::default(),
            held_max: segments_max.saturating_mul(2),
            held: Arc::default(),
            state: Mutex::new(State {
                segments_max,
                segments: BTreeMap::new(),
                by_use: BTreeMap::new(),
                uses: 0,
            }),
        }))
    }

    /// A number for one more log.
    pub(crate) fn add_log(&self) -> u64 {
        self.0.next_log.fetch_add(1, Ordering::Relaxed)
    }

    /// The right to have one more closed segment open until it is on disk, if there is
    /// room for it.
    pub(crate) fn open_slot(&self) -> Option<OpenSlot> {
        OpenSlot::take(&self.0.unsynced, self.0.unsynced_max)
    }

    /// The right to have one more file open for ranges of it, if there is room for it.
    pub(crate) fn held_slot(&self) -> Option<OpenSlot> {
        OpenSlot::take(&self.0.held, self.0.held_max)
    }

    pub(crate) fn get(&self, key: Key) -> Option<Arc<Loaded>> {
        self.state().get(key)
    }

    /// Puts a segment in, in place of the one that was used the longest ago.
    pub(crate) fn put(&self, key: Key, loaded: &Arc<Loaded>) {
        let dropped = self.state().put(key, Arc::clone(loaded));
        // Closing a file may take long: after the lock.
        drop(dropped);
    }

    pub(crate) fn remove(&self, key: Key) {
        let removed = self.state().remove(key);
        drop(removed);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn get(&mut self, key: Key) -> Option<Arc<Loaded>> {
        let (loaded, used) = self.segments.get_mut(&key)?;
        self.by_use.remove(used);
        self.uses += 1;
        *used = self.uses;
        self.by_use.insert(self.uses, key);
        Some(Arc::clone(loaded))
    }

    /// Returns what had to go.
    fn put(&mut self, key: Key, loaded: Arc<Loaded>) -> Vec<Arc<Loaded>> {
        let mut dropped = Vec::from_iter(self.remove(key));
        self.uses += 1;
        self.segments.insert(key, (loaded, self.uses));
        self.by_use.insert(self.uses, key);
        while self.segments.len() > self.segments_max {
            let oldest = self.by_use.first_key_value().map(|(_, key)| *key);
            dropped.extend(oldest.and_then(|oldest| self.remove(oldest)));
        }
        dropped
    }

    fn remove(&mut self, key: Key) -> Option<Arc<Loaded>> {
        let (loaded, used) = self.segments.remove(&key)?;
        self.by_use.remove(&used);
        Some(loaded)
    }
}
