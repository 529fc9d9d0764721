//! Positions in a partition.

use std::fmt;

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

    /// How many offsets lie from `start` up to this one; negative if it is below `start`.
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

/// The offsets `start..end`; `end` itself is not in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct OffsetRange {
    /// The first offset in the range.
    pub start: Offset,
    /// The first offset behind the range.
    pub end: Offset,
}

impl OffsetRange {
    /// Whether the range holds no offset.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.end <= self.start
    }

    /// Whether `offset` lies in the range.
    #[must_use]
    pub fn contains(self, offset: Offset) -> bool {
        self.start <= offset && offset < self.end
    }
}

impl fmt::Display for OffsetRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..{}", self.start, self.end)
    }
}
