//! What a sender may do.

use std::time::Duration;

/// The settings of a producer that bind the sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rules {
    /// What keeps the records of a partition in order.
    pub order: Order,
    /// Whether batches have a producer id, an epoch and a sequence number.
    pub numbered: bool,
    /// The most batches of a partition that are in flight, if `order` allows several.
    pub in_flight_max: usize,
    /// How often a batch is sent again. The parts of a batch that was cut begin anew.
    pub retries: u32,
    /// How long a batch waits before it is sent again.
    pub backoff: Duration,
}

/// What keeps the records of a partition in order when a batch is sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Order {
    /// One batch of a partition is in flight. Its number, if it has one, need not be checked.
    OneAtATime,
    /// The broker checks the sequence numbers, so several may be in flight.
    Sequenced,
    /// Nothing: several are in flight, and a batch that is sent again, or cut, arrives
    /// behind those that were sent after it. Batches have no numbers, because a broker that
    /// checks numbers keeps the order.
    Nothing,
}
