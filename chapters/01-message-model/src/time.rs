//! Two kinds of time that must never be mixed.
//!
//! [`Timestamp`] is what a calendar says: it is stored in records, survives a
//! restart, and may jump when the machine's clock is set. [`Moment`](crate::Moment)
//! is what a stopwatch says: it only ever grows, means nothing to another process,
//! and is the one to measure deadlines with. Both are passed into the code that needs
//! them as `now`, so that a test can say what time it is.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Wall-clock time in milliseconds since 1970-01-01 00:00 UTC, as records carry it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// What Kafka writes where there is no timestamp.
    pub const NONE: Timestamp = Timestamp(-1);

    /// How long this lies after `earlier`; zero if it does not.
    #[must_use]
    pub fn since(self, earlier: Timestamp) -> Duration {
        let millis = self.0.saturating_sub(earlier.0);
        Duration::from_millis(u64::try_from(millis).unwrap_or(0))
    }
}

impl From<SystemTime> for Timestamp {
    /// A time before 1970 becomes 0, one after the year 292,000,000 the largest timestamp.
    fn from(time: SystemTime) -> Timestamp {
        let since_epoch = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
