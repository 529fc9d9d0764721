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
    /// When the method's caller gives up.
    pub(crate) deadline: Instant,
    pub(crate) trace: u64,
}

impl Served {
    /// Returns the call whose method runs here.
    pub(crate) fn here() -> Option<Served> {
        SERVED.try_with(|served| *served).ok()
    }
}

/// Returns how long the caller of the method that runs here still waits; `None` outside of
/// methods, in those that block, and in tasks that a method has spawned.
///
/// A call that a method makes ends by the same deadline, and its spans have the same trace,
/// without a word. Where this is `None` neither is handed on.
#[must_use]
pub fn left() -> Option<Duration> {
    let deadline = Served::here()?.deadline;
    Some(deadline.saturating_duration_since(Instant::now()))
}
