//! Walking along batches that lie one behind the other.

use crate::part::{BatchError, BatchHeader};

/// The batches in a run of bytes: of a produce request, a fetch response, a segment.
///
/// Yields each batch with its header. After an error it yields nothing more:
/// where the next batch would begin is unknown. A batch that is cut off at the
/// end is an error too ([`BatchError::Truncated`]); a fetch may return one.
#[derive(Debug, Clone)]
pub struct Batches<'a> {
    rest: &'a [u8],
}

impl<'a> Batches<'a> {
    /// Walks along `bytes`.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Batches<'a> {
        Batches { rest: bytes }
    }

    fn split_first(&self) -> Result<(BatchHeader, &'a [u8], &'a [u8]), BatchError> {
        let header = BatchHeader::read(self.rest)?;
        let size = header.size();
        let (batch, rest) = self
            .rest
            .split_at_checked(size)
            .ok_or(BatchError::Truncated {
                needed: size,
                arrived: self.rest.len(),
            })?;
        Ok((header, batch, rest))
    }
}

// ANCHOR: walk
impl<'a> Iterator for Batches<'a> {
    type Item = Result<(BatchHeader, &'a [u8]), BatchError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        match self.split_first() {
            Ok((header, batch, rest)) => {
                self.rest = rest;
                Some(Ok((header, batch)))
            }
            Err(error) => {
                self.rest = &[];
                Some(Err(error))
            }
        }
    }
}
// ANCHOR_END: walk
