//! Cutting a stream of bytes into frames.
//!
//! # On the wire
//! length `i32`, big-endian, not counting itself | payload of that many bytes

use bytes::{BufMut, Bytes};

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

/// Payloads that are given out together share memory up to this size, in bytes.
const SHARED_MAX: usize = 32 * 1024;

/// The least and the most room that is made for a frame that has begun, in bytes.
const ROOM_MIN: usize = 4 * 1024;
const ROOM_MAX: usize = 256 * 1024;

/// Collects bytes as they arrive and gives out whole payloads.
///
/// # Invariants
/// - The frames that come out do not depend on how the stream was cut into pieces.
/// - It holds what has arrived and not been given out. For bytes that were only
///   announced it reserves at most as much again.
/// - A payload of `next_frame` keeps no more memory than twice its length, or 4 KiB. Those of one
///   `next_frames` may share up to 32 KiB, with what had arrived behind them.
#[derive(Debug)]
pub struct FrameDecoder {
    /// What has arrived; everything before `start` has been given out.
    buffer: Vec<u8>,
    start: usize,
    limit: usize,
    /// While payloads are given out that share memory: the memory, and where in the buffer it
    /// begins.
    shared: Option<(Bytes, usize)>,
}

impl FrameDecoder {
    /// A decoder for payloads of at most `limit` bytes.
    #[must_use]
    pub fn new(limit: usize) -> FrameDecoder {
        FrameDecoder {
            buffer: Vec::new(),
            start: 0,
            limit,
            shared: None,
        }
    }

    /// Takes in the next bytes of the stream, however few.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.drop_front();
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole payload; `None` until more bytes have arrived.
    ///
    /// # Errors
    /// When the next prefix is negative or above the limit, as soon as its four
    /// bytes are there. The decoder stays at that prefix.
    pub fn next_frame(&mut self) -> Result<Option<Bytes>, FrameError> {
        // task 3.1: give out the next whole payload, and no other bytes
        todo!("3.1: give out the next whole payload, and no other bytes")
        // end
    }

    /// All whole payloads. If they have at most 32 KiB together they share one piece of memory,
    /// which costs less than one for each, and is kept as long as one of them is. So they are
    /// for work that is done at once.
    ///
    /// # Errors
    /// As [`next_frame`](FrameDecoder::next_frame). The payloads in front are lost: the
    /// connection must be closed.
    pub fn next_frames(&mut self) -> Result<Vec<Bytes>, FrameError> {
        if self.missing() == 0 && self.pending() <= SHARED_MAX {
            let memory = Bytes::copy_from_slice(self.arrived());
            self.shared = Some((memory, self.start));
        }
        let payloads = std::iter::from_fn(|| self.next_frame().transpose()).collect();
        self.shared = None;
        self.give_back();
        payloads
    }

    /// The bytes that have arrived and not been given out; the next prefix is in front.
    #[must_use]
    pub fn arrived(&self) -> &[u8] {
        &self.buffer[self.start..]
    }

    /// Moves past the first `count` of the bytes that [`arrived`](FrameDecoder::arrived).
    fn forget(&mut self, count: usize) {
        self.start += count;
    }

    /// Gives out the first `count` of the bytes that [`arrived`](FrameDecoder::arrived).
    fn take(&mut self, count: usize) -> Bytes {
        let Some((memory, from)) = &self.shared else {
            return self.take_alone(count);
        };
        let payload = self.start - from..self.start - from + count;
        self.start += count;
        memory.slice(payload)
    }

    /// Gives out a payload with memory of its own, and gives memory back that is no longer
    /// filled.
    ///
    /// A payload that fills most of the buffer takes the buffer along, uncopied.
    /// A smaller one is copied, so that it does not keep the whole buffer alive.
    // ANCHOR: take
    fn take_alone(&mut self, count: usize) -> Bytes {
        let payload = self.start..self.start + count;
        self.start = payload.end;
        let memory = self.buffer.capacity();
        if count >= memory / 2 {
            let rest = self.arrived().to_vec();
            let buffer = std::mem::replace(&mut self.buffer, rest);
            self.start = 0;
            return Bytes::from(buffer).slice(payload);
        }
        let payload = Bytes::copy_from_slice(&self.buffer[payload]);
        self.give_back();
        payload
    }
    // ANCHOR_END: take

    /// Gives memory back that is no longer filled.
    fn give_back(&mut self) {
        let memory = self.buffer.capacity();
        if memory > BUFFER_KEPT && self.pending() < memory / 8 {
            self.buffer = self.arrived().to_vec();
            self.start = 0;
        }
    }

    /// How many bytes the frame in front lacks, if its prefix has arrived and is
    /// allowed; else 0.
    #[must_use]
    pub fn missing(&self) -> usize {
        let prefix = self.arrived().first_chunk::<PREFIX_SIZE>();
        let announced = prefix.and_then(|prefix| u32::try_from(i32::from_be_bytes(*prefix)).ok());
        match announced.map(|announced| announced as usize) {
            Some(length) if length <= self.limit => {
                (PREFIX_SIZE + length).saturating_sub(self.pending())
            }
            _ => 0,
        }
    }

    /// Room for the next bytes of the frame in front, to be read into directly:
    /// what it lacks, but at most about as much as has arrived.
    ///
    /// Room that stays unused is given back with the next bytes.
    pub fn room(&mut self) -> impl BufMut {
        self.drop_front();
        let missing = self.missing();
        if self.buffer.capacity() - self.buffer.len() < ROOM_MIN {
            let grown = missing.min(self.pending().max(ROOM_MIN));
            self.buffer.reserve_exact(grown);
        }
        let room = self.buffer.capacity() - self.buffer.len();
        (&mut self.buffer).limit(room.min(missing).min(ROOM_MAX))
    }

    /// Moves what has arrived to the start of the buffer, once the bytes that were
    /// given out are the larger part: then all moves together cost less than
    /// the bytes given out.
    // ANCHOR: drop_front
    fn drop_front(&mut self) {
        if self.start >= self.pending() {
            self.buffer.drain(..self.start);
            self.start = 0;
        }
    }
    // ANCHOR_END: drop_front

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
