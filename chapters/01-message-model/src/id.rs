//! Ids that the broker hands out or is configured with.

use std::fmt;

/// A broker of the cluster; `node.id` in the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BrokerId(pub i32);

/// How often the leadership of a partition has changed hands.
///
/// It is written into every batch on append. One broker never changes it: it
/// stays [`LeaderEpoch::FIRST`] until chapter 21 adds followers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LeaderEpoch(pub i32);

impl LeaderEpoch {
    /// The epoch of a partition that has only ever had one leader.
    pub const FIRST: LeaderEpoch = LeaderEpoch(0);
}

/// A producer session, unique over the life of the data directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProducerId(pub i64);

impl ProducerId {
    /// What a batch carries when its producer is not idempotent.
    pub const NONE: ProducerId = ProducerId(-1);
}

/// Fences an older instance of the same producer; grows by one per instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProducerEpoch(pub i16);

impl ProducerEpoch {
    /// What a batch carries when its producer is not idempotent.
    pub const NONE: ProducerEpoch = ProducerEpoch(-1);
    /// The epoch of a new producer id.
    pub const FIRST: ProducerEpoch = ProducerEpoch(0);
}

impl fmt::Display for BrokerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for ProducerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
