//! A file of names, which the processes of a machine share.
//!
//! ```text
//! rpc names 1, crc32c 1a2b3c4d
//! Greeter 127.0.0.1:7000 1764380000000
//! ```
//!
//! The checksum is that of the other lines: service, address, and the end of the lease in
//! milliseconds since 1970.

use std::fs::{self, File, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use message_model::Timestamp;

use crate::board::Ends;
use crate::error::Error;

const TITLE: &str = "rpc names 1, crc32c ";
/// The longest file, in bytes: some 20,000 servers.
const BYTES_MAX: usize = 1024 * 1024;

/// Changes the lease of a server, and leaves those out that have ended. Returns whether the
/// file could be locked.
pub(crate) fn change(
    path: &Path,
    offer: &str,
    now: Timestamp,
    end: Option<Timestamp>,
) -> Result<bool, Error> {
    // Locked for as long as this is open. The file stays: another process may wait for it.
    let path_of_lock = beside(path, ".lock");
    check_kind(&path_of_lock)?;
    let lock = File::options()
        .append(true)
        .create(true)
        .open(path_of_lock)?;
    match lock.try_lock() {
        Err(TryLockError::WouldBlock) => return Ok(false),
        locked => locked.map_err(io::Error::from)?,
    }
    let mut ends = read(path)?;
    ends.remove(offer);
    ends.extend(end.map(|end| (offer.to_owned(), end)));
    ends.retain(|_, end| *end > now);
    let lines = ends.iter().map(|(offer, end)| format!("{offer} {end}\n"));
    let lines: String = lines.collect();
    let text = title(&lines) + &lines;
    if text.len() > BYTES_MAX {
        return Err(Error::TooLong);
    }
    replace(path, &text)?;
    Ok(true)
}

/// Refuses what is no file: to open a pipe, a process waits for the other end.
fn check_kind(path: &Path) -> Result<(), Error> {
    match fs::metadata(path) {
        Ok(found) if !found.is_file() => Err(Error::NoFile(path.to_owned())),
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

/// Puts `text` in place of the file. Whenever the machine stops, the old file is there, or
/// the new one.
fn replace(path: &Path, text: &str) -> Result<(), Error> {
    let next = beside(path, ".next");
    check_kind(&next)?;
    let mut file = File::create(&next)?;
    file.write_all(text.as_bytes())?;
    // Else the new name could be on disk before the bytes are.
    file.sync_data()?;
    fs::rename(&next, path)?;
    let directory = path.parent().filter(|parent| *parent != Path::new(""));
    File::open(directory.unwrap_or(Path::new(".")))?.sync_all()?;
    Ok(())
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

fn title(lines: &str) -> String {
    format!("{TITLE}{:08x}\n", crc32c::crc32c(lines.as_bytes()))
}

/// Returns what is in the file. None is there before the first server registers.
pub(crate) fn read(path: &Path) -> Result<Ends, Error> {
    check_kind(path)?;
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Ends::new()),
        opened => opened?,
    };
    let mut bytes = Vec::new();
    // One more shows that it is too long.
    let bytes_max = BYTES_MAX as u64 + 1;
    file.take(bytes_max).read_to_end(&mut bytes)?;
    if bytes.len() > BYTES_MAX {
        return Err(Error::TooLong);
    }
    let text = String::from_utf8_lossy(&bytes);
    if !text.starts_with(TITLE) {
        return Err(Error::Foreign);
    }
    let lines = text.split_once('\n').map_or("", |(_, lines)| lines);
    if text != title(lines) + lines {
        return Err(Error::Torn);
    }
    let end = |line: &str| {
        let (offer, end) = line.rsplit_once(' ')?;
        Some((offer.to_owned(), Timestamp(end.parse().ok()?)))
    };
    Ok(lines.lines().filter_map(end).collect())
}
