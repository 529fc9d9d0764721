//! What an answer consists of: bytes, and ranges of files that are sent as they are.

use std::sync::Arc;

use bytes::Bytes;
use disk::ReadAt;

/// A range of a file, to be sent without looking at it.
///
/// It keeps the file open: bytes of a segment that is deleted meanwhile can still be sent.
#[derive(Debug, Clone)]
pub struct FileRange {
    /// The file.
    pub file: Arc<dyn ReadAt>,
    /// Where the range starts, in bytes.
    pub position: u64,
    /// How long it is, in bytes.
    pub length: u32,
}

/// A piece of an answer.
#[derive(Debug, Clone)]
pub enum Chunk {
    /// Bytes in memory.
    Bytes(Bytes),
    /// Bytes in a file.
    File(FileRange),
}

impl Chunk {
    /// How many bytes it puts on the wire.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Chunk::Bytes(bytes) => bytes.len(),
            Chunk::File(range) => range.length as usize,
        }
    }

    /// Whether it puts nothing on the wire.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
