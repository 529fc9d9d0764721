//! The call that a task serves.

use std::time::Duration;

use tokio::time::Instant;

tokio::task_local! {
    /// Set while a method runs.
    pub(crate) static SERVED: Served;
}

/// What the calls of a method have from the call that runs it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Served {
    pub(crate) limit: Limit,
    pub(crate) trace: u64,
}

/// When the caller of a method gives up.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Limit {
    /// So long after the call has arrived, which is now: the clock need not be read.
    In(Duration),
    At(Instant),
}

impl Served {
    /// Returns the call whose method runs here.
    pub(crate) fn here() -> Option<Served> {
        SERVED.try_with(|served| *served).ok()
    }

    pub(crate) fn left(self) -> Duration {
        match self.limit {
            Limit::In(left) => left,
            Limit::At(deadline) => deadline.saturating_duration_since(Instant::now()),
        }
    }
}

/// Returns how long the caller of the method that runs here still waits; `None` outside of
/// methods, in those that block, and in tasks that a method has spawned.
///
/// A call that a method makes ends by the same deadline, and its spans have the same trace,
/// without a word. Where this is `None` neither is handed on.
#[must_use]
pub fn left() -> Option<Duration> {
    Served::here().map(Served::left)
}
