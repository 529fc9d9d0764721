//! Producer ids: each is handed out once in the life of the data directory.
//!
//! # On disk
//! `producer-ids` in the data directory: the first id that was never set aside,
//! in decimal, and a newline. Ids are set aside in blocks of [`BLOCK`]: the file
//! is replaced before the first id of a block is handed out, so a crash loses at
//! most the rest of a block, and never hands an id out twice.

use std::path::Path;
use std::sync::Arc;

use log_storage::Disk;
use message_model::ProducerId;

use crate::error::Error;

/// Hands out producer ids.
#[derive(Debug)]
pub struct ProducerIds {}

impl ProducerIds {
    /// Continues where the data directory says; with 0 in a new one.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn open(disk: Arc<dyn Disk>, data_dir: &Path) -> Result<ProducerIds, Error> {
        let _ = (disk, data_dir);
        todo!()
    }

    /// An id that nobody ever had. Blocks for a sync once per block: call it on the blocking pool.
    ///
    /// # Errors
    /// When a block cannot be set aside.
    pub fn next(&self) -> Result<ProducerId, Error> {
        todo!()
    }
}
