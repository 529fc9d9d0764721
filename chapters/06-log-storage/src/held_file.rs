//! The file of a sealed segment as the ranges of it hold it.

use std::io;
use std::os::fd::BorrowedFd;
use std::sync::{Arc, Weak};

use disk::ReadAt;

use crate::error::Error;
use crate::log_dir::LogDir;
use crate::sealed::Sealed;
use crate::segment_cache::OpenSlot;
use crate::segment_view::SegmentView;

/// A segment whose ranges hold a descriptor if there is one to spare, and only its name if not.
///
/// A peer may ask for many old segments and take no answer. Its answers would hold a descriptor
/// each, until others have none.
pub(crate) fn for_ranges(
    view: SegmentView,
    dir: &Arc<LogDir>,
    sealed: &Arc<Sealed>,
) -> SegmentView {
    let file: Arc<dyn ReadAt> = match dir.cache.held_slot() {
        Some(slot) => Arc::new(Held {
            file: Arc::clone(&view.file),
            _slot: slot,
        }),
        None => Arc::new(Named {
            dir: Arc::clone(dir),
            sealed: Arc::downgrade(sealed),
        }),
    };
    SegmentView { file, ..view }
}

/// An open file that counts among those that ranges hold.
#[derive(Debug)]
struct Held {
    file: Arc<dyn ReadAt>,
    _slot: OpenSlot,
}

impl ReadAt for Held {
    fn read_at(&self, buffer: &mut [u8], position: u64) -> io::Result<usize> {
        self.file.read_at(buffer, position)
    }

    fn read_cached_at(&self, buffer: &mut [u8], position: u64) -> io::Result<Option<usize>> {
        self.file.read_cached_at(buffer, position)
    }

    fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        self.file.descriptor()
    }
}

/// A file that is open while it is read, and while its segment is in the cache. When the
/// segment has been deleted or compacted, a read fails with [`io::ErrorKind::NotFound`].
#[derive(Debug)]
struct Named {
    dir: Arc<LogDir>,
    sealed: Weak<Sealed>,
}

impl Named {
    fn sealed(&self) -> io::Result<Arc<Sealed>> {
        self.sealed
            .upgrade()
            .ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// Its file, if its segment is in the cache.
    fn cached(&self, sealed: &Sealed) -> Option<Arc<dyn ReadAt>> {
        let loaded = self.dir.cache.get(self.dir.key(sealed))?;
        Some(Arc::clone(&loaded.view.reads))
    }
}

impl ReadAt for Named {
    fn read_at(&self, buffer: &mut [u8], position: u64) -> io::Result<usize> {
        let sealed = self.sealed()?;
        let file = match self.cached(&sealed) {
            Some(file) => file,
            None => match sealed.open(&self.dir) {
                Ok(view) => view.reads,
                Err(Error::Io { source, .. }) => return Err(source),
                Err(error) => return Err(io::Error::other(error)),
            },
        };
        file.read_at(buffer, position)
    }

    fn read_cached_at(&self, buffer: &mut [u8], position: u64) -> io::Result<Option<usize>> {
        match self.cached(&*self.sealed()?) {
            Some(file) => file.read_cached_at(buffer, position),
            None => Ok(None),
        }
    }

    fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        None
    }
}
