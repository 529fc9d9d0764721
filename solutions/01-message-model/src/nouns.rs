//! A position, a place and a time.

use std::fmt;
use std::time::Duration;

/// The position of a record in its partition: 0 for the first one ever, then 1, 2, 3 …
///
/// An offset also serves as an *end*: the log end offset is the offset that
/// the next record will get, so "everything below it exists".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Offset(pub i64);

impl Offset {
    /// Where every partition begins.
    pub const ZERO: Offset = Offset(0);

    /// The offset `count` records further on.
    ///
    /// # Panics
    /// When the sum does not fit in an `i64`: a partition would have to take a
    /// million records a second for 292,000 years.
    #[must_use]
    pub fn plus(self, count: i64) -> Offset {
        Offset(
            self.0
                .checked_add(count)
                .expect("an offset is far below i64::MAX"),
        )
    }

    /// How many offsets lie from `start` up to this one; negative if it is below `start`, and the
    /// largest or smallest `i64` where that has no room.
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

/// Which partition of a topic: 0, 1, 2 …
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartitionIndex(pub i32);

impl fmt::Display for PartitionIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Time since this process started its clock; the one for deadlines.
///
/// It is what a stopwatch says: it only ever grows, and means nothing to
/// another process. It is passed into the code that needs it as `now`, so that
/// a test can say what time it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Moment(Duration);

impl Moment {
    /// When the clock was started.
    pub const START: Moment = Moment(Duration::ZERO);

    /// The moment at `elapsed` after the start of the clock.
    #[must_use]
    pub const fn after_start(elapsed: Duration) -> Moment {
        Moment(elapsed)
    }

    /// The moment `wait` later; the last representable one if that is too far away.
    #[must_use]
    pub fn plus(self, wait: Duration) -> Moment {
        Moment(self.0.saturating_add(wait))
    }

    /// How long this lies after `earlier`; zero if it does not.
    #[must_use]
    pub fn since(self, earlier: Moment) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}
