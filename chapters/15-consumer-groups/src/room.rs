//! How many groups there may be, and how much memory they may take. Chapter 20 counts
//! transactional ids in the same way.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What all entries of a coordinator take together, and may take.
#[derive(Debug)]
pub struct Room {
    entries_max: usize,
    bytes_max: usize,
    entries: AtomicUsize,
    bytes: AtomicUsize,
}

/// What one entry takes. It is given back when this is dropped.
#[derive(Debug)]
pub struct Counted {
    room: Arc<Room>,
    bytes: usize,
}

impl Room {
    /// Room for so many entries, and so many bytes.
    #[must_use]
    pub fn new(entries_max: usize, bytes_max: usize) -> Room {
        Room {
            entries_max,
            bytes_max,
            entries: AtomicUsize::new(0),
            bytes: AtomicUsize::new(0),
        }
    }

    /// Returns whether one more entry may be made. Of several that ask at the same time
    /// each may hear yes: the limit is there against thousands, not against two.
    #[must_use]
    pub fn has_entry(&self) -> bool {
        self.entries.load(Ordering::Relaxed) < self.entries_max
    }

    /// Returns whether the entries may grow by `bytes`.
    #[must_use]
    pub fn has_bytes(&self, bytes: usize) -> bool {
        self.bytes.load(Ordering::Relaxed).saturating_add(bytes) <= self.bytes_max
    }

    /// Counts an entry that takes nothing yet.
    #[must_use]
    pub fn count_entry(self: &Arc<Self>) -> Counted {
        self.entries.fetch_add(1, Ordering::Relaxed);
        Counted {
            room: Arc::clone(self),
            bytes: 0,
        }
    }
}

impl Counted {
    /// The entry takes `bytes` now.
    pub fn set(&mut self, bytes: usize) {
        self.room.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.room.bytes.fetch_sub(self.bytes, Ordering::Relaxed);
        self.bytes = bytes;
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.set(0);
        self.room.entries.fetch_sub(1, Ordering::Relaxed);
    }
}
