//! The indexes of a segment on disk. The active segment has none: it is walked at every
//! start, and its indexes are in memory. They are written when it is closed. Whatever fails here is no failure of the log:
//! an index that is missing or short costs time, never an answer.

use std::io;
use std::path::{Path, PathBuf};

use message_model::Offset;

use crate::indexes::Indexes;
use crate::name;
use disk::Disk;

/// Writes both indexes of a segment that is about to be closed, in place of what is there. One that cannot be written is removed.
pub(crate) fn write(disk: &dyn Disk, dir: &Path, indexes: &Indexes) {
    for (path, bytes) in paths_and_bytes(dir, indexes) {
        let created = disk.create(&path);
        if created
            .and_then(|file| file.write_all_at(bytes, 0))
            .is_err()
        {
            let _ = disk.remove(&path);
        }
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

/// Puts both indexes on disk in place of what is there: a reader sees the old one or the new one, whole.
///
/// # Errors
/// As the disk says.
pub(crate) fn replace(disk: &dyn Disk, dir: &Path, indexes: &Indexes) -> io::Result<()> {
    for (path, bytes) in paths_and_bytes(dir, indexes) {
        disk::replace_cache(disk, &path, bytes)?;
    }
    Ok(())
}

fn paths_and_bytes<'a>(dir: &Path, indexes: &'a Indexes) -> [(PathBuf, &'a [u8]); 2] {
    let base_offset = indexes.base_offset;
    [
        (
            name::offset_index_path(dir, base_offset),
            indexes.offsets.as_bytes(),
        ),
        (
            name::time_index_path(dir, base_offset),
            indexes.times.as_bytes(),
        ),
    ]
}
