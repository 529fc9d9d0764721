//! Segments that have left a log.

use std::io;
use std::sync::Arc;

use crate::error::{At, Error};
use crate::log_dir::LogDir;
use crate::sealed::Sealed;

/// Segments that are below the log start, and whose files are still there.
/// Readers that are in them can finish.
#[must_use = "the files stay until they are removed"]
#[derive(Debug)]
pub struct Removed {
    pub(crate) dir: Arc<LogDir>,
    pub(crate) segments: Vec<Arc<Sealed>>,
}

impl Removed {
    /// How many segments there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.segments.len()
    }

    /// Removes the files. No directory is synced: files that a crash brings back
    /// are below the saved log start, and are removed when the log is opened.
    ///
    /// # Errors
    /// As the disk says; the rest is tried anyway.
    // ANCHOR: remove
    pub fn remove(self) -> Result<(), Error> {
        let mut result = Ok(());
        for segment in &self.segments {
            self.dir.cache.remove(self.dir.key(segment));
            for path in segment.paths(&self.dir) {
                match self.dir.disk.remove(&path) {
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    other => result = result.and(other.at(&path)),
                }
            }
        }
        result
    }
    // ANCHOR_END: remove
}
