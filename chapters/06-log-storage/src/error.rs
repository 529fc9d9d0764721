//! What can go wrong with a log.

use std::io;
use std::path::{Path, PathBuf};

use message_model::{Offset, OffsetRange};

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
    /// A batch below the recovery point is not what was written. Nothing was cut.
    #[error("the log is damaged at byte {position} of {path}, offset {offset}")]
    Damaged {
        /// The segment.
        path: PathBuf,
        /// Where in it, in bytes.
        position: u64,
        /// The first offset that cannot be read.
        offset: Offset,
    },
    /// An earlier write or sync failed: what is on disk is uncertain until the log is opened again.
    #[error(
        "the log is offline since a write or sync failed; restart the broker when the disk is well"
    )]
    Offline,
    /// The operating system reported a failure.
    #[error("{path}: {source}")]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
}

/// Says which file a failure is about.
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
