//! One transactional id of a shard.

use consumer_groups::Counted;
use message_model::Moment;

use crate::common::Common;
use crate::part::Transactions;

/// What a transactional id costs beside its partitions, in bytes.
const ENTRY: usize = 512;
/// What a partition of a transaction costs beside the name of its topic, in bytes.
const PARTITION: usize = 64;

/// A transactional id of a shard.
#[derive(Debug)]
pub(crate) struct Entry {
    /// Another one for each, also if it has the name of one before it.
    pub(crate) number: u64,
    pub(crate) transactions: Transactions,
    /// For when its alarm is set.
    pub(crate) alarm: Option<Moment>,
    counted: Counted,
}

impl Entry {
    pub(crate) fn new(common: &Common, transactions: Transactions) -> Entry {
        Entry {
            number: common.number(),
            transactions,
            alarm: None,
            counted: common.room.count_entry(),
        }
    }

    /// Counts what it takes now.
    pub(crate) fn recount(&mut self, id: &str) {
        let partitions = self.transactions.metadata().partitions.iter();
        let partitions = partitions.map(|one| cost(one.topic.as_str()));
        self.counted
            .set(ENTRY + id.len() + partitions.sum::<usize>());
    }
}

/// Returns about how many bytes of memory a partition of `topic` takes in a transaction.
pub(crate) fn cost(topic: &str) -> usize {
    PARTITION + topic.len()
}
