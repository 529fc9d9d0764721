//! How many groups there may be, and how much memory they may take.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What all groups of the broker together take, and may take.
#[derive(Debug)]
pub(crate) struct Room {
    groups_max: usize,
    bytes_max: usize,
    groups: AtomicUsize,
    bytes: AtomicUsize,
}

/// What one group takes. It is given back when this is dropped.
#[derive(Debug)]
pub(crate) struct Counted {
    room: Arc<Room>,
    bytes: usize,
}

impl Room {
    pub(crate) fn new(groups_max: usize, bytes_max: usize) -> Room {
        Room {
            groups_max,
            bytes_max,
            groups: AtomicUsize::new(0),
            bytes: AtomicUsize::new(0),
        }
    }

    /// Returns whether one more group may be made. Of several that ask at the same time
    /// each may hear yes: the limit is there against thousands, not against two.
    pub(crate) fn has_group(&self) -> bool {
        self.groups.load(Ordering::Relaxed) < self.groups_max
    }

    /// Returns whether groups may grow by `bytes`.
    pub(crate) fn has_bytes(&self, bytes: usize) -> bool {
        self.bytes.load(Ordering::Relaxed).saturating_add(bytes) <= self.bytes_max
    }

    /// Counts a group that takes nothing yet.
    pub(crate) fn count_group(self: &Arc<Self>) -> Counted {
        self.groups.fetch_add(1, Ordering::Relaxed);
        Counted {
            room: Arc::clone(self),
            bytes: 0,
        }
    }
}

impl Counted {
    /// The group takes `bytes` now.
    pub(crate) fn set(&mut self, bytes: usize) {
        self.room.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.room.bytes.fetch_sub(self.bytes, Ordering::Relaxed);
        self.bytes = bytes;
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.set(0);
        self.room.groups.fetch_sub(1, Ordering::Relaxed);
    }
}
