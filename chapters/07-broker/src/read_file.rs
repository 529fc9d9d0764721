//! Reading a small file, and all of a piece of a file.

use std::io;
use std::path::Path;

use disk::{Disk, ReadAt};

use crate::error::{Error, io_error};

/// All of a small file; `None` if there is none.
///
/// # Errors
/// As the disk says.
pub(crate) fn read_file(disk: &dyn Disk, path: &Path) -> Result<Option<Vec<u8>>, Error> {
    let read = || -> io::Result<Vec<u8>> {
        let file = disk.open(path)?;
        let length = usize::try_from(file.length()?).map_err(io::Error::other)?;
        let mut bytes = vec![0; length];
        read_exact_at(&*file, &mut bytes, 0)?;
        Ok(bytes)
    };
    match read() {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(io_error(path, source)),
    }
}

/// Fills `bytes` from `position` on.
///
/// # Errors
/// As the disk says; [`io::ErrorKind::UnexpectedEof`] if there are fewer.
pub(crate) fn read_exact_at(file: &dyn ReadAt, bytes: &mut [u8], position: u64) -> io::Result<()> {
    let mut filled = 0;
    while filled < bytes.len() {
        match file.read_at(&mut bytes[filled..], position + filled as u64)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            count => filled += count,
        }
    }
    Ok(())
}
