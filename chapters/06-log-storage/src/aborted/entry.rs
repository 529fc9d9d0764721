//! One aborted transaction.

use message_model::{Offset, OffsetRange, ProducerId};

const VERSION: [u8; 2] = 0_i16.to_be_bytes();
/// An entry on disk, in bytes.
pub(crate) const ENTRY_SIZE: usize = start_of(4);
const FIELD_SIZE: usize = 8;
/// Name, start and size of each field of an entry of a `.txnindex`, in bytes.
pub const ABORTED_INDEX_FIELDS: [(&str, usize, usize); 5] = [
    ("version", 0, VERSION.len()),
    ("producer id", start_of(0), FIELD_SIZE),
    ("first offset", start_of(1), FIELD_SIZE),
    ("last offset", start_of(2), FIELD_SIZE),
    ("last stable offset", start_of(3), FIELD_SIZE),
];

/// Where a field behind the version begins, in bytes.
const fn start_of(field: usize) -> usize {
    VERSION.len() + field * FIELD_SIZE
}

/// A transaction that was aborted, as far as it is in one partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AbortedTransaction {
    /// Whose it was.
    pub producer: ProducerId,
    /// Its first record.
    pub first: Offset,
    /// Its marker, which is behind its last record.
    pub last: Offset,
    /// The last stable offset behind the marker: where the oldest of the other transactions
    /// begins that were open, or the offset behind the marker if none was. So no transaction
    /// with a later marker begins below it.
    pub last_stable: Offset,
}

impl AbortedTransaction {
    /// Whether a record of it, or its marker, may be in `range`.
    pub(crate) fn overlaps(&self, range: OffsetRange) -> bool {
        self.last >= range.start && self.first < range.end
    }

    /// Appends it to `out` as it is on disk.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&VERSION);
        for field in [
            self.producer.0,
            self.first.0,
            self.last.0,
            self.last_stable.0,
        ] {
            out.extend_from_slice(&field.to_be_bytes());
        }
    }

    /// The entry in `bytes`; `None` when they cannot be one.
    pub(crate) fn read(bytes: &[u8; ENTRY_SIZE]) -> Option<AbortedTransaction> {
        let (version, fields) = bytes.split_first_chunk()?;
        let (fields, _) = fields.as_chunks::<FIELD_SIZE>();
        let &[producer, first, last, last_stable] = fields else {
            return None;
        };
        let entry = AbortedTransaction {
            producer: ProducerId(i64::from_be_bytes(producer)),
            first: Offset(i64::from_be_bytes(first)),
            last: Offset(i64::from_be_bytes(last)),
            last_stable: Offset(i64::from_be_bytes(last_stable)),
        };
        (*version == VERSION && entry.can_be()).then_some(entry)
    }

    /// Whether its numbers fit each other.
    pub(crate) fn can_be(&self) -> bool {
        let zero = Offset::ZERO;
        self.producer.0 >= 0
            && zero <= self.first
            && self.first < self.last
            && zero <= self.last_stable
            && self.last_stable.since(self.last) <= 1
    }
}
