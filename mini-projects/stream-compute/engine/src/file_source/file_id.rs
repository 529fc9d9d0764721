//! Which file a name leads to.

use std::fs::{self, DirEntry, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::rotated_name::RotatedName;

/// A file of a file system, whatever its name is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) struct FileId {
    inode: u64,
    /// From 1970 on. The number of a removed file is given to a new one, which has another time.
    /// `None`: the file system does not note it.
    created: Option<Duration>,
}

impl FileId {
    /// Of a regular file; `None` of a pipe.
    pub(super) fn of(metadata: &Metadata) -> Option<FileId> {
        let created = metadata.created().ok();
        metadata.is_file().then(|| FileId {
            inode: metadata.ino(),
            created: created.and_then(|time| time.duration_since(UNIX_EPOCH).ok()),
        })
    }

    /// Of the regular file at `path`, if one is there.
    pub(super) fn at(path: &Path) -> Option<FileId> {
        fs::metadata(path).ok().and_then(|of| FileId::of(&of))
    }

    /// The name of this file in the folder of `path`, if it is still there.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub(super) fn find_beside(self, path: &Path) -> io::Result<Option<PathBuf>> {
        let mut files = beside(path)?.into_iter();
        let found = files.find(|(_, id)| *id == self);
        Ok(found.map(|(file, _)| file.path()))
    }

    /// The files that had the name `path` after this one: the oldest first, and at last the one
    /// that has it now or to which it leads as a symbolic link.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub(super) fn successors(self, path: &Path) -> io::Result<Vec<(PathBuf, FileId)>> {
        let name = path.file_name().unwrap_or_default();
        // If it gets a rotated name meanwhile, it is found under both names, and not under none.
        let named = FileId::at(path).map(|id| (path.to_owned(), id));
        let mut files = Vec::new();
        for (file, id) in beside(path)? {
            let is_rotated = RotatedName::of(&file.file_name(), name).is_some();
            if is_rotated && id.created >= self.created {
                files.push((file.path(), id));
            }
        }
        files.sort_by_key(|(_, id)| id.created);
        files.extend(named);
        files.retain(|(_, id)| *id != self);
        Ok(files)
    }
}

/// The regular files in the folder of `path`.
fn beside(path: &Path) -> io::Result<Vec<(DirEntry, FileId)>> {
    let folder = path.parent().filter(|folder| *folder != Path::new(""));
    let mut files = Vec::new();
    for file in fs::read_dir(folder.unwrap_or(Path::new(".")))? {
        let file = file?;
        // One that is gone meanwhile is not there.
        if let Some(id) = file.metadata().ok().and_then(|of| FileId::of(&of)) {
            files.push((file, id));
        }
    }
    Ok(files)
}
