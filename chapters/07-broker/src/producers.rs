//! What a partition asks about the producers that write to it.
//!
//! The rules themselves are in later chapters. A partition without rules appends every
//! batch. One with rules asks them under its writer's lock, in this order:
//! [`check`](Producers::check), the append, [`note`](Producers::note).

use std::fmt::Debug;

use message_model::{Offset, OffsetRange, ProducerEpoch, ProducerId, Timestamp, TopicPartition};
use record_batch::{BatchHeader, EndTransaction};
use wire_protocol::ErrorCode;

/// So many producers at most are looked at while a partition's appends wait.
pub const PRODUCERS_PER_PIECE: usize = 1_000;

/// The rules for producers, of all partitions.
pub trait ProducerRules: Debug + Send + Sync {
    /// What is known about the producers of a partition: of none yet.
    fn of_partition(&self, partition: &TopicPartition) -> Box<dyn Producers>;

    /// Whether the coordinator has told all partitions of the transactions that are open. At a
    /// start it has not until it has read them. A batch of a transaction that is not known
    /// waits meanwhile: its producer hears `NOT_ENOUGH_REPLICAS` and sends it again, as in
    /// Kafka while a partition cannot ask the coordinator.
    fn transactions_known(&self, are_known: bool);
}

/// What is known about the producers of one partition.
///
/// It is never asked about a batch without a producer id. What is done for every
/// producer is done in pieces of [`PRODUCERS_PER_PIECE`] at most, by producer id; between
/// two pieces anything else may come.
pub trait Producers: Debug + Send {
    /// What is to become of a batch; of a marker, if it ends a transaction. Changes nothing that
    /// a reader sees. `now` is the wall clock.
    ///
    /// A batch that the broker itself makes, such as offsets that a transaction commits,
    /// has a producer and no sequence number (-1).
    fn check(&mut self, now: Timestamp, batch: &BatchHeader, end: Option<EndTransaction>) -> Check;

    /// A batch or a marker is in the log now, at the offset in `batch`; or it was found there at
    /// a start, and then `at` is its own time. Returns what a marker that aborts leaves for readers.
    ///
    /// What is at or below the last offset that was noted for the producer changes nothing, and
    /// nothing is returned: a snapshot is made in pieces, and the log is read again from
    /// where the first one began.
    fn note(
        &mut self,
        at: Timestamp,
        batch: &BatchHeader,
        end: Option<EndTransaction>,
    ) -> Option<Ended>;

    /// The coordinator has added the partition to the producer's transaction.
    ///
    /// # Errors
    /// The code that says why it cannot be.
    fn begin(
        &mut self,
        now: Timestamp,
        producer: ProducerId,
        epoch: ProducerEpoch,
    ) -> Result<(), ErrorCode>;

    /// The first offset of the oldest transaction that is open; `None` if there is none.
    fn first_unstable(&self) -> Option<Offset>;

    /// Forgets those of the next producers behind `after` that were silent for too long and
    /// have no open transaction. Returns the last one that it has looked at; `None` if there is none.
    fn expire(&mut self, now: Timestamp, after: Option<ProducerId>) -> Option<ProducerId>;

    /// The next producers behind `after`, for a file; `None` if there is none.
    fn snapshot(&self, after: Option<ProducerId>) -> Option<Piece>;

    /// Adds the producers of a piece to what is known. Those that were silent for too long at
    /// `now` may be left out.
    ///
    /// # Errors
    /// When the bytes are no piece.
    fn restore(&mut self, now: Timestamp, piece: &[u8]) -> Result<(), Unreadable>;

    /// The next producers behind `after`.
    fn describe(&self, after: Option<ProducerId>) -> Vec<ActiveProducer>;
}

/// What becomes of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Check {
    /// It is appended.
    Append,
    /// It is in the log already.
    Duplicate {
        /// At these offsets.
        range: OffsetRange,
        /// Its largest timestamp.
        timestamp: Timestamp,
    },
    /// It is not appended; the code says why.
    Refuse(ErrorCode),
}

/// A transaction that was aborted, and has records in the partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    /// Whose transaction.
    pub producer: ProducerId,
    /// The offset of its first record.
    pub first: Offset,
}

/// Some producers, as bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// In a format of the rules' own.
    pub bytes: Vec<u8>,
    /// The last of the producers.
    pub last: ProducerId,
}

/// Bytes that are no piece of a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the bytes are no piece of a snapshot of producers")]
pub struct Unreadable;

/// A producer, for operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ActiveProducer {
    /// Its id.
    pub producer: ProducerId,
    /// Its epoch.
    pub epoch: ProducerEpoch,
    /// The sequence number of its last record in that epoch.
    pub last_sequence: Option<i32>,
    /// When its last batch came.
    pub last_timestamp: Timestamp,
    /// That of its last marker.
    pub coordinator_epoch: Option<i32>,
    /// The first offset of its open transaction.
    pub transaction_start: Option<Offset>,
}
