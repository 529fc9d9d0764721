//! Reading a whole partition, for what the broker itself keeps in one.

use std::path::Path;

use message_model::Offset;
use record_batch::{BatchError, BatchHeader, Batches, validate};

use super::{Partition, Reader, Room};
use crate::error::{Error, io_error};

/// How much is read at a time, in bytes; a larger batch is read whole.
const PIECE: u32 = 256 * 1024;

impl Partition {
    /// Hands each batch from the log start to the end that the log has now to `take`, after a
    /// check of its CRC. The offset is the first that is wanted: records below it, which the
    /// first batch may have, are no longer part of the log.
    ///
    /// # Errors
    /// When the partition is offline, the log is damaged, the disk fails, or as `take` says.
    pub async fn read_all(
        &self,
        mut take: impl FnMut(Offset, &BatchHeader, &[u8]) -> Result<(), BatchError>,
    ) -> Result<(), Error> {
        let ends = self.ends()?;
        let mut from = ends.log_start;
        while from < ends.log_end {
            let room = Room {
                bytes: PIECE,
                at_least_one: true,
            };
            let fetched = self.fetch(Reader::Uncommitted, from, room).await?;
            let Some(range) = fetched.slice else {
                break;
            };
            let bytes = self.services.read(range).await.map_err(|error| {
                let name = self.name.to_string();
                io_error(Path::new(&name), error)
            })?;
            for batch in Batches::new(&bytes) {
                let (header, batch) = batch?;
                validate(batch, batch.len())?;
                take(from, &header, batch)?;
            }
            from = fetched.range.end;
            tokio::task::consume_budget().await;
        }
        Ok(())
    }
}
