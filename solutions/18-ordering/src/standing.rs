//! What a broker knows of a producer, and what a batch says of its own.

use message_model::ProducerEpoch;

// ANCHOR: standing
/// What is known of a producer in one partition.
///
/// An entry whose epoch is [`ProducerEpoch::NONE`] counts as no entry, as in Kafka.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Standing {
    /// The newest epoch that the partition has seen of the producer.
    pub epoch: ProducerEpoch,
    /// The number of the producer's last record in that epoch; `None`: nothing yet. (A
    /// marker can bring an epoch in which no record has come.)
    pub last: Option<i32>,
}

/// The numbers in a batch's header, of a producer that has an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Numbered {
    /// Which instance of the producer has made the batch.
    pub epoch: ProducerEpoch,
    /// The number of the first record; -1 if the records have none.
    pub first: i32,
    /// How many numbers the batch uses up, which is the last offset delta and one.
    /// (Compaction can take records out of a batch, but no numbers.)
    pub count: u32,
}
// ANCHOR_END: standing

impl Numbered {
    /// Returns the number of the last record. 0 follows on [`i32::MAX`], also within a
    /// batch. A batch whose records have no numbers returns -1.
    #[must_use]
    pub fn last(self) -> i32 {
        // task 18.2: 0 follows on the largest number
        if self.first < 0 {
            return -1;
        }
        let sum = i64::from(self.first) + i64::from(self.count) - 1;
        i32::try_from(sum % (i64::from(i32::MAX) + 1)).expect("it is below 2³¹")
        // end
    }
}
