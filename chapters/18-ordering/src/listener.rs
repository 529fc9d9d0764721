//! What happens when a rebalance takes partitions away.

use std::collections::BTreeSet;
use std::sync::Arc;

use consumer::{Draining, RebalanceListener};
use message_model::TopicPartition;

use crate::processor::Processor;
use crate::shared::Shared;

/// Lets the workers of partitions that are given up finish what they have in hand.
pub(crate) struct Drains<P: Processor>(pub(crate) Arc<Shared<P>>);

/// The consumer is gone, however the loop has ended. Without the stays, which have the ends
/// of the workers' channels, the workers would wait for records for ever.
impl<P: Processor> Drop for Drains<P> {
    fn drop(&mut self) {
        self.0.forget(&self.0.partitions());
    }
}

impl<P: Processor> RebalanceListener for Drains<P> {
    fn assigned(&mut self, _: &BTreeSet<TopicPartition>) {}

    fn drain<'a>(&'a mut self, partitions: &'a BTreeSet<TopicPartition>) -> Draining<'a> {
        Box::pin(self.0.drain(partitions))
    }

    fn revoked(&mut self, partitions: &BTreeSet<TopicPartition>) {
        self.0.forget(partitions);
    }

    fn lost(&mut self, partitions: &BTreeSet<TopicPartition>) {
        self.0.forget(partitions);
    }
}
