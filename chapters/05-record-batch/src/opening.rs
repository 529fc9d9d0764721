//! How a compressed batch is opened by whoever has codecs: chapter 12, or nobody.

use crate::part::BatchHeader;

/// The codecs, and how large a batch may become.
///
/// The chapters below 12 have none of their own: they open a batch with what they are given.
#[derive(Debug, Clone, Copy)]
pub struct Opening {
    /// Opens a batch.
    pub open: OpenBatch,
    /// The most bytes that the records of one batch may have when they are open.
    pub size_max: usize,
}

/// Returns the batch with its records as they were before the producer compressed
/// them: its attributes name no codec, and its length and its CRC are those of the open
/// batch. The limit is that of the records, in bytes.
pub type OpenBatch = fn(&BatchHeader, &[u8], usize) -> Result<Vec<u8>, OpenError>;

/// Why a batch cannot be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Its records are larger than the limit. What came before was thrown away.
    #[error("the records take more than {limit} bytes when they are decompressed")]
    TooLarge {
        /// The limit, in bytes.
        limit: usize,
    },
    /// The bytes are not what the codec writes.
    #[error("the records are not what the batch's codec writes")]
    Malformed,
}

impl Opening {
    /// The batch, open; see [`OpenBatch`].
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(&self, header: &BatchHeader, batch: &[u8]) -> Result<Vec<u8>, OpenError> {
        (self.open)(header, batch, self.size_max)
    }
}
