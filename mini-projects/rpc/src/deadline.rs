//! The deadline of the call that a task serves.

use std::time::Duration;

use tokio::time::Instant;

tokio::task_local! {
    /// Set while a method runs.
    pub(crate) static LIMIT: Limit;
}

/// When the caller of a method gives up.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Limit {
    /// So long after the call has arrived, which is now: the clock need not be read.
    In(Duration),
    At(Instant),
}

/// Returns how long the caller of the method that runs here still waits; `None` outside of
/// methods, and in those that block.
///
/// A call that a method makes ends by the same deadline, without a word.
#[must_use]
pub fn left() -> Option<Duration> {
    let limit = LIMIT.try_with(|limit| *limit).ok()?;
    Some(match limit {
        Limit::In(left) => left,
        Limit::At(deadline) => deadline.saturating_duration_since(Instant::now()),
    })
}
