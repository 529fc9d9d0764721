//! The four ends of a partition.

use message_model::Offset;

/// Which end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum End {
    /// The first offset that the partition still has.
    LogStart,
    /// Everything below it belongs to no open transaction: what a committed reader sees.
    LastStable,
    /// Everything below it is on every in-sync replica: what a consumer sees.
    HighWatermark,
    /// The offset of the next record: what a follower sees.
    LogEnd,
}

impl End {
    /// All four, from the lowest to the highest.
    pub const ALL: [End; 4] = [
        End::LogStart,
        End::LastStable,
        End::HighWatermark,
        End::LogEnd,
    ];
}

/// Where the four ends of a partition are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ends {
    /// See [`End::LogStart`].
    pub log_start: Offset,
    /// See [`End::LastStable`].
    pub last_stable: Offset,
    /// See [`End::HighWatermark`].
    pub high_watermark: Offset,
    /// See [`End::LogEnd`].
    pub log_end: Offset,
}

impl Ends {
    /// The ends in the order in which they must lie.
    ///
    /// # Panics
    /// When they do not: that is a bug of ours, and going on would lose records.
    pub fn check(&self) {
        assert!(
            self.log_start <= self.last_stable
                && self.last_stable <= self.high_watermark
                && self.high_watermark <= self.log_end,
            "ends out of order: {self:?}"
        );
    }

    /// Where an end is.
    #[must_use]
    pub fn get(&self, end: End) -> Offset {
        match end {
            End::LogStart => self.log_start,
            End::LastStable => self.last_stable,
            End::HighWatermark => self.high_watermark,
            End::LogEnd => self.log_end,
        }
    }
}
