//! The one place that reads the machine's clocks.

use std::time::SystemTime;

use message_model::{Moment, Timestamp};
use tokio::time::Instant;

/// Both clocks of the process: a stopwatch and a calendar.
///
/// All copies have the same start. The stopwatch is tokio's, so a test that pauses
/// tokio's time pauses this one too.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    started: Instant,
    /// What the calendar showed at the start; `None`: the machine knows.
    began: Option<Timestamp>,
}

impl Clock {
    /// Returns a clock whose stopwatch starts now.
    #[must_use]
    pub fn start() -> Clock {
        Clock {
            started: Instant::now(),
            began: None,
        }
    }

    /// The same with a calendar that shows `began` now, and then follows the stopwatch. So
    /// nothing that this clock shows is the machine's, if tokio's time is paused.
    #[must_use]
    pub fn start_at(began: Timestamp) -> Clock {
        Clock {
            began: Some(began),
            ..Clock::start()
        }
    }

    /// Returns the time on the stopwatch, for deadlines.
    #[must_use]
    pub fn now(&self) -> Moment {
        self.at(Instant::now())
    }

    /// Returns what the stopwatch shows at `instant`.
    #[must_use]
    pub fn at(&self, instant: Instant) -> Moment {
        Moment::after_start(instant.saturating_duration_since(self.started))
    }

    /// Returns the time of the calendar, for records.
    #[must_use]
    #[allow(clippy::disallowed_methods, reason = "this is the one reader")]
    pub fn wall(&self) -> Timestamp {
        let Some(began) = self.began else {
            return SystemTime::now().into();
        };
        let millis = i64::try_from(self.started.elapsed().as_millis());
        Timestamp(began.0.saturating_add(millis.unwrap_or(i64::MAX)))
    }

    /// Returns when the stopwatch shows `deadline`: at once if that has passed.
    pub async fn sleep_until(&self, deadline: Moment) {
        tokio::time::sleep(deadline.since(self.now())).await;
    }
}
