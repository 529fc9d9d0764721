//! An open file.

use std::fmt;
use std::io;
use std::os::fd::BorrowedFd;
use std::sync::Arc;

/// Something that can be read at any position, such as a segment of a log.
pub trait ReadAt: fmt::Debug + Send + Sync {
    /// The number of bytes that were read at `position` into `buffer`; 0 only at the end.
    ///
    /// # Errors
    /// As the operating system says.
    fn read_at(&self, buffer: &mut [u8], position: u64) -> io::Result<usize>;

    /// As [`read_at`](ReadAt::read_at), but only from memory: fewer bytes than
    /// wanted if the rest is on disk alone, and `None` if a read would have to
    /// wait, or if the file system cannot say.
    ///
    /// # Errors
    /// As the operating system says.
    fn read_cached_at(&self, buffer: &mut [u8], position: u64) -> io::Result<Option<usize>>;

    /// The file's descriptor, for `sendfile(2)`; `None` if there is no real file.
    fn descriptor(&self) -> Option<BorrowedFd<'_>>;
}

/// An open file. Its holders can read and write at any position.
pub trait File: ReadAt {
    /// Writes all of `bytes` at `position`. On failure any part of them may be written.
    ///
    /// # Errors
    /// As the operating system says; a full disk is [`io::ErrorKind::StorageFull`].
    fn write_all_at(&self, bytes: &[u8], position: u64) -> io::Result<()>;

    /// Cuts the file off, or extends it with zeros.
    ///
    /// # Errors
    /// As the operating system says.
    fn set_len(&self, length: u64) -> io::Result<()>;

    /// The file's length, in bytes.
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
