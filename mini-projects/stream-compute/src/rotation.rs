//! The files of a log that is rotated.
//!
//! To rotate a log is to give its file another name, and to let the web server begin a new file
//! with the log's name. `logrotate` names the files `access.log.1`, `access.log.2` and so on, or
//! `access.log-20261129`, and may compress them later.
//!
//! # Invariants
//! - A file keeps its inode when it is renamed, so an inode says which file it is for as long as
//!   the file is there. Later another file may get the same inode.
//! - The file with the log's name is the newest one. Of the others, the one that was written last
//!   is the newest.

use std::cmp::Reverse;
use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// What the programs that compress append to a name.
const COMPRESSED: [&str; 5] = ["gz", "bz2", "xz", "zst", "Z"];

/// A file with lines of a log, under whatever name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LogFile {
    pub(crate) path: PathBuf,
    /// The inode: the same whatever its name is.
    pub(crate) file: u64,
    pub(crate) bytes: u64,
    pub(crate) modified: SystemTime,
    /// Its lines cannot be read as they are.
    pub(crate) is_compressed: bool,
    /// It has the log's name, so the web server may still write to it.
    pub(crate) is_current: bool,
}

/// Returns the files of a log that are there, the oldest first; with the file of this inode, even
/// if its name is not that of a rotated file. One that is compressed is left out if it is there
/// without compression, too.
pub(crate) fn files(log: &Path, also: Option<u64>) -> io::Result<Vec<LogFile>> {
    let folder = match log.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let log_name = log.file_name().unwrap_or_default().to_string_lossy();
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        let is_current = *name == *log_name;
        let path = match is_current {
            true => log.to_owned(),
            false => folder.join(&name),
        };
        let Some(found) = look(&path, is_current)? else {
            continue;
        };
        if is_current || is_rotated(&name.to_string_lossy(), &log_name) || also == Some(found.file)
        {
            files.push(found);
        }
    }
    let plain: Vec<PathBuf> = files.iter().map(|file| file.path.clone()).collect();
    files.retain(|file| !(file.is_compressed && plain.contains(&file.path.with_extension(""))));
    files.sort_by_cached_key(LogFile::age);
    Ok(files)
}

/// Returns what there is with this name; `None` if there is nothing, or no regular file.
pub(crate) fn look(path: &Path, is_current: bool) -> io::Result<Option<LogFile>> {
    let about = match fs::metadata(path) {
        // It was renamed or removed since, or is a link to nothing.
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        about => about?,
    };
    let extension = path.extension().unwrap_or_default();
    Ok(about.is_file().then(|| LogFile {
        path: path.to_owned(),
        file: about.ino(),
        bytes: about.len(),
        modified: about.modified().unwrap_or(SystemTime::UNIX_EPOCH),
        is_compressed: !is_current && COMPRESSED.iter().any(|one| extension == *one),
        is_current,
    }))
}

/// Returns the file of a log that follows a file that is open; `None` if there is none.
pub(crate) fn next_behind(log: &Path, open: &Metadata) -> io::Result<Option<LogFile>> {
    let mut files = files(log, Some(open.ino()))?;
    let modified = open.modified().unwrap_or(SystemTime::UNIX_EPOCH);
    let place = files.iter().position(|file| file.file == open.ino());
    let next = match place {
        Some(place) => place + 1,
        // It was removed. A compressed copy has the same time, or its whole seconds.
        None => {
            let is_newer = |file: &LogFile| file.is_current || file.modified > modified;
            files.iter().position(is_newer).unwrap_or(files.len())
        }
    };
    Ok((next < files.len()).then(|| files.swap_remove(next)))
}

impl LogFile {
    /// Smaller for an older file. Of two files that were written at the same time, the one with
    /// the higher number is the older one.
    fn age(&self) -> (bool, SystemTime, Reverse<u64>) {
        let name = self.path.to_string_lossy();
        let mut words = name.rsplit('.');
        let number = words.find_map(|word| word.parse().ok());
        let number = Reverse(number.unwrap_or(0));
        (self.is_current, self.modified, number)
    }

    /// Whether a line with this text begins at this byte.
    pub(crate) fn has_line(&self, at: u64, text: &[u8]) -> io::Result<bool> {
        let mut file = match File::open(&self.path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
            file => file?,
        };
        let before = u64::from(at > 0);
        file.seek(SeekFrom::Start(at - before))?;
        let mut found = Vec::new();
        let wanted = before + text.len() as u64 + 2;
        file.take(wanted).read_to_end(&mut found)?;
        let line = match before {
            0 => Some(found.as_slice()),
            _ => found.strip_prefix(b"\n"),
        };
        let rest = line.and_then(|line| line.strip_prefix(text));
        Ok(rest.is_some_and(|rest| {
            rest.is_empty() || rest.starts_with(b"\n") || rest.starts_with(b"\r")
        }))
    }
}

