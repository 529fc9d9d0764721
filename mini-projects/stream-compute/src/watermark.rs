//! How far event time has come.

use std::time::Duration;

use message_model::Timestamp;

/// Says up to which event time everything has arrived, given that nothing comes
/// more than a bound behind the latest that was seen.
///
/// That is a promise of the person who sets the bound, not something that can be
/// known. What breaks it is late.
#[derive(Debug, Clone)]
pub struct Watermark {
    bound_ms: i64,
    latest: Option<Timestamp>,
}

impl Watermark {
    /// Nothing has been seen.
    #[must_use]
    pub fn behind_by(bound: Duration) -> Watermark {
        Watermark {
            bound_ms: i64::try_from(bound.as_millis()).unwrap_or(i64::MAX),
            latest: None,
        }
    }

    /// The latest time that was seen.
    #[must_use]
    pub fn latest(&self) -> Option<Timestamp> {
        self.latest
    }

    /// Everything below `time` has arrived, or will not be waited for.
    pub fn advance_to(&mut self, time: Timestamp) {
        self.observe(Timestamp(time.0.saturating_add(self.bound_ms)));
    }

    // ANCHOR: watermark
    /// Something of this time was seen. The watermark never goes back.
    pub fn observe(&mut self, time: Timestamp) {
        self.latest = self.latest.max(Some(time));
    }

    /// Everything below it has arrived; `None` before anything was seen.
    #[must_use]
    pub fn current(&self) -> Option<Timestamp> {
        let latest = self.latest?;
        Some(Timestamp(latest.0.saturating_sub(self.bound_ms)))
    }
    // ANCHOR_END: watermark
}
