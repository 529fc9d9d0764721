//! Checkpoints in files, or in objects.
//!
//! # Format
//! One file for each: magic `mqckpt` and version `u16` | CRC-32C `u32` of what follows | a
//! [`Checkpoint`], encoded by postcard. Integers are big-endian.
//!
//! # Invariants
//! - A file with its final name is whole: it was synced under another name, and renamed. An
//!   object store makes an object whole or not at all.
//! - The newest two are kept.

mod files;
#[cfg(feature = "object-store")]
mod objects;

use std::fmt;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::Error;
use crate::snapshot::Checkpoint;

const MAGIC: [u8; 8] = *b"mqckpt\x00\x01";
const HEADER: usize = MAGIC.len() + 4;
/// How many checkpoints are kept in a directory.
const KEPT: usize = 2;
const PREFIX: &str = "checkpoint-";

/// A place for pieces of bytes with names. All calls may wait for long.
trait Folder: fmt::Debug + Send + Sync {
    /// The names of all pieces, and perhaps of other things.
    fn names(&self) -> io::Result<Vec<String>>;

    fn read(&self, name: &str) -> io::Result<Vec<u8>>;

    /// Writes a piece, in place of the one that has the name. After a crash there is one of both, whole.
    fn replace(&self, name: &str, bytes: &[u8]) -> io::Result<()>;

    /// Writes a piece whose name is new.
    ///
    /// # Errors
    /// Among others [`ErrorKind::AlreadyExists`] when another job has written one of that name.
    fn create(&self, name: &str, bytes: &[u8]) -> io::Result<()>;

    fn remove(&self, name: &str) -> io::Result<()>;
}

/// A directory of checkpoints, or a prefix in an object store. What reads and writes it waits
/// for disk or network: call it where that is allowed, as in `tokio::task::spawn_blocking`.
///
/// No other job can open a directory until all copies of this are dropped; a job that was killed
/// may still be writing to it. With a prefix, of two jobs one fails at its first checkpoint.
#[derive(Debug, Clone)]
pub struct CheckpointDir {
    path: PathBuf,
    folder: Arc<dyn Folder>,
}

impl CheckpointDir {
    /// Opens a directory, which is created if it is not there; or, with the feature
    /// `object-store`, what an URL such as `s3://bucket/prefix` names. Keys and endpoint of a
    /// store are in environment variables: for S3 `AWS_ACCESS_KEY_ID` and its kin. A store
    /// needs its own feature of the crate `object_store`, of which `s3` is one here.
    ///
    /// # Errors
    /// When it cannot be opened; [`ErrorKind::WouldBlock`] when another job has it;
    /// [`ErrorKind::Unsupported`] for a URL without the feature.
    pub fn open(path: impl Into<PathBuf>) -> Result<CheckpointDir, Error> {
        let path = path.into();
        let url = path.to_str().filter(|text| text.contains("://"));
        let folder = match url {
            Some(url) => at_url(url),
            None => files::Files::open(&path).map(|files| Arc::new(files) as Arc<dyn Folder>),
        };
        match folder {
            Ok(folder) => Ok(CheckpointDir { path, folder }),
            Err(error) => Err(Error::Store(path, error)),
        }
    }

    /// The checkpoints in the objects of `store` with this prefix.
    ///
    /// # Errors
    /// When there is no tokio runtime: it sends the requests.
    #[cfg(feature = "object-store")]
    pub fn in_store(
        store: Arc<dyn object_store::ObjectStore>,
        prefix: &str,
    ) -> Result<CheckpointDir, Error> {
        let path = PathBuf::from(prefix);
        match objects::Objects::new(store, prefix.into()) {
            Ok(objects) => Ok(CheckpointDir {
                path,
                folder: Arc::new(objects),
            }),
            Err(error) => Err(Error::Store(path, error)),
        }
    }

    /// The newest checkpoint.
    ///
    /// # Errors
    /// When it cannot be looked for or read, or is damaged.
    pub fn newest(&self) -> Result<Option<Checkpoint>, Error> {
        let newest = self.ids()?.into_iter().max();
        newest.map(|id| self.read(id)).transpose()
    }

    /// The checkpoint from which `later` has come, if the job has always begun from the newest one:
    /// that which is the newest but for `later`; and the start of the job before its first. `None`:
    /// it is not kept.
    ///
    /// # Errors
    /// As of [`newest`](Self::newest).
    pub fn before(&self, later: &Checkpoint) -> Result<Option<Checkpoint>, Error> {
        if later.id == 1 {
            return Ok(Some(Checkpoint::start(later.key_groups)));
        }
        let older = self.ids()?.into_iter().filter(|id| *id < later.id).max();
        older.map(|id| self.read(id)).transpose()
    }