/// Whether a file with this name was a log with that name: `access.log.1`, `access.log-20261129`,
/// `access-20261129.log`, and each of them compressed.
fn is_rotated(name: &str, log: &str) -> bool {
    let endings = COMPRESSED.iter();
    let mut plain = endings.filter_map(|ending| name.strip_suffix(ending)?.strip_suffix('.'));
    let name = plain.next().unwrap_or(name);
    let is_tag = |tag: &str| {
        let number = tag.strip_prefix(['.', '-', '_']).unwrap_or_default();
        let is_part = |letter: char| letter.is_ascii_digit() || ".-_:T".contains(letter);
        number.starts_with(|first: char| first.is_ascii_digit()) && number.chars().all(is_part)
    };
    if name.strip_prefix(log).is_some_and(is_tag) {
        return true;
    }
    let parts = log.rsplit_once('.');
    let tag = parts.and_then(|(stem, extension)| {
        let rest = name.strip_prefix(stem)?;
        rest.strip_suffix(extension)?.strip_suffix('.')
    });
    tag.is_some_and(is_tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_rotated_files() {
        for name in [
            "access.log.1",
            "access.log.2.gz",
            "access.log-20261129",
            "access.log-20261129-14.zst",
            "access-20261129.log",
            "access.1.log",
            "access-20261129.log.xz",
        ] {
            assert!(is_rotated(name, "access.log"), "{name}");
        }
        for name in [
            "error.log.1",
            "access.log",
            "access.log.bak",
            "access.log.gz",
            "access.log.",
            "access.log2",
            "other_access.log.1",
            "access.logs.1",
        ] {
            assert!(!is_rotated(name, "access.log"), "{name}");
        }
        assert!(is_rotated("log.1", "log"));
    }

    fn write(path: &Path, seconds: u64) {
        let file = File::create(path).unwrap();
        let time = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(seconds);
        file.set_modified(time).unwrap();
    }

    #[test]
    fn files_by_age() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("access.log");
        // The current one may be older than the last one that was rotated: that is written to
        // until the server begins the new one.
        for (name, seconds) in [
            ("access.log", 10),
            ("access.log.1", 30),
            ("access.log.2", 20),
            ("access.log.3", 20),
            ("access.log.4.gz", 9),
            ("access.log.3.gz", 20),
            ("kept", 25),
            ("error.log.1", 26),
        ] {
            write(&folder.path().join(name), seconds);
        }
        let kept = fs::metadata(folder.path().join("kept")).unwrap().ino();
        let names = |also| -> Vec<String> {
            let files = files(&log, also).unwrap();
            let name = |file: &LogFile| file.path.file_name()?.to_str().map(str::to_owned);
            files.iter().filter_map(name).collect()
        };
        let all = [
            "access.log.4.gz",
            "access.log.3",
            "access.log.2",
            "kept",
            "access.log.1",
            "access.log",
        ];
        assert_eq!(names(Some(kept)), all);
        assert_eq!(names(None).len(), all.len() - 1);
        let open = fs::metadata(folder.path().join("access.log.3")).unwrap();
        let next = next_behind(&log, &open).unwrap().unwrap();
        assert_eq!(next.path, folder.path().join("access.log.2"));
        // It was compressed meanwhile.
        let open = File::open(folder.path().join("access.log.1")).unwrap();
        fs::remove_file(folder.path().join("access.log.1")).unwrap();
        write(&folder.path().join("access.log.1.gz"), 30);
        let open = open.metadata().unwrap();
        let next = next_behind(&log, &open).unwrap().unwrap();
        assert_eq!(next.path, log);
        let open = fs::metadata(&log).unwrap();
        assert_eq!(next_behind(&log, &open).unwrap(), None);
    }

    #[test]
    fn a_line_is_known_by_its_place_and_text() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        fs::write(&path, "one\ntwo\r\nthree").unwrap();
        let file = look(&path, true).unwrap().unwrap();
        for (at, text) in [(0, "one"), (4, "two"), (9, "three")] {
            assert!(file.has_line(at, text.as_bytes()).unwrap(), "{text}");
        }
        for (at, text) in [
            (0, "on"),
            (1, "ne"),
            (4, "twoo"),
            (9, "thre"),
            (14, "x"),
            (90, ""),
        ] {
            assert!(!file.has_line(at, text.as_bytes()).unwrap(), "{text}");
        }
    }
}
