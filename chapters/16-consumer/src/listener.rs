//! What the application hears of a rebalance.

use std::collections::BTreeSet;

use message_model::TopicPartition;

/// Is told what a rebalance gives and takes, from within a poll or a close.
pub trait RebalanceListener: Send + Sync {
    /// The consumer reads these partitions from now on; there may be none.
    fn assigned(&mut self, partitions: &BTreeSet<TopicPartition>);

    /// These partitions are about to be given up. Their records can still be marked as
    /// done. When this returns, what is done is committed (if the consumer commits by
    /// itself), and the next owner goes on from there.
    fn revoked(&mut self, partitions: &BTreeSet<TopicPartition>);

    /// These partitions are gone: another consumer may be reading them already. What was
    /// done since the last commit will be done again.
    fn lost(&mut self, partitions: &BTreeSet<TopicPartition>);
}

/// Listens to nothing.
#[derive(Debug)]
pub(crate) struct Deaf;

impl RebalanceListener for Deaf {
    fn assigned(&mut self, _: &BTreeSet<TopicPartition>) {}
    fn revoked(&mut self, _: &BTreeSet<TopicPartition>) {}
    fn lost(&mut self, _: &BTreeSet<TopicPartition>) {}
}
