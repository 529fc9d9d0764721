//! Cutting a stream of bytes into frames.
//!
//! # On the wire
//! length `i32`, big-endian, not counting itself | payload of that many bytes

/// The size of the length in front of every payload, in bytes.
pub const PREFIX_SIZE: usize = size_of::<i32>();

/// A length prefix that no frame can have; the connection must be closed,
/// because where the next frame begins is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// The prefix is below zero.
    #[error("a frame announced {announced} bytes; a length is never negative")]
    Negative {
        /// What the prefix said.
        announced: i32,
    },
    /// The prefix is above the decoder's limit.
    #[error("a frame announced {announced} bytes; the limit is {limit}")]
    TooLarge {
        /// What the prefix said, in bytes.
        announced: usize,
        /// The decoder's limit, in bytes.
        limit: usize,
    },
}

/// A buffer up to this size is kept when it is no longer filled, in bytes.
const BUFFER_KEPT: usize = 4 * 1024;

/// Collects bytes as they arrive and gives out whole payloads.
///
/// # Invariants
/// - The frames that come out do not depend on how the stream was cut into pieces.
/// - It holds what has arrived and not been given out, and reserves nothing for
///   bytes that were only announced.
#[derive(Debug)]
pub struct FrameDecoder {
    /// What has arrived; everything before `start` has been given out.
    buffer: Vec<u8>,
    start: usize,
    limit: usize,
}

impl FrameDecoder {
    /// A decoder for payloads of at most `limit` bytes.
    #[must_use]
    pub fn new(limit: usize) -> FrameDecoder {
        FrameDecoder {
            buffer: Vec::new(),
            start: 0,
            limit,
        }
    }

    /// Takes in the next bytes of the stream, however few.
    // ANCHOR: feed
    pub fn feed(&mut self, bytes: &[u8]) {
        // Dropping the front moves the rest. It waits until the front is the
        // larger part: then all moves together cost less than the bytes given out.
        if self.start >= self.pending() {
            self.buffer.drain(..self.start);
            self.start = 0;
        }
        self.buffer.extend_from_slice(bytes);
    }
    // ANCHOR_END: feed

    /// The next whole payload; `None` until more bytes have arrived.
    ///
    /// # Errors
    /// When the next prefix is negative or above the limit, as soon as its four
    /// bytes are there. The decoder stays at that prefix.
    pub fn next_frame(&mut self) -> Result<Option<Vec<u8>>, FrameError> {
        // task 3.1: give out the next whole payload, and no other bytes
        todo!("3.1: give out the next whole payload, and no other bytes")
        // end
    }

    /// The bytes that have arrived and not been given out; the next prefix is in front.
    #[must_use]
    pub fn arrived(&self) -> &[u8] {
        &self.buffer[self.start..]
    }

    /// Moves past the first `count` of the bytes that [`arrived`](FrameDecoder::arrived),
    /// and gives memory back that is no longer filled.
    fn forget(&mut self, count: usize) {
        self.start += count;
        let memory = self.buffer.capacity();
        if memory > BUFFER_KEPT && self.pending() < memory / 8 {
            self.buffer = self.arrived().to_vec();
            self.start = 0;
        }
    }

    /// How many bytes have arrived that belong to a frame not given out yet.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.buffer.len() - self.start
    }

    /// How much memory it holds, in bytes.
    #[must_use]
    pub fn memory(&self) -> usize {
        self.buffer.capacity()
    }
}

/// `payload` with its length in front.
///
/// # Panics
/// When the payload is longer than an `i32` can say (2 GiB).
#[must_use]
pub fn frame(payload: &[u8]) -> Vec<u8> {
    let length = i32::try_from(payload.len()).expect("a payload is below 2 GiB");
    let mut framed = Vec::with_capacity(PREFIX_SIZE + payload.len());
    framed.extend_from_slice(&length.to_be_bytes());
    framed.extend_from_slice(payload);
    framed
}
