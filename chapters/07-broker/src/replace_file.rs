//! Replacing a small file so that a crash leaves the old one or the new one.

use std::io;
use std::path::Path;

use disk::Disk;

use crate::error::Error;

/// Replaces `dir/name` by `bytes`. They are on disk when this returns.
///
/// The order is what makes it safe: the new bytes are on disk under another name
/// before that name becomes the file's, and the directory's change is on disk
/// before anybody relies on it.
///
/// # Errors
/// As the disk says. It is unknown then which of the two a crash leaves.
// ANCHOR: replace_file
pub(crate) fn replace_file(
    disk: &dyn Disk,
    dir: &Path,
    name: &str,
    bytes: &[u8],
) -> Result<(), Error> {
    let path = dir.join(name);
    let next = dir.join(format!("{name}.next"));
    let replace = || -> io::Result<()> {
        let file = disk.create(&next)?;
        file.write_all_at(bytes, 0)?;
        file.sync_data()?;
        disk.rename(&next, &path)?;
        disk.sync_dir(dir)
    };
    replace().map_err(|source| io_error(&path, source))
}
// ANCHOR_END: replace_file

/// All of a small file; `None` if there is none.
///
/// # Errors
/// As the disk says.
pub(crate) fn read_file(disk: &dyn Disk, path: &Path) -> Result<Option<Vec<u8>>, Error> {
    let read = || -> io::Result<Vec<u8>> {
        let file = disk.open(path)?;
        let length = usize::try_from(file.length()?).map_err(io::Error::other)?;
        let mut bytes = vec![0; length];
        let mut filled = 0;
        while filled < length {
            match file.read_at(&mut bytes[filled..], filled as u64)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                count => filled += count,
            }
        }
        Ok(bytes)
    };
    match read() {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(io_error(path, source)),
    }
}

pub(crate) fn io_error(path: &Path, source: io::Error) -> Error {
    let path = path.to_owned();
    log_storage::Error::Io { path, source }.into()
}
