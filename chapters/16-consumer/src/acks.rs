//! Marking records as done, from any task.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::part::{OffsetTracker, Work};

/// Where workers say that records are done. All clones belong to one consumer.
#[derive(Debug, Clone)]
pub struct Acks {
    tracker: Arc<Mutex<OffsetTracker>>,
    /// There may be room for more records.
    room: Arc<Notify>,
}

impl Acks {
    pub(crate) fn new(span_max: u32) -> Acks {
        Acks {
            tracker: Arc::new(Mutex::new(OffsetTracker::new(span_max))),
            room: Arc::default(),
        }
    }

    /// Notes that everything of `work` is done. If its partition was taken away since, or
    /// the consumer has sought, nothing changes.
    pub fn done(&self, work: &Work) {
        self.tracker().done(work);
        self.room.notify_one();
    }

    /// Returns when something was done since this last returned.
    pub(crate) async fn any_done(&self) {
        self.room.notified().await;
    }

    /// Nothing panics while it holds the lock, except the part, which ends the process.
    pub(crate) fn tracker(&self) -> MutexGuard<'_, OffsetTracker> {
        self.tracker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
