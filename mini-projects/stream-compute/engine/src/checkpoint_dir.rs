//! Checkpoints in files.
//!
//! # On disk
//! One file for each: magic `mqckpt` and version `u16` | CRC-32C `u32` of what follows | a
//! [`Checkpoint`], encoded by postcard. Integers are big-endian.
//!
//! # Invariants
//! - A file with its final name is whole: it was synced under another name, and renamed.
//! - The newest two are kept.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::Error;
use crate::snapshot::Checkpoint;

const MAGIC: [u8; 8] = *b"mqckpt\x00\x01";
const HEADER: usize = MAGIC.len() + 4;
/// How many checkpoints are kept in a directory.
const KEPT: usize = 2;
const PREFIX: &str = "checkpoint-";

/// Its lock is held by the one job that uses the directory.
const LOCK: &str = "lock";

/// A directory of checkpoints, which no other job can open until all copies are dropped. A
/// job that was killed may still be writing to it: a process that is gone holds no lock.
#[derive(Debug, Clone)]
pub struct CheckpointDir {
    path: PathBuf,
    _lock: Arc<File>,
}

impl CheckpointDir {
    /// Opens a directory, which is created if it is not there.
    ///
    /// # Errors
    /// When it cannot be created; [`io::ErrorKind::WouldBlock`] when another job has it.
    pub fn open(path: impl Into<PathBuf>) -> Result<CheckpointDir, Error> {
        let path = path.into();
        match lock(&path) {
            Ok(lock) => Ok(CheckpointDir {
                path,
                _lock: Arc::new(lock),
            }),
            Err(error) => Err(Error::Store(path, error)),
        }
    }

    /// The newest checkpoint.
    ///
    /// # Errors
    /// When the directory or the file cannot be read, or the file is damaged.
    pub fn newest(&self) -> Result<Option<Checkpoint>, Error> {
        let newest = self.ids()?.into_iter().max();
        newest
            .map(|id| Checkpoint::read(&self.file(id)))
            .transpose()
    }

    /// Stores a checkpoint; then deletes all but the newest.
    pub(crate) fn store(&self, checkpoint: &Checkpoint) -> Result<(), Error> {
        checkpoint.write(&self.file(checkpoint.id))?;
        let mut ids = self.ids()?;
        ids.sort_unstable();
        for old in ids.iter().rev().skip(KEPT) {
            let file = self.file(*old);
            fs::remove_file(&file).map_err(|error| Error::Store(file, error))?;
        }
        Ok(())
    }

    /// The numbers of the checkpoints in the directory.
    pub(crate) fn ids(&self) -> Result<Vec<u64>, Error> {
        let failed = |error| Error::Store(self.path.clone(), error);
        let mut ids = Vec::new();
        for entry in fs::read_dir(&self.path).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name();
            let id = name.to_str().and_then(|name| name.strip_prefix(PREFIX));
            ids.extend(id.and_then(|id| id.parse::<u64>().ok()));
        }
        Ok(ids)
    }

    fn file(&self, id: u64) -> PathBuf {
        self.path.join(format!("{PREFIX}{id}"))
    }
}

impl Checkpoint {
    /// Reads a checkpoint, or a savepoint.
    ///
    /// # Errors
    /// When the file cannot be read, or is not a whole checkpoint.
    pub fn read(file: &Path) -> Result<Checkpoint, Error> {
        let bytes = fs::read(file).map_err(|error| Error::Store(file.to_owned(), error))?;
        let checkpoint = bytes.split_at_checked(HEADER).and_then(|(header, body)| {
            let crc = crc32c::crc32c(body).to_be_bytes();
            let whole = header == [&MAGIC[..], &crc[..]].concat();
            whole.then(|| postcard::from_bytes(body).ok()).flatten()
        });
        checkpoint.ok_or_else(|| Error::Damaged(file.to_owned()))
    }

    /// Writes it to a file, as a savepoint: nothing deletes it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, file: &Path) -> Result<(), Error> {
        let body = postcard::to_stdvec(self);
        let body = body.map_err(|_| Error::Damaged(file.to_owned()))?;
        replace(file, &body).map_err(|error| Error::Store(file.to_owned(), error))
    }
}

fn lock(path: &Path) -> io::Result<File> {
    fs::create_dir_all(path)?;
    let lock = File::create(path.join(LOCK))?;
    lock.try_lock().map_err(|error| match error {
        TryLockError::WouldBlock => {
            io::Error::new(io::ErrorKind::WouldBlock, "another job has this directory")
        }
        TryLockError::Error(error) => error,
    })?;
    Ok(lock)
}

fn replace(file: &Path, body: &[u8]) -> io::Result<()> {
    let aside = file.with_extension("tmp");
    let mut written = File::create(&aside)?;
    written.write_all(&MAGIC)?;
    written.write_all(&crc32c::crc32c(body).to_be_bytes())?;
    written.write_all(body)?;
    written.sync_all()?;
    fs::rename(&aside, file)?;
    match file.parent().filter(|parent| *parent != Path::new("")) {
        Some(parent) => File::open(parent)?.sync_all(),
        None => File::open(".")?.sync_all(),
    }
}
