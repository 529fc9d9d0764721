//! What the application hears of a rebalance.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::Pin;

use message_model::TopicPartition;

use crate::group_calls::Committed;

/// The end of the work on some partitions, and what to commit of them then.
pub type Draining<'a> =
    Pin<Box<dyn Future<Output = BTreeMap<TopicPartition, Committed>> + Send + 'a>>;

/// Is told what a rebalance gives and takes, from within a poll or a close.
pub trait RebalanceListener: Send + Sync {
    /// The consumer reads these partitions from now on; there may be none.
    fn assigned(&mut self, partitions: &BTreeSet<TopicPartition>);

    /// Ends the work on partitions that are about to be given up, before
    /// [`revoked`](RebalanceListener::revoked). What it returns is committed, also if the
    /// consumer does not commit by itself. The group waits meanwhile.
    fn drain<'a>(&'a mut self, _: &'a BTreeSet<TopicPartition>) -> Draining<'a> {
        Box::pin(std::future::ready(BTreeMap::new()))
    }

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
