//! A segment as its readers see it.

use std::io;
use std::os::fd::BorrowedFd;
use std::path::Path;
use std::sync::Arc;

use disk::ReadAt;
use message_model::Offset;

/// A segment as its readers see it: what was appended later is not in it.
#[derive(Debug, Clone)]
pub(crate) struct SegmentView {
    pub(crate) path: Arc<Path>,
    pub(crate) base_offset: Offset,
    pub(crate) size: u32,
    /// The file, for ranges that are sent as they are.
    pub(crate) file: Arc<dyn ReadAt>,
    /// The same file as batches and headers are read from it.
    pub(crate) reads: Arc<dyn ReadAt>,
}

impl SegmentView {
    /// The same, but a read that would wait fails.
    pub(crate) fn cached(mut self) -> SegmentView {
        self.reads = Arc::new(CachedReads(self.reads));
        self
    }
}

/// A file of which only what is in memory can be read; all else fails with
/// [`io::ErrorKind::WouldBlock`].
#[derive(Debug)]
struct CachedReads(Arc<dyn ReadAt>);

impl ReadAt for CachedReads {
    fn read_at(&self, buffer: &mut [u8], position: u64) -> io::Result<usize> {
        let read = self.0.read_cached_at(buffer, position)?;
        read.ok_or_else(would_wait)
    }

    fn read_cached_at(&self, buffer: &mut [u8], position: u64) -> io::Result<Option<usize>> {
        self.0.read_cached_at(buffer, position)
    }

    fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        self.0.descriptor()
    }
}

/// The failure of a read that would wait.
pub(crate) fn would_wait() -> io::Error {
    io::ErrorKind::WouldBlock.into()
}