    fn read(&self, id: u64) -> Result<Checkpoint, Error> {
        let bytes = self.folder.read(&name(id));
        let bytes = bytes.map_err(|error| self.failed(&name(id), error))?;
        let checkpoint = Checkpoint::decode(&bytes);
        checkpoint.ok_or_else(|| Error::Damaged(self.path.join(name(id))))
    }

    /// Returns what [`note`](Self::note) has written under this name. `None`: nothing.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn noted(&self, name: &str) -> Result<Option<Vec<u8>>, Error> {
        match self.folder.read(name) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            read => read.map(Some).map_err(|error| self.failed(name, error)),
        }
    }

    /// Puts something beside the checkpoints, in place of what has the name. After a crash there is
    /// one of both, whole.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn note(&self, name: &str, bytes: &[u8]) -> Result<(), Error> {
        let noted = self.folder.replace(name, bytes);
        noted.map_err(|error| self.failed(name, error))
    }

    /// Stores a checkpoint; then deletes all but the newest.
    pub(crate) fn store(&self, checkpoint: &Checkpoint) -> Result<(), Error> {
        let new = name(checkpoint.id);
        let bytes = checkpoint.encode();
        let bytes = bytes.map_err(|_| Error::Damaged(self.path.join(&new)))?;
        let created = self.folder.create(&new, &bytes);
        created.map_err(|error| self.failed(&new, error))?;
        let mut ids = self.ids()?;
        ids.sort_unstable();
        for old in ids.iter().rev().skip(KEPT) {
            let removed = self.folder.remove(&name(*old));
            removed.map_err(|error| self.failed(&name(*old), error))?;
        }
        Ok(())
    }

    /// The numbers of the checkpoints that are there.
    pub(crate) fn ids(&self) -> Result<Vec<u64>, Error> {
        let names = self.folder.names();
        let names = names.map_err(|error| Error::Store(self.path.clone(), error))?;
        let ids = names.iter().filter_map(|name| name.strip_prefix(PREFIX));
        Ok(ids.filter_map(|id| id.parse().ok()).collect())
    }

    fn failed(&self, name: &str, error: io::Error) -> Error {
        Error::Store(self.path.join(name), error)
    }
}

/// Returns what `work` returns, which may wait for long: it is done on another thread.
pub(crate) async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|_| Err(Error::Panicked("the checkpoints".into())))
}

fn name(id: u64) -> String {
    format!("{PREFIX}{id}")
}

#[cfg(feature = "object-store")]
fn at_url(url: &str) -> io::Result<Arc<dyn Folder>> {
    let objects = objects::Objects::at_url(url)?;
    Ok(Arc::new(objects))
}

#[cfg(not(feature = "object-store"))]
fn at_url(_: &str) -> io::Result<Arc<dyn Folder>> {
    Err(io::Error::new(
        ErrorKind::Unsupported,
        "this program is built without object stores: build it with the feature `object-store`, or name a directory",
    ))
}

impl Checkpoint {
    /// Reads a checkpoint, or a savepoint.
    ///
    /// # Errors
    /// When the file cannot be read, or is not a whole checkpoint.
    pub fn read(file: &Path) -> Result<Checkpoint, Error> {
        let bytes = std::fs::read(file).map_err(|error| Error::Store(file.to_owned(), error))?;
        Checkpoint::decode(&bytes).ok_or_else(|| Error::Damaged(file.to_owned()))
    }

    /// Writes it to a file, as a savepoint: nothing deletes it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, file: &Path) -> Result<(), Error> {
        let bytes = self.encode();
        let bytes = bytes.map_err(|_| Error::Damaged(file.to_owned()))?;
        files::replace(file, &bytes).map_err(|error| Error::Store(file.to_owned(), error))
    }

    fn encode(&self) -> Result<Vec<u8>, postcard::Error> {
        let mut bytes = vec![0; HEADER];
        bytes = postcard::to_extend(self, bytes)?;
        let crc = crc32c::crc32c(&bytes[HEADER..]).to_be_bytes();
        bytes[..HEADER].copy_from_slice(&[&MAGIC[..], &crc[..]].concat());
        Ok(bytes)
    }

    fn decode(bytes: &[u8]) -> Option<Checkpoint> {
        let (header, body) = bytes.split_at_checked(HEADER)?;
        let crc = crc32c::crc32c(body).to_be_bytes();
        let whole = header == [&MAGIC[..], &crc[..]].concat();
        whole.then(|| postcard::from_bytes(body).ok()).flatten()
    }
}
