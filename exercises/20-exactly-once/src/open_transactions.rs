//! The open transactions of one partition.

use std::collections::{BTreeMap, BTreeSet};

use message_model::{Offset, ProducerId};

use crate::aborted::Aborted;
use crate::nouns::Outcome;

// ANCHOR: open
/// The transactions that are open in one partition, and up to where a reader of committed
/// records may read.
///
/// It knows no epochs: whether a batch or a marker is of the instance that counts was checked
/// before.
///
/// # Invariants
/// - A producer has one open transaction at most.
/// - Every offset below the last stable offset is of a transaction that has ended, or of none.
#[derive(Debug, Clone, Default)]
pub struct OpenTransactions {
    /// The first offset of each open transaction; `None` if it has written nothing here.
    of: BTreeMap<ProducerId, Option<Offset>>,
    /// The first offsets again, in order.
    firsts: BTreeSet<Offset>,
}
// ANCHOR_END: open

impl OpenTransactions {
    /// The partition is in a transaction of `producer` from now on. If one is open, it goes on.
    pub fn begin(&mut self, producer: ProducerId) {
        self.of.entry(producer).or_default();
    }

    /// Returns whether a transaction of `producer` is open: only then it may write here.
    #[must_use]
    pub fn is_open(&self, producer: ProducerId) -> bool {
        self.of.contains_key(&producer)
    }

    /// A transactional batch of `producer` is in the log, and begins at `base`.
    ///
    /// The first one of a transaction is where it begins. When the log is read at a start, nobody
    /// has said that a transaction begins: then its first batch does.
    pub fn wrote(&mut self, producer: ProducerId, base: Offset) {
        // task 20.1: a transaction begins, in this partition, at its first batch
        todo!("20.1: a transaction begins, in this partition, at its first batch")
        // end
    }

    /// A marker of `producer` is in the log at `marker`: its transaction has ended. Returns what
    /// readers must know of it: something only if it aborts and has written here.
    pub fn ended(
        &mut self,
        producer: ProducerId,
        marker: Offset,
        outcome: Outcome,
    ) -> Option<Aborted> {
        // task 20.1: a marker ends a transaction, and an abort leaves something for readers
        todo!("20.1: a marker ends a transaction, and an abort leaves something for readers")
        // end
    }

    /// Returns the last stable offset of a log that ends at `end`, behind all that was written:
    /// everything below it has ended, one way or the other.
    #[must_use]
    pub fn last_stable(&self, end: Offset) -> Offset {
        // task 20.1: up to where everything has ended
        todo!("20.1: up to where everything has ended")
        // end
    }

    /// Returns where the oldest open transaction begins that has written here.
    #[must_use]
    pub fn first_unstable(&self) -> Option<Offset> {
        self.firsts.first().copied()
    }

    /// Returns each open transaction, and where it begins.
    pub fn iter(&self) -> impl Iterator<Item = (ProducerId, Option<Offset>)> + '_ {
        self.of.iter().map(|(producer, first)| (*producer, *first))
    }
}
