//! What compaction takes from chapters above: the rule, and the codecs.

use std::fmt;

use message_model::{Offset, OffsetRange, Timestamp};
use record_batch::{Codec, Opening};

/// What the rule looks at in a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate<'a> {
    /// Its offset.
    pub offset: Offset,
    /// Its key, if it has one.
    pub key: Option<&'a [u8]>,
    /// Whether it has a value. One without deletes its key.
    pub has_value: bool,
}

/// The section of a log that a pass is about, and the rule what survives. Chapter 15 has it.
pub trait DirtySection: fmt::Debug + Send {
    /// Notes the next record. Returns whether there was room; if not, this record and
    /// all behind it are not in the section.
    fn note(&mut self, offset: Offset, key: Option<&[u8]>) -> bool;

    /// Notes that no record is left below `end`. Without effect once a record was not noted.
    fn pass(&mut self, end: Offset);

    /// The first offset behind the section.
    fn end(&self) -> Offset;

    /// Whether a record survives at `now`; `horizon` is the delete horizon of its batch.
    fn survives(&self, record: &Candidate<'_>, horizon: Option<Timestamp>, now: Timestamp) -> bool;

    /// The delete horizon of a batch whose header has `given`; `next` is the one for a
    /// batch that gets its first.
    fn horizon(
        &self,
        batch: OffsetRange,
        given: Option<Timestamp>,
        next: Timestamp,
    ) -> Option<Timestamp>;
}

/// Compresses the records of an open batch again.
pub type CloseBatch = fn(&[u8], Codec) -> Vec<u8>;

/// What a pass works with.
#[derive(Debug, Clone, Copy)]
pub struct Compactor {
    /// A section that begins with an offset and takes at most so many bytes of memory.
    pub section: fn(Offset, usize) -> Box<dyn DirtySection>,
    /// How much memory a section may take, in bytes.
    pub memory: usize,
    /// Opens a compressed batch.
    pub opening: Opening,
    /// Closes it again.
    pub close: CloseBatch,
}
