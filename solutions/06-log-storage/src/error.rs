//! What can go wrong when a log is written or opened.

use std::io;
use std::path::{Path, PathBuf};

use message_model::Offset;

/// Why a log could not be written or opened.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// A batch below the recovery point is missing or not what was written. Nothing was cut.
    #[error("the log is damaged at byte {position} of {path}, offset {offset}")]
    Damaged {
        /// The segment.
        path: PathBuf,
        /// Where in it, in bytes.
        position: u64,
        /// The first offset that cannot be read.
        offset: Offset,
    },
    /// An earlier write failed and could not be undone.
    #[error("the log is offline since a write failed")]
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

/// Adds the path to a failure.
pub(crate) trait At<T> {
    /// The same result, with the path in its error.
    fn at(self, path: &Path) -> Result<T, WriteError>;
}

impl<T> At<T> for io::Result<T> {
    fn at(self, path: &Path) -> Result<T, WriteError> {
        self.map_err(|source| WriteError::Io {
            path: path.to_owned(),
            source,
        })
    }
}
