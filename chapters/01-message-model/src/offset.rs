//! Ranges of positions in a partition.

use std::fmt;

use crate::part::Offset;

/// The offsets `start..end`; `end` itself is not in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct OffsetRange {
    /// The first offset in the range.
    pub start: Offset,
    /// The first offset after the range.
    pub end: Offset,
}

impl OffsetRange {
    /// Returns whether no offset is in the range.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.end <= self.start
    }

    /// Returns whether `offset` is in the range.
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
