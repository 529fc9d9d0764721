//! A position, a place and a time.

use std::fmt;
use std::time::Duration;

/// The position of a record in its partition: 0 for the first one ever, then 1, 2, 3 …
///
/// An offset is also used as an *end*: the log end offset is the offset that the
/// next record will get, so every record is below it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Offset(pub i64);

impl Offset {
    /// The offset of the first record of every partition.
    pub const ZERO: Offset = Offset(0);

    /// Returns the offset `count` records further on.
    ///
    /// # Panics
    /// If the sum does not fit into an `i64`: a partition would have to take a
    /// million records a second for 292,000 years.
    #[must_use]
    pub fn plus(self, count: i64) -> Offset {
        Offset(
            self.0
                .checked_add(count)
                .expect("an offset is far below i64::MAX"),
        )
    }

    /// Returns the number of offsets from `start` up to this one, negative if this one is
    /// below `start`. A difference that does not fit becomes the largest or smallest `i64`.
    #[must_use]
    pub fn since(self, start: Offset) -> i64 {
        self.0.saturating_sub(start.0)
    }
}

impl fmt::Display for Offset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The number of a partition in its topic: 0, 1, 2 …
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartitionIndex(pub i32);

impl fmt::Display for PartitionIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Time since this process started its clock; deadlines are measured with it.
///
/// A moment is what a stopwatch shows: it only ever grows, and means nothing to
/// another process. Code that needs the time gets it as `now`, so a test decides
/// what time it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Moment(Duration);

impl Moment {
    /// When the clock was started.
    pub const START: Moment = Moment(Duration::ZERO);

    /// Returns the moment at `elapsed` after the start of the clock.
    #[must_use]
    pub const fn after_start(elapsed: Duration) -> Moment {
        Moment(elapsed)
    }

    /// Returns the moment `wait` later, or the last one that there is if that is too far.
    #[must_use]
    pub fn plus(self, wait: Duration) -> Moment {
        Moment(self.0.saturating_add(wait))
    }

    /// Returns the time from `earlier` to this moment; zero if `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Moment) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}
