//! How large a partition is.

use super::Partition;
use crate::error::Error;

impl Partition {
    /// The bytes of its segments.
    ///
    /// # Errors
    /// When the partition is offline.
    pub fn size(&self) -> Result<u64, Error> {
        self.online(|online| online.view().size())
    }
}
