//! What an abort leaves for readers of committed records.

use message_model::{Offset, OffsetRange, ProducerId};

/// An aborted transaction of one partition: an entry of the index that a segment has of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Aborted {
    /// The producer whose records do not count.
    pub producer: ProducerId,
    /// The first offset of the transaction.
    pub first: Offset,
    /// The offset of its marker.
    pub last: Offset,
    /// The last stable offset when the marker was written: everything below it had ended.
    pub last_stable: Offset,
}

/// Returns the aborted transactions that a reader of `range` must know, in the order of `index`:
/// those that have an offset in it. `range` is not empty.
///
/// `index` is in the order of the markers. A transaction whose marker is behind the range may
/// have begun in it. No more of the index is read than need be: if everything in the range had
/// ended when an entry was made, no later entry has begun in it.
pub fn aborted_in(index: &mut dyn Iterator<Item = Aborted>, range: OffsetRange) -> Vec<Aborted> {
    // task 20.2: which aborted transactions a reader of a range must know
    todo!("20.2: which aborted transactions a reader of a range must know")
    // end
}
