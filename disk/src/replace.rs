//! Replacing a small file so that a crash leaves the old one or the new one.

use std::io;
use std::path::{Path, PathBuf};

use crate::disk::Disk;

/// Behind the name of a file whose bytes are to take the place of another's.
pub const NEXT: &str = ".next";

/// Puts `bytes` in place of the file at `path`, if there is one. They are on disk
/// when this returns.
///
/// What a reader finds at `path` after a crash:
/// - before the rename, the old file, or none if there was none;
/// - from the rename on until the directory is synced, the old file or the new one;
/// - from then on, the new one.
///
/// Neither is ever found in part, and a crash can leave a file named `path`.next
/// with anything in it, which the next replacement overwrites.
///
/// # Errors
/// As the disk says. A reader finds the old file or the new one then, and after a
/// crash perhaps the other.
// ANCHOR: replace
pub fn replace(disk: &dyn Disk, path: &Path, bytes: &[u8]) -> io::Result<()> {
    replace_cache(disk, path, bytes)?;
    disk.sync_dir(directory_of(path))
}

/// The same for a file that can be made again: the directory is not synced, so a
/// crash may leave the old file also after this has returned.
///
/// # Errors
/// As [`replace`].
pub fn replace_cache(disk: &dyn Disk, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let next = next_path(path);
    let file = disk.create(&next)?;
    file.write_all_at(bytes, 0)?;
    // Else the new name could be on disk before the bytes are.
    file.sync_data()?;
    disk.rename(&next, path)
}
// ANCHOR_END: replace

fn next_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(NEXT);
    name.into()
}

/// The directory that a file is in.
fn directory_of(path: &Path) -> &Path {
    let parent = path.parent().filter(|parent| *parent != Path::new(""));
    parent.unwrap_or(Path::new("."))
}
