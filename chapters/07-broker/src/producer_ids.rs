//! Producer ids: each is handed out once in the life of the data directory.
//!
//! # On disk
//! `producer-ids` in the data directory: the first id that was never set aside,
//! in decimal, and a newline. Ids are set aside in blocks of 1,000: the file is
//! replaced before the first id of a block is handed out, so a crash loses at
//! most the rest of a block, and never hands an id out twice.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use message_model::ProducerId;
use tokio::sync::Mutex as AsyncMutex;

use crate::error::{Error, io_error};
use crate::read_file::read_file;
use crate::services::{Services, once};

const FILE: &str = "producer-ids";
const BLOCK: i64 = 1_000;

/// Hands out producer ids.
#[derive(Debug)]
pub struct ProducerIds {
    services: Arc<Services>,
    path: PathBuf,
    block: Arc<AsyncMutex<Block>>,
}

/// Ids that are set aside and not handed out.
#[derive(Debug)]
struct Block {
    next: i64,
    end: i64,
}

impl ProducerIds {
    /// Continues where the data directory says; with 0 in a new one.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn open(services: &Arc<Services>, data_dir: &Path) -> Result<ProducerIds, Error> {
        let path = data_dir.join(FILE);
        let next = match read_file(&*services.disk, &path)? {
            None => 0,
            Some(bytes) => {
                parse(&bytes).ok_or_else(|| io_error(&path, io::ErrorKind::InvalidData.into()))?
            }
        };
        Ok(ProducerIds {
            services: Arc::clone(services),
            path,
            block: Arc::new(AsyncMutex::new(Block { next, end: next })),
        })
    }

    /// An id that was never handed out before. Once per block it waits for a sync.
    ///
    /// # Errors
    /// When a block cannot be set aside.
    pub async fn next(&self) -> Result<ProducerId, Error> {
        let mut block = Arc::clone(&self.block).lock_owned().await;
        if block.next < block.end {
            return Ok(block.take());
        }
        let (disk, path) = (Arc::clone(&self.services.disk), self.path.clone());
        let lane = &self.services.lanes.administration;
        once(lane, FILE.to_owned(), move || {
            let end = block.end.saturating_add(BLOCK);
            let replaced = disk::replace(&*disk, &path, format!("{end}\n").as_bytes());
            replaced.map_err(|source| io_error(&path, source))?;
            block.end = end;
            Ok(block.take())
        })
        .await
    }
}

impl Block {
    fn take(&mut self) -> ProducerId {
        let id = ProducerId(self.next);
        self.next += 1;
        id
    }
}

fn parse(bytes: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(bytes).ok()?;
    text.trim_end().parse().ok().filter(|next| *next >= 0)
}
