//! A bound on the memory that requests take, over all connections.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Up to this size, in bytes, a request needs no share: so much is read from a
/// socket at once, and the number of connections bounds their sum.
const SMALL: usize = 64 * 1024;

/// How many bytes of large requests may be in memory at a time, over all
/// connections that share it. A request that does not fit waits unread.
///
/// It counts what arrives: while a request is being decoded, its bytes are in
/// memory up to three times.
///
/// A request takes its whole share before it is read. Taken bit by bit, the
/// shares of several half-read requests could use up the budget, and each would
/// wait for the others for ever.
#[derive(Debug, Clone)]
pub struct FrameBudget {
    bytes: Arc<Semaphore>,
    total: u32,
}

/// What a request holds of a [`FrameBudget`]; dropping it gives it back.
#[derive(Debug)]
pub(crate) struct Share {
    _permit: Option<OwnedSemaphorePermit>,
}

impl FrameBudget {
    /// A budget of this many bytes.
    #[must_use]
    pub fn new(bytes: u32) -> FrameBudget {
        FrameBudget {
            bytes: Arc::new(Semaphore::new(bytes as usize)),
            total: bytes,
        }
    }

    /// Waits until a request of `length` bytes fits. One that is larger than the
    /// whole budget waits until it is alone.
    pub(crate) async fn share(&self, length: usize) -> Share {
        if length <= SMALL {
            return Share { _permit: None };
        }
        let length = u32::try_from(length).map_or(self.total, |length| length.min(self.total));
        let permit = Arc::clone(&self.bytes).acquire_many_owned(length).await;
        Share {
            // An error would say that the semaphore was closed, which nobody does.
            _permit: permit.ok(),
        }
    }
}
