//! The indexes of a segment on disk. Whatever fails here is no failure of the log:
//! an index that is missing or short costs time, never an answer.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use message_model::Offset;

use crate::indexes::Indexes;
use crate::name;
use disk::{Disk, File};

/// Both indexes of the active segment, open.
#[derive(Debug)]
pub(crate) struct IndexFiles {
    offsets: IndexFile,
    times: IndexFile,
}

impl IndexFiles {
    /// New, empty files for the segment that begins with `base_offset`.
    pub(crate) fn create(disk: &dyn Disk, dir: &Path, base_offset: Offset) -> IndexFiles {
        IndexFiles {
            offsets: IndexFile::create(disk, name::offset_index_path(dir, base_offset)),
            times: IndexFile::create(disk, name::time_index_path(dir, base_offset)),
        }
    }

    /// The entries that are not in the files yet.
    pub(crate) fn missing(&self, indexes: &Indexes) -> NewEntries {
        NewEntries {
            offsets: indexes.offsets.as_bytes()[self.offsets.size..].to_vec(),
            times: indexes.times.as_bytes()[self.times.size..].to_vec(),
        }
    }

    /// Writes entries that were [`missing`](IndexFiles::missing).
    pub(crate) fn append(&mut self, disk: &dyn Disk, entries: &NewEntries) {
        self.offsets.append(disk, &entries.offsets);
        self.times.append(disk, &entries.times);
    }
}

/// Makes the indexes of a closed segment safe against power loss. One that
/// cannot be synced is removed.
pub(crate) fn sync(disk: &dyn Disk, dir: &Path, base_offset: Offset) {
    for path in [
        name::offset_index_path(dir, base_offset),
        name::time_index_path(dir, base_offset),
    ] {
        if disk.open(&path).and_then(|file| file.sync_data()).is_err() {
            let _ = disk.remove(&path);
        }
    }
}

/// Entries on their way from an index in memory to its file.
#[derive(Debug)]
pub(crate) struct NewEntries {
    offsets: Vec<u8>,
    times: Vec<u8>,
}

/// An index that is written as it grows.
#[derive(Debug)]
struct IndexFile {
    path: PathBuf,
    /// `None` after a failure: then there is no file.
    file: Option<Arc<dyn File>>,
    /// How many bytes of the index were written, or would have been.
    size: usize,
}

impl IndexFile {
    fn create(disk: &dyn Disk, path: PathBuf) -> IndexFile {
        let file = disk.create(&path).ok();
        IndexFile {
            path,
            file,
            size: 0,
        }
    }

    fn append(&mut self, disk: &dyn Disk, entries: &[u8]) {
        if entries.is_empty() {
            return;
        }
        let position = self.size as u64;
        self.size += entries.len();
        let file = self.file.as_ref();
        if file.is_some_and(|file| file.write_all_at(entries, position).is_err()) {
            self.give_up(disk);
        }
    }

    fn give_up(&mut self, disk: &dyn Disk) {
        self.file = None;
        let _ = disk.remove(&self.path);
    }
}

/// Puts both indexes on disk in place of what is there: a reader sees the old one or the new one, whole.
///
/// # Errors
/// As the disk says.
pub(crate) fn replace(disk: &dyn Disk, dir: &Path, indexes: &Indexes) -> io::Result<()> {
    let base_offset: Offset = indexes.base_offset;
    for (path, bytes) in [
        (
            name::offset_index_path(dir, base_offset),
            indexes.offsets.as_bytes(),
        ),
        (
            name::time_index_path(dir, base_offset),
            indexes.times.as_bytes(),
        ),
    ] {
        disk::replace_cache(disk, &path, bytes)?;
    }
    Ok(())
}
