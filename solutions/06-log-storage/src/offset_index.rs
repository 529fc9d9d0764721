//! A sparse map from offset to file position, one per segment.
//!
//! # On disk
//! Ascending entries, no header, no checksum: relative offset `i32` | position
//! `i32`, big-endian. The offset is the last one of a batch, the position is where
//! that batch begins: Kafka's `.index` format.
//!
//! # Invariants
//! - Entries strictly ascend in both columns.
//! - The file is a cache: it can be made again from the segment at any time.
//!
//! Start reading at [`OffsetIndex::lookup`].

use message_model::Offset;

const RELATIVE_OFFSET_SIZE: usize = size_of::<i32>();
const POSITION_SIZE: usize = size_of::<i32>();
/// The size of an entry, in bytes.
pub const ENTRY_SIZE: usize = RELATIVE_OFFSET_SIZE + POSITION_SIZE;
/// Name, start and size of each field of an entry, in bytes.
pub const OFFSET_INDEX_FIELDS: [(&str, usize, usize); 2] = [
    ("relative offset", 0, RELATIVE_OFFSET_SIZE),
    ("position", RELATIVE_OFFSET_SIZE, POSITION_SIZE),
];

/// The offset index of one segment, in memory in its file format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OffsetIndex {
    base_offset: Offset,
    bytes: Vec<u8>,
}

impl OffsetIndex {
    /// The index of a segment that starts at `base_offset`, from its file's bytes.
    /// A torn last entry is dropped.
    #[must_use]
    pub fn from_bytes(base_offset: Offset, mut bytes: Vec<u8>) -> OffsetIndex {
        bytes.truncate(bytes.len() / ENTRY_SIZE * ENTRY_SIZE);
        OffsetIndex { base_offset, bytes }
    }

    /// The index as its file holds it.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Notes that the batch at `position` ends with `last_offset`. Returns whether
    /// it was noted: not if it would break the order, or does not fit into an `i32`.
    pub fn push(&mut self, last_offset: Offset, position: u32) -> bool {
        let (Ok(relative), Ok(position)) = (
            i32::try_from(last_offset.since(self.base_offset)),
            i32::try_from(position),
        ) else {
            return false;
        };
        let ascends = self
            .entries()
            .last()
            .is_none_or(|last| relative > relative_offset(last) && position > file_position(last));
        if ascends && relative >= 0 {
            self.bytes.extend_from_slice(&relative.to_be_bytes());
            self.bytes.extend_from_slice(&position.to_be_bytes());
        }
        ascends && relative >= 0
    }

    /// The position of the last entry at or below `target`; 0, the segment's
    /// start, if there is none.
    ///
    /// The index is sparse, so the caller scans forward from there. `target` may
    /// be any offset: [`Offset::since`] saturates.
    #[must_use]
    pub fn lookup(&self, target: Offset) -> u32 {
        // task 6.1: the last entry at or below the target, in O(log n)
        let wanted = target.since(self.base_offset);
        let entries = self.entries();
        let offset_of = |number: usize| relative_offset(&entries[number]).into();
        match last_at_or_below(entries.len(), wanted, offset_of) {
            Some(number) => u32::try_from(file_position(&entries[number])).unwrap_or(0),
            None => 0,
        }
        // end
    }

    /// Whether the entries keep the order and lie inside a segment of `segment_size` bytes.
    #[must_use]
    pub fn is_sane(&self, segment_size: u64) -> bool {
        let entries = self.entries();
        let ascends = entries.windows(2).all(|pair| {
            relative_offset(&pair[0]) < relative_offset(&pair[1])
                && file_position(&pair[0]) < file_position(&pair[1])
        });
        let starts = entries
            .first()
            .is_none_or(|first| relative_offset(first) >= 0 && file_position(first) >= 0);
        let ends = entries.last().is_none_or(|last| {
            u64::try_from(file_position(last)).is_ok_and(|at| at < segment_size)
        });
        starts && ascends && ends
    }

    fn entries(&self) -> &[[u8; ENTRY_SIZE]] {
        self.bytes.as_chunks().0
    }
}

/// The number of the last of `count` entries whose offset is at or below
/// `wanted`; `None` if there is none. `offset_of` reads the entry with a number;
/// offsets ascend.
///
/// In an index of a gigabyte's segment there are 260,000 entries, and each one
/// that is read may be another page of a file: read at most about log₂ of them.
pub fn last_at_or_below(
    count: usize,
    wanted: i64,
    mut offset_of: impl FnMut(usize) -> i64,
) -> Option<usize> {
    // task 6.1: halve what is left until one entry is
    let (mut low, mut high) = (0, count);
    while low < high {
        let middle = low + (high - low) / 2;
        if offset_of(middle) <= wanted {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low.checked_sub(1)
    // end
}

fn relative_offset(entry: &[u8; ENTRY_SIZE]) -> i32 {
    let [a, b, c, d, ..] = *entry;
    i32::from_be_bytes([a, b, c, d])
}

fn file_position(entry: &[u8; ENTRY_SIZE]) -> i32 {
    let [.., a, b, c, d] = *entry;
    i32::from_be_bytes([a, b, c, d])
}
