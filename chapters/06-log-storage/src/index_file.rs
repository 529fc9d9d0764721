//! An index on disk. Whatever fails here is no failure of the log: an index
//! that is missing or short costs time, never an answer.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use message_model::Offset;

use crate::indexes::Indexes;
use crate::name;
use crate::window::read_up_to;
use disk::{Disk, File};

/// Both indexes of one segment.
#[derive(Debug)]
pub(crate) struct IndexFiles {
    offsets: IndexFile,
    times: IndexFile,
}

impl IndexFiles {
    /// Makes the files hold what `indexes` does, whatever they held before.
    pub(crate) fn make(
        disk: &dyn Disk,
        dir: &Path,
        base_offset: Offset,
        indexes: &Indexes,
    ) -> IndexFiles {
        let offsets = name::offset_index_path(dir, base_offset);
        let times = name::time_index_path(dir, base_offset);
        IndexFiles {
            offsets: IndexFile::make(disk, offsets, indexes.offsets.as_bytes()),
            times: IndexFile::make(disk, times, indexes.times.as_bytes()),
        }
    }

    /// Writes what has come to the indexes since the last time.
    pub(crate) fn write(&mut self, disk: &dyn Disk, indexes: &Indexes) {
        self.offsets.write(disk, indexes.offsets.as_bytes());
        self.times.write(disk, indexes.times.as_bytes());
    }

    /// Makes them safe against power loss: nothing will be written to them any more.
    pub(crate) fn seal(&mut self, disk: &dyn Disk, indexes: &Indexes) {
        self.offsets.seal(disk, indexes.offsets.as_bytes());
        self.times.seal(disk, indexes.times.as_bytes());
    }
}

/// An index that is written as it grows.
#[derive(Debug)]
struct IndexFile {
    path: PathBuf,
    /// `None` after a failure: then the file is left out.
    file: Option<Arc<dyn File>>,
    /// How many bytes of the index are in it.
    written: usize,
}

impl IndexFile {
    /// Makes the file hold `bytes`, whatever it held before.
    fn make(disk: &dyn Disk, path: PathBuf, bytes: &[u8]) -> IndexFile {
        if let Some(file) = holds(disk, &path, bytes) {
            return IndexFile {
                path,
                file: Some(file),
                written: bytes.len(),
            };
        }
        let file = disk.create(&path).ok();
        let mut index = IndexFile {
            path,
            file,
            written: 0,
        };
        index.write(disk, bytes);
        index
    }

    /// Writes what has come to the index since the last time; `bytes` is all of it.
    fn write(&mut self, disk: &dyn Disk, bytes: &[u8]) {
        let Some(file) = &self.file else { return };
        let new = &bytes[self.written..];
        if new.is_empty() {
            return;
        }
        match file.write_all_at(new, self.written as u64) {
            Ok(()) => self.written = bytes.len(),
            Err(_) => self.give_up(disk),
        }
    }

    /// Makes it safe against power loss: nothing will be written to it any more.
    fn seal(&mut self, disk: &dyn Disk, bytes: &[u8]) {
        self.write(disk, bytes);
        if self
            .file
            .as_ref()
            .is_some_and(|file| file.sync_data().is_err())
        {
            self.give_up(disk);
        }
    }

    fn give_up(&mut self, disk: &dyn Disk) {
        self.file = None;
        let _ = disk.remove(&self.path);
    }
}

/// The file, if it holds exactly `bytes`.
fn holds(disk: &dyn Disk, path: &Path, bytes: &[u8]) -> Option<Arc<dyn File>> {
    let file = disk.open(path).ok()?;
    if file.length().ok()? != bytes.len() as u64 {
        return None;
    }
    let mut there = vec![0; bytes.len()];
    read_up_to(&*file, &mut there, 0).ok()?;
    (there == bytes).then_some(file)
}
