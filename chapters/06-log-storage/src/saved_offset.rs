//! A small file with one offset: the recovery point, the log start, or how far the log is compacted.
//!
//! # On disk
//! One line: the offset in decimal, a space, the CRC-32C of its digits in eight
//! hex digits. It is replaced as a whole.

use std::io;
use std::path::Path;

use message_model::Offset;

use crate::error::{At, Error};
use crate::window::read_up_to;
use disk::Disk;

/// Everything below it is known to be on disk.
pub(crate) const RECOVERY_POINT: &str = "recovery-point";
/// Everything below it was compacted.
pub(crate) const COMPACTED_TO: &str = "compacted-to";
/// No record below it is wanted any more.
pub(crate) const LOG_START: &str = "log-start";
/// No content is longer, in bytes: 19 digits, a space, 8 digits, a newline.
const SIZE_MAX: usize = 29;

/// The saved offset; `None` when there is no file, or none that can be read.
///
/// # Errors
/// As the disk says.
pub(crate) fn read(disk: &dyn Disk, dir: &Path, name: &str) -> Result<Option<Offset>, Error> {
    let path = dir.join(name);
    let file = match disk.open(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other.at(&path)?,
    };
    let mut content = [0; SIZE_MAX + 1];
    let length = read_up_to(&*file, &mut content, 0).at(&path)?;
    Ok(parse(&content[..length]))
}

fn parse(content: &[u8]) -> Option<Offset> {
    let offset = std::str::from_utf8(content).ok()?.split(' ').next()?;
    let offset = Offset(offset.parse().ok()?);
    (offset >= Offset::ZERO && content == print(offset).as_bytes()).then_some(offset)
}

fn print(offset: Offset) -> String {
    let digits = offset.to_string();
    let crc = crc32c::crc32c(digits.as_bytes());
    format!("{digits} {crc:08x}\n")
}

/// Saves `offset`: after this returns it is on disk, and after a crash at any
/// time the file holds the old offset or the new one.
///
/// # Errors
/// As the disk says.
pub(crate) fn write(disk: &dyn Disk, dir: &Path, name: &str, offset: Offset) -> Result<(), Error> {
    let path = dir.join(name);
    disk::replace(disk, &path, print(offset).as_bytes()).at(&path)
}
