//! Two kinds of time that must never be mixed.
//!
//! [`Timestamp`] is what a calendar shows: records contain it, it survives a
//! restart, and it may jump when the machine's clock is set. [`Moment`](crate::Moment)
//! is what a stopwatch shows: it only ever grows, means nothing to another process,
//! and deadlines are measured with it. Code that needs the time gets either as `now`,
//! so a test decides what time it is.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Wall-clock time in milliseconds since 1970-01-01 00:00 UTC, as in a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// Kafka's value for "no timestamp".
    pub const NONE: Timestamp = Timestamp(-1);

    /// Returns the time from `earlier` to this timestamp; zero if `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Timestamp) -> Duration {
        let millis = self.0.saturating_sub(earlier.0);
        Duration::from_millis(u64::try_from(millis).unwrap_or(0))
    }
}

impl From<SystemTime> for Timestamp {
    /// Returns 0 for a time before 1970, and the largest timestamp for one after the
    /// year 292,000,000.
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
