//! A batch, as the accumulator and the sender see it: numbers, no bytes.

use message_model::Moment;

/// The number of a batch in its producer. The accumulator counts from 0 up, the sender,
/// which numbers the parts of batches that it cuts, from the largest number down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BatchId(pub u64);

/// A partition of some topic: its place in the producer's table, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot(pub usize);

// ANCHOR: batch
/// Records of one partition that travel together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Batch {
    /// The batch's number, which it keeps when it is sent again.
    pub id: BatchId,
    /// The partition of all its records.
    pub slot: Slot,
    /// How many records it has; at least one.
    pub records: u32,
    /// How much of the memory its records hold, in bytes.
    pub bytes: usize,
    /// From this moment on its records have failed: the earliest deadline of a record.
    pub deliver_by: Moment,
}
// ANCHOR_END: batch
