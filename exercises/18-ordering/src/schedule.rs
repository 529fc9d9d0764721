//! What a scheduler is told, what it wants to be done, and its limits.

use std::time::Duration;

use message_model::Offset;

/// What the records of one order have in common: a hash of the record's key, say. Two keys
/// of one hash wait for each other, which costs time and breaks nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(pub u64);

/// How much at once, and how often.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Limits {
    /// How many records are in workers' hands at most.
    pub workers: usize,
    /// How many records are remembered at most: from the frontier on, done or not. So many
    /// are in memory, and so many are done again after a crash.
    pub window_max: usize,
    /// How often a record is tried before it is given up; at least once.
    pub tries_max: u32,
    /// How long a record that has failed waits before it is tried again.
    pub backoff: Duration,
}

/// What happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Event {
    /// The next record of the partition was read; its offset is above all before it.
    /// Without a key it has no order with any other.
    Record {
        /// Its offset. There may be gaps below it, because compaction leaves some.
        offset: Offset,
        /// Which records it must not pass, nor be passed by.
        key: Option<Key>,
    },
    /// The partition was read up to here: what follows on the last record, below this
    /// offset, is none (a marker of a transaction, or what compaction has taken).
    ReadUpTo(Offset),
    /// The worker that has the record in hand has processed it.
    Done(Offset),
    /// The worker that has the record in hand could not process it.
    Failed(Offset),
    /// A record that was given up is somewhere else now, and safe.
    Settled(Offset),
    /// Another consumer is to have the partition. What is above the last record that was
    /// started is forgotten; what is below is finished.
    Revoke,
    /// Time has passed.
    Tick,
}

/// What must be done, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Give the record to a worker that is idle; there is one.
    Start {
        /// The record's offset.
        offset: Offset,
        /// How often it has been started, with this time.
        attempt: u32,
    },
    /// Put the record where failed records are kept, and then say [`Event::Settled`].
    GiveUp(Offset),
    /// After [`Event::Revoke`]: everything that was started is settled, and so is everything
    /// below. The next owner begins at the frontier, and nothing is done twice.
    Drained,
}
