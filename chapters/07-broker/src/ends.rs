//! The five ends of a partition.

use message_model::Offset;

/// Which end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum End {
    /// The first offset that the partition still has.
    LogStart,
    /// Everything below it is on disk: what `acks=all` waits for.
    Durable,
    /// Everything below it belongs to no open transaction: what a committed reader sees.
    LastStable,
    /// Everything below it is on every in-sync replica: what a consumer sees.
    HighWatermark,
    /// The offset of the next record.
    LogEnd,
}

/// Where the five ends of a partition are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ends {
    /// See [`End::LogStart`].
    pub log_start: Offset,
    /// See [`End::Durable`].
    pub durable: Offset,
    /// See [`End::LastStable`].
    pub last_stable: Offset,
    /// See [`End::HighWatermark`].
    pub high_watermark: Offset,
    /// See [`End::LogEnd`].
    pub log_end: Offset,
}

impl Ends {
    /// Asserts the order of the ends: log start ≤ last stable ≤ high watermark ≤
    /// log end, and log start ≤ durable ≤ log end.
    ///
    /// # Panics
    /// When they are out of order, which is a bug of ours: going on would lose records.
    pub fn check(&self) {
        assert!(
            self.log_start <= self.last_stable
                && self.last_stable <= self.high_watermark
                && self.high_watermark <= self.log_end
                && self.log_start <= self.durable
                && self.durable <= self.log_end,
            "ends out of order: {self:?}"
        );
    }

    /// Where an end is.
    #[must_use]
    pub fn get(&self, end: End) -> Offset {
        match end {
            End::LogStart => self.log_start,
            End::Durable => self.durable,
            End::LastStable => self.last_stable,
            End::HighWatermark => self.high_watermark,
            End::LogEnd => self.log_end,
        }
    }
}
