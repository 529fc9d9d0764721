//! What can go wrong with a log.

use std::io;
use std::path::{Path, PathBuf};

use message_model::{Offset, OffsetRange};

use crate::part::WriteError;

/// Why a log could not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The offset is below the log's start or above its end.
    #[error("offset {asked} is outside of {log}, what the log holds")]
    OutOfRange {
        /// The offset that was asked for.
        asked: Offset,
        /// Log start and log end.
        log: OffsetRange,
    },
    /// A batch below the recovery point, or an index of aborted transactions, is not what was
    /// written. Nothing was cut.
    #[error("the log is damaged at byte {position} of {path}, offset {offset}")]
    Damaged {
        /// The segment, or the index.
        path: PathBuf,
        /// Where in it, in bytes.
        position: u64,
        /// The first offset that cannot be read, or of which it is not known whether it is committed.
        offset: Offset,
    },
    /// An earlier write failed: what is on disk is uncertain until the log is opened again.
    #[error("the log is offline since a write failed; restart the broker when the disk is well")]
    Offline,
    /// The operating system reported a failure.
    #[error("{path}: {source}")]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What it reported.
        source: io::Error,
    },
}

impl Error {
    /// Whether a view that reads from memory alone would have had to wait for the
    /// disk; see [`LogView::cached`](crate::LogView::cached).
    #[must_use]
    pub fn would_wait(&self) -> bool {
        matches!(self, Error::Io { source, .. } if source.kind() == io::ErrorKind::WouldBlock)
    }
}

impl From<WriteError> for Error {
    fn from(error: WriteError) -> Error {
        match error {
            WriteError::Damaged {
                path,
                position,
                offset,
            } => Error::Damaged {
                path,
                position,
                offset,
            },
            WriteError::Offline => Error::Offline,
            WriteError::Io { path, source } => Error::Io { path, source },
        }
    }
}

/// Adds the path to a failure.
pub(crate) trait At<T> {
    /// The same result, with the path in its error.
    fn at(self, path: &Path) -> Result<T, Error>;
}

impl<T> At<T> for io::Result<T> {
    fn at(self, path: &Path) -> Result<T, Error> {
        self.map_err(|source| Error::Io {
            path: path.to_owned(),
            source,
        })
    }
}
