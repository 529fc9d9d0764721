//! Where a segment ends, after a crash at any moment.
//!
//! A crash can cut the last batch anywhere, leave old or empty sectors in it, or
//! lose it whole. What came before it was complete. So: walk along the batches
//! from the start; the segment ends where the first one is not whole.

use message_model::Offset;
use record_batch::{BatchError, BatchHeader, validate};

/// What the walk wants next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Call again with at least this many bytes from the current position. If
    /// the file has fewer left, the segment ends here.
    Need(usize),
    /// A whole batch; the walk is behind it now.
    Batch(BatchHeader),
    /// The segment ends at the current position: what is there is no whole
    /// batch, or one that cannot follow.
    End,
}

/// Walks along a segment's bytes, which come in pieces of any size. Pure: it
/// reads no file.
///
/// # Invariants
/// - It is behind the last whole batch, [`position`](Recovery::position)
///   bytes from the start; nothing it has passed is looked at again.
/// - Offsets ascend: a batch that begins below [`next_offset`](Recovery::next_offset) ends the walk.
#[derive(Debug, Clone)]
pub struct Recovery {
    position: u64,
    next_offset: Offset,
    batch_size_max: usize,
}

impl Recovery {
    /// At the start of the segment with `base_offset`. No batch is larger than
    /// `batch_size_max` bytes, so a larger length is a damaged one.
    #[must_use]
    pub fn new(base_offset: Offset, batch_size_max: usize) -> Recovery {
        Recovery {
            position: 0,
            next_offset: base_offset,
            batch_size_max,
        }
    }

    /// Looks at `window`, the bytes from the current position on (not all of the
    /// rest of the file need be there).
    pub fn step(&mut self, window: &[u8]) -> Step {
        // task 6.2: pass whole batches only, and ask for no more bytes than a batch can have
        match validate(window, self.batch_size_max) {
            Ok(header) if header.base_offset >= self.next_offset => {
                self.position += header.size() as u64;
                self.next_offset = header.range().end;
                Step::Batch(header)
            }
            Err(BatchError::Truncated { needed, .. }) => Step::Need(needed),
            Ok(_) | Err(_) => Step::End,
        }
        // end
    }

    /// Where the walk is, in bytes from the segment's start.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.position
    }

    /// The lowest offset that the next batch may begin with.
    #[must_use]
    pub fn next_offset(&self) -> Offset {
        self.next_offset
    }
}
