//! Record batches inside a message: carried, never opened.

use bytes::{Bytes, BytesMut};
use networking::Chunk;

use crate::codec::{Decoder, Encoder, Form, Wire};
use crate::part::Malformed;
use crate::values::{block_size, length_size_min};

/// The `records` field of produce and fetch.
///
/// Decoded, it is at most one chunk: a slice of the frame. To be encoded, it may be
/// ranges of files too, which go out without passing through memory of ours.
#[derive(Debug, Clone, Default)]
pub struct Records {
    /// Whole batches, one after the other.
    pub chunks: Vec<Chunk>,
}

impl Records {
    /// Batches that are in memory.
    #[must_use]
    pub fn from_bytes(bytes: impl Into<Bytes>) -> Records {
        let bytes = bytes.into();
        if bytes.is_empty() {
            return Records::default();
        }
        Records {
            chunks: vec![Chunk::Bytes(bytes)],
        }
    }

    /// How many bytes the batches have together.
    #[must_use]
    pub fn len(&self) -> usize {
        self.chunks.iter().map(Chunk::len).sum()
    }

    /// Whether there is no batch.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The batches of a decoded message: the slice of its frame, not a copy.
    ///
    /// # Panics
    /// When there is more than one chunk, or a range of a file: a decoded message has neither.
    #[must_use]
    pub fn into_bytes(mut self) -> Bytes {
        match (self.chunks.pop(), self.chunks.is_empty()) {
            (None, _) => Bytes::new(),
            (Some(Chunk::Bytes(bytes)), true) => bytes,
            _ => panic!("the records of a decoded message are one run of bytes"),
        }
    }

    // ANCHOR: into_mut
    /// The batches of a decoded message, to be changed in place: the frame's own
    /// memory when nothing else holds a part of the frame, else one copy.
    ///
    /// # Panics
    /// As [`Records::into_bytes`].
    #[must_use]
    pub fn into_mut(self) -> BytesMut {
        self.into_bytes()
            .try_into_mut()
            .unwrap_or_else(|shared| BytesMut::from(&shared[..]))
    }
    // ANCHOR_END: into_mut
}

impl Wire for Records {
    fn size_min(form: Form) -> usize {
        length_size_min(form)
    }

    /// Never null: librdkafka takes a fetch response with null records for a broken one.
    fn encode(&self, out: &mut Encoder) {
        out.put_length(Some(self.len()));
        out.put_chunks(&self.chunks);
    }

    /// Null is read as empty.
    fn decode(input: &mut Decoder<'_>) -> Result<Self, Malformed> {
        Ok(Records::from_bytes(input.bytes()?.unwrap_or_default()))
    }

    fn measure(input: &mut Decoder<'_>) -> Result<usize, Malformed> {
        let bytes = input.bytes()?.unwrap_or_default();
        let chunks = usize::from(!bytes.is_empty());
        Ok(block_size(chunks * size_of::<Chunk>()))
    }
}
