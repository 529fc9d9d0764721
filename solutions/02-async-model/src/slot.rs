//! The keys of one slot of the wheel.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, DefaultHasher};

use message_model::Moment;

use crate::timers::TimerId;

/// The keys whose deadlines fall into one stretch of time, in no order.
#[derive(Debug)]
pub(crate) struct Slot<K> {
    /// By id, so that to cancel a key costs the same whatever else is in the slot.
    /// The hasher has no random seed, which makes a slot 16 bytes smaller: the number in
    /// a [`TimerId`] is chosen here, so no client can make ids collide.
    entries: HashMap<TimerId, K, BuildHasherDefault<DefaultHasher>>,
    /// No deadline in the slot is earlier; the timer that had this one may be cancelled.
    earliest: Moment,
}

impl<K> Slot<K> {
    pub(crate) fn new() -> Slot<K> {
        Slot {
            entries: HashMap::default(),
            earliest: Moment::START,
        }
    }

    pub(crate) fn insert(&mut self, id: TimerId, key: K) {
        self.earliest = if self.entries.is_empty() {
            id.deadline
        } else {
            id.deadline.min(self.earliest)
        };
        self.entries.insert(id, key);
    }

    pub(crate) fn remove(&mut self, id: TimerId) -> Option<K> {
        self.entries.remove(&id)
    }

    pub(crate) fn earliest(&self) -> Moment {
        self.earliest
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(crate) fn into_entries(self) -> impl Iterator<Item = (TimerId, K)> {
        self.entries.into_iter()
    }
}
