//! Directories and files.

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;

use crate::file::File;

/// The room on a volume, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Space {
    /// All of it.
    pub total: u64,
    /// What can still be written.
    pub usable: u64,
}

/// Directories and files.
pub trait Disk: fmt::Debug + Send + Sync {
    /// Opens an existing file for reading and writing.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`] when there is none; else as the operating system says.
    fn open(&self, path: &Path) -> io::Result<Arc<dyn File>>;

    /// Creates an empty file, in place of one that exists.
    ///
    /// # Errors
    /// As the operating system says. A file of that name may be left then.
    fn create(&self, path: &Path) -> io::Result<Arc<dyn File>>;

    /// Removes a file.
    ///
    /// # Errors
    /// As the operating system says.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Gives a file another name, in place of one that has it.
    ///
    /// # Errors
    /// As the operating system says.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Creates a directory and those above it; one that exists is fine.
    ///
    /// # Errors
    /// As the operating system says.
    fn create_dir_all(&self, path: &Path) -> io::Result<()>;

    /// Removes a directory with the files in it (it has no directories in it).
    ///
    /// # Errors
    /// As the operating system says.
    fn remove_dir_all(&self, path: &Path) -> io::Result<()>;

    /// The names in a directory, sorted.
    ///
    /// # Errors
    /// As the operating system says.
    fn list(&self, path: &Path) -> io::Result<Vec<String>>;

    /// Makes creations, renames and removals in a directory safe against power loss.
    ///
    /// # Errors
    /// As the operating system says.
    fn sync_dir(&self, path: &Path) -> io::Result<()>;

    /// The room on the volume that a directory is on; `None` if the disk cannot say.
    ///
    /// # Errors
    /// As the operating system says.
    fn space(&self, _path: &Path) -> io::Result<Option<Space>> {
        Ok(None)
    }
}
