//! Producer ids: each is handed out once in the life of the data directory.
//!
//! # On disk
//! `producer-ids` in the data directory: the first id that was never set aside,
//! in decimal, and a newline. Ids are set aside in blocks of 1,000: the file is
//! replaced before the first id of a block is handed out, so a crash loses at
//! most the rest of a block, and never hands an id out twice.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use disk::Disk;
use message_model::ProducerId;

use crate::error::Error;
use crate::replace_file::{io_error, read_file, replace_file};

const FILE: &str = "producer-ids";
const BLOCK: i64 = 1_000;

/// Hands out producer ids.
#[derive(Debug)]
pub struct ProducerIds {
    disk: Arc<dyn Disk>,
    data_dir: PathBuf,
    block: Mutex<Block>,
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
    pub fn open(disk: Arc<dyn Disk>, data_dir: &Path) -> Result<ProducerIds, Error> {
        let path = data_dir.join(FILE);
        let next = match read_file(&*disk, &path)? {
            None => 0,
            Some(bytes) => {
                parse(&bytes).ok_or_else(|| io_error(&path, io::ErrorKind::InvalidData.into()))?
            }
        };
        Ok(ProducerIds {
            disk,
            data_dir: data_dir.to_owned(),
            block: Mutex::new(Block { next, end: next }),
        })
    }

    /// An id that nobody ever had. Blocks for a sync once per block: call it on the blocking pool.
    ///
    /// # Errors
    /// When a block cannot be set aside.
    pub fn next(&self) -> Result<ProducerId, Error> {
        let mut block = self.block.lock().expect("nobody panics under this lock");
        if block.next == block.end {
            let end = block.end.saturating_add(BLOCK);
            let text = format!("{end}\n");
            replace_file(&*self.disk, &self.data_dir, FILE, text.as_bytes())?;
            block.end = end;
        }
        let id = ProducerId(block.next);
        block.next += 1;
        Ok(id)
    }
}

fn parse(bytes: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(bytes).ok()?;
    text.trim_end().parse().ok().filter(|next| *next >= 0)
}
