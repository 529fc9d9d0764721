//! Record batches inside a message: carried, never opened.

use networking::Chunk;

use crate::codec::{Decoder, Encoder, Form, Wire, length_size_min};
use crate::part::Malformed;

/// The `records` field of produce and fetch.
///
/// Decoded, it is at most one chunk of bytes; to be encoded, it may be ranges of files,
/// which then go out without passing through memory of ours.
#[derive(Debug, Clone, Default)]
pub struct Records {
    /// Whole batches, one after the other.
    pub chunks: Vec<Chunk>,
}

impl Records {
    /// Batches that are in memory.
    #[must_use]
    pub fn from_bytes(bytes: Vec<u8>) -> Records {
        if bytes.is_empty() {
            return Records::default();
        }
        Records {
            chunks: vec![Chunk::Bytes(bytes.into())],
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

    /// The batches of a decoded message, as one run of bytes.
    ///
    /// Ranges of files are left out: a decoded message has none.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        let mut all = Vec::new();
        for chunk in self.chunks {
            match chunk {
                Chunk::Bytes(bytes) if all.is_empty() => all = bytes.into(),
                Chunk::Bytes(bytes) => all.extend_from_slice(&bytes),
                Chunk::File(_) => {}
            }
        }
        all
    }
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
        Ok(Records::from_bytes(
            input.bytes()?.unwrap_or_default().to_vec(),
        ))
    }
}
