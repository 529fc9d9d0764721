//! What a partition knows of the producers that write to it.
//!
//! It is used under the partition's lock: [`Producers::check`] before the
//! write, [`Producers::record`] after it. At the start and after a truncation
//! the state is made again: [`Producers::restore`], then `record` for every
//! batch behind the snapshot; `record` accepts whatever the log holds.

use std::fmt;

use message_model::{Offset, OffsetRange, ProducerEpoch, ProducerId};
use record_batch::BatchHeader;
use wire_protocol::ErrorCode;

/// What is to be done with a batch that wants to be appended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// Append it.
    Append,
    /// It is there already, at these offsets; answer as if it had just been
    /// appended, and wait for durability all the same.
    Duplicate(OffsetRange),
    /// Answer with this error.
    Reject(ErrorCode),
}

/// What is in the log now.
#[derive(Debug, Clone, Copy)]
pub enum Entry<'a> {
    /// A producer's batch.
    Batch(&'a BatchHeader),
    /// The end of a transaction.
    Marker {
        /// Whose.
        producer_id: ProducerId,
        /// Of which instance.
        epoch: ProducerEpoch,
        /// Whether it was committed.
        committed: bool,
    },
}

/// A transaction whose records a committed reader must drop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AbortedTransaction {
    /// Whose.
    pub producer_id: ProducerId,
    /// Its first offset.
    pub first_offset: Offset,
}

/// The rules about producers; chapter 20 brings the full ones.
pub trait Producers: fmt::Debug + Send {
    /// Whether a batch may be appended now.
    fn check(&self, header: &BatchHeader) -> Admission;
    /// Notes what is in the log at `base_offset`.
    fn record(&mut self, entry: Entry<'_>, base_offset: Offset);
    /// Starts over from a snapshot; an empty one is the state of an empty log.
    /// Returns from which offset on it must be told what is in the log; `None`
    /// if it does not care.
    fn restore(&mut self, snapshot: &[u8]) -> Option<Offset>;
    /// The first offset of the oldest open transaction.
    fn first_unstable(&self) -> Option<Offset>;
    /// The aborted transactions with records in `range`.
    fn aborted(&self, range: OffsetRange) -> Vec<AbortedTransaction>;
    /// The transaction coordinator lets a producer write in a transaction.
    fn begin(&mut self, producer_id: ProducerId, epoch: ProducerEpoch);
}

/// No rules: every batch is appended, also one that is there already.
#[derive(Debug, Clone, Copy, Default)]
pub struct AdmitAll;

impl Producers for AdmitAll {
    fn check(&self, _header: &BatchHeader) -> Admission {
        Admission::Append
    }
    fn record(&mut self, _entry: Entry<'_>, _base_offset: Offset) {}
    fn restore(&mut self, _snapshot: &[u8]) -> Option<Offset> {
        None
    }
    fn first_unstable(&self) -> Option<Offset> {
        None
    }
    fn aborted(&self, _range: OffsetRange) -> Vec<AbortedTransaction> {
        Vec::new()
    }
    fn begin(&mut self, _producer_id: ProducerId, _epoch: ProducerEpoch) {}
}
