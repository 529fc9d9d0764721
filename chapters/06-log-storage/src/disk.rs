//! What a log needs of a disk.
//!
//! Two disks implement it: the real one, and the simulated one of the tests,
//! which can lose whatever was not synced. The rules are those of POSIX:
//! bytes are safe after [`File::sync_data`]; that a file was created, renamed
//! or removed is safe after [`Disk::sync_dir`] of its directory.

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;

use networking::ReadAt;

/// An open file. Everyone who has it can read and write at any position.
pub trait File: ReadAt {
    /// Writes all of `bytes` at `position`. On failure any part of it may be written.
    ///
    /// # Errors
    /// As the operating system says; a full disk is [`io::ErrorKind::StorageFull`].
    fn write_all_at(&self, bytes: &[u8], position: u64) -> io::Result<()>;

    /// Cuts the file off, or extends it with zeros.
    ///
    /// # Errors
    /// As the operating system says.
    fn set_len(&self, length: u64) -> io::Result<()>;

    /// How long the file is, in bytes.
    ///
    /// # Errors
    /// As the operating system says.
    fn length(&self) -> io::Result<u64>;

    /// Makes everything written so far, and the length, safe against power loss:
    /// `fdatasync(2)`.
    ///
    /// # Errors
    /// As the operating system says. What was not safe before is then lost for
    /// good, even if a later sync succeeds.
    fn sync_data(&self) -> io::Result<()>;

    /// The same file as something that can only be read.
    fn reader(self: Arc<Self>) -> Arc<dyn ReadAt>;
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
    /// As the operating system says.
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
}
