//! The one place that reads the machine's clocks.

use std::time::SystemTime;

use message_model::{Moment, Timestamp};
use tokio::time::Instant;

/// Both clocks of the process; a cheap copy of the start.
///
/// The stopwatch is tokio's, so a test that pauses tokio's time pauses this too.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    started: Instant,
}

impl Clock {
    /// Starts the stopwatch.
    #[must_use]
    pub fn start() -> Clock {
        Clock {
            started: Instant::now(),
        }
    }

    /// What the stopwatch says; for deadlines.
    #[must_use]
    pub fn now(&self) -> Moment {
        Moment::after_start(self.started.elapsed())
    }

    /// What the calendar says; for records.
    #[must_use]
    #[allow(clippy::disallowed_methods, reason = "this is the one reader")]
    pub fn wall(&self) -> Timestamp {
        SystemTime::now().into()
    }

    /// Sleeps until the stopwatch says `deadline`; not at all if it already does.
    pub async fn sleep_until(&self, deadline: Moment) {
        tokio::time::sleep(deadline.since(self.now())).await;
    }
}
