//! Ids that the broker assigns or is configured with.

use std::fmt;

/// The number of a broker of the cluster: `node.id` in its configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BrokerId(pub i32);

/// How many times the leadership of a partition has changed.
///
/// Every batch gets it when it is appended. With one broker it is always
/// [`LeaderEpoch::FIRST`]; chapter 21 adds followers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LeaderEpoch(pub i32);

impl LeaderEpoch {
    /// The epoch of a partition that has only ever had one leader.
    pub const FIRST: LeaderEpoch = LeaderEpoch(0);
}

/// The number of an idempotent producer, unique over the life of the data directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProducerId(pub i64);

impl ProducerId {
    /// The id in a batch whose producer is not idempotent.
    pub const NONE: ProducerId = ProducerId(-1);
}

/// The number of an instance of a producer: each instance has one more than the one
/// before it, so that requests of an older one can be refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProducerEpoch(pub i16);

impl ProducerEpoch {
    /// The epoch in a batch whose producer is not idempotent.
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
