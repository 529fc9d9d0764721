//! The files of a log that is rotated.
//!
//! To rotate a log is to give its file another name, and to let the web server begin a new file
//! with the log's name. `logrotate` names the files `access.log.1`, `access.log.2` and so on, or
//! `access.log-20261129`, and may compress them later. Other programs begin a file with a new name
//! every day, to which the log's name is a symbolic link.
//!
//! # Invariants
//! - A file keeps its inode when it is renamed, so an inode says which file it is for as long as
//!   the file is there. Later another file may get the same inode.
//! - The file with the log's name is the newest one. Of the others, the one with the lower number is
//!   newer; if they have no numbers, the one that was written last.

use std::cmp::Reverse;
use std::ffi::OsStr;
use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use stream_engine::RotatedName;

use crate::error::Error;

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
    /// The number in its name, if it was rotated to one.
    pub(crate) number: Option<u64>,
}

/// A file that follows another one.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Next {
    pub(crate) file: LogFile,
    /// There is no newer one.
    pub(crate) is_newest: bool,
    /// The number of a file that was between, and is gone.
    pub(crate) gone: Option<u64>,
}

/// Returns the files of a log that are there, the oldest first and each once; with the file of this
/// inode, even if its name is not that of a rotated file. One that is compressed is left out if it
/// is there without compression, too.
///
/// # Errors
/// When the log, or a folder that may have files of it, cannot be looked at.
pub(crate) fn files(log: &Path, also: Option<u64>) -> Result<Vec<LogFile>, Error> {
    // The files may be beside a link to the log, or beside the file to which it leads.
    let target = fs::canonicalize(log).ok().filter(|_| log.is_symlink());
    let logs = [Some(log.to_owned()), target];
    let names = logs.iter().flatten().filter_map(|log| log.file_name());
    let current = look(log, true).map_err(at(log))?;
    let mut files: Vec<LogFile> = current.into_iter().collect();
    for log in logs.iter().flatten() {
        let folder = log.parent().filter(|folder| *folder != Path::new(""));
        let folder = folder.unwrap_or(Path::new("."));
        for entry in fs::read_dir(folder).map_err(at(folder))? {
            let name = entry.map_err(at(folder))?.file_name();
            // What cannot be looked at, such as a link to itself, has no lines of the log.
            let Ok(Some(mut found)) = look(&folder.join(&name), false) else {
                continue;
            };
            let rotated = names.clone().find_map(|log| rotated_name(&name, log));
            let is_wanted = rotated.is_some() || also == Some(found.file);
            if is_wanted && files.iter().all(|file| file.file != found.file) {
                found.number = match rotated {
                    Some(RotatedName::Number(number)) => Some(number),
                    _ => None,
                };
                files.push(found);
            }
        }
    }
    let plain: Vec<PathBuf> = files.iter().map(|file| file.path.clone()).collect();
    files.retain(|file| !(file.is_compressed && plain.contains(&file.path.with_extension(""))));
    Ok(by_age(files))
}

/// Returns the files with the oldest one first. A file with a number may have been written to
/// after the one that follows it.
fn by_age(mut files: Vec<LogFile>) -> Vec<LogFile> {
    files.sort_by_cached_key(|file| (file.is_current, file.modified, file.path.clone()));
    let numbered = files.iter().filter(|file| file.number.is_some());
    let mut numbered: Vec<LogFile> = numbered.cloned().collect();
    numbered.sort_by_key(|file| Reverse(file.number));
    let places = files.iter_mut().filter(|file| file.number.is_some());
    for (place, file) in places.zip(numbered) {
        *place = file;
    }
    files
}

/// Returns what there is with this name; `None` if there is nothing, or no regular file.
pub(crate) fn look(path: &Path, is_current: bool) -> io::Result<Option<LogFile>> {
    let about = match fs::metadata(path) {
        // It was renamed or removed since, or is a link to nothing.
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        about => about?,
    };
    Ok(about.is_file().then(|| LogFile {
        path: path.to_owned(),
        file: about.ino(),
        bytes: about.len(),
        modified: about.modified().unwrap_or(SystemTime::UNIX_EPOCH),
        is_compressed: !is_current && is_compressed(path),
        is_current,
        number: None,
    }))
}

/// Returns the file of a log that follows a file that is open; `None` if there is none.
pub(crate) fn next_behind(log: &Path, open: &Metadata) -> Result<Option<Next>, Error> {
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
    if next >= files.len() {
        return Ok(None);
    }
    let number = place.and_then(|place| files[place].number);
    let is_newest = next + 1 == files.len();
    let file = files.swap_remove(next);
    Ok(Some(Next {
        gone: number.and_then(|number| file.is_behind_gap(number)),
        file,
        is_newest,
    }))
}

/// Says which file an error is about.
pub(crate) fn at(path: &Path) -> impl Fn(io::Error) -> Error {
    move |source| Error::Input {
        path: path.to_owned(),
        source,
    }
}

impl LogFile {
    /// Whether a file is missing between the one with this number and this one; its number. The
    /// first number is 1, or 0 if `logrotate` is told so.
    fn is_behind_gap(&self, number: u64) -> Option<u64> {
        let next = match self.number {
            None if self.is_current => 0,
            next => next?,
        };
        (next + 1 < number).then(|| number - 1)
    }

    /// Whether the file begins with these bytes.
    pub(crate) fn begins_with(&self, text: &[u8]) -> io::Result<bool> {
        let mut found = Vec::new();
        let file = File::open(&self.path)?.take(text.len() as u64);
        { file }.read_to_end(&mut found)?;
        Ok(found == text)
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

pub(crate) fn is_compressed(path: &Path) -> bool {
    let extension = path.extension().unwrap_or_default();
    COMPRESSED.iter().any(|one| extension == *one)
}

/// What was added to the log's name, whether the file is compressed or not.
fn rotated_name(name: &OsStr, log: &OsStr) -> Option<RotatedName> {
    let path = Path::new(name);
    let plain = path.file_stem().filter(|_| is_compressed(path));
    RotatedName::of(plain.unwrap_or(name), log)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_compressed_files() {
        let of = |name: &str| rotated_name(name.as_ref(), "access.log".as_ref());
        assert_eq!(of("access.log.2.gz"), Some(RotatedName::Number(2)));
        assert_eq!(of("access-20261129.log.xz"), Some(RotatedName::Date));
        assert_eq!(of("access.log.gz"), None);
        assert_eq!(of("access.log.2.bak"), None);
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
        assert_eq!(next.file.path, folder.path().join("access.log.2"));
        assert_eq!((next.is_newest, next.gone), (false, None));
        // It was compressed meanwhile.
        let open = File::open(folder.path().join("access.log.1")).unwrap();
        fs::remove_file(folder.path().join("access.log.1")).unwrap();
        write(&folder.path().join("access.log.1.gz"), 30);
        let open = open.metadata().unwrap();
        let next = next_behind(&log, &open).unwrap().unwrap();
        assert_eq!((next.file.path, next.is_newest), (log.clone(), true));
        let open = fs::metadata(&log).unwrap();
        assert_eq!(next_behind(&log, &open).unwrap(), None);
    }

    fn names(files: &[LogFile]) -> Vec<&OsStr> {
        let names = files.iter().filter_map(|file| file.path.file_name());
        names.collect()
    }

    #[test]
    fn a_file_that_is_gone_from_the_middle_is_seen_by_the_numbers() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("access.log");
        let rotated = |number: u64| folder.path().join(format!("access.log.{number}"));
        write(&log, 10);
        for number in 1..=5 {
            // Each was written to after the one that follows it.
            write(&rotated(number), number);
        }
        let gone_behind = |number| {
            let open = fs::metadata(rotated(number)).unwrap();
            next_behind(&log, &open).unwrap().unwrap().gone
        };
        assert_eq!([5, 4, 3, 2, 1].map(gone_behind), [None; 5]);
        fs::remove_file(rotated(1)).unwrap();
        fs::remove_file(rotated(3)).unwrap();
        assert_eq!([5, 4, 2].map(gone_behind), [None, Some(3), Some(1)]);
        // A date does not tell.
        fs::remove_file(rotated(2)).unwrap();
        write(&folder.path().join("access.log-20261129"), 6);
        assert_eq!(gone_behind(4), None);
    }

    #[test]
    fn a_folder_may_have_anything_else() {
        use std::os::unix::ffi::OsStrExt;
        use std::os::unix::fs::symlink;
        let folder = tempfile::tempdir().unwrap();
        let name = OsStr::from_bytes(b"acc\xff.log");
        let log = folder.path().join(name);
        let other = folder.path().join(OsStr::from_bytes(b"acc\xfe.log.1"));
        let rotated = folder.path().join(OsStr::from_bytes(b"acc\xff.log.1"));
        for (seconds, path) in [(3, &log), (2, &other), (1, &rotated)] {
            write(path, seconds);
        }
        for name in [OsStr::new("loop"), OsStr::from_bytes(b"acc\xff.log.2")] {
            symlink(name, folder.path().join(name)).unwrap();
        }
        fs::create_dir(folder.path().join(OsStr::from_bytes(b"acc\xff.log.3"))).unwrap();
        let found = files(&log, Some(7)).unwrap();
        assert_eq!(names(&found), [rotated.file_name().unwrap(), name]);
        // The log itself does matter, and is named.
        fs::remove_file(&log).unwrap();
        symlink(&log, &log).unwrap();
        let error = files(&log, None).unwrap_err();
        assert!(matches!(error, Error::Input { path, .. } if path == log));
        let missing = folder.path().join("no/log");
        let error = files(&missing, None).unwrap_err();
        assert!(matches!(error, Error::Input { path, .. } if path.ends_with("no")));
    }

    #[test]
    fn files_of_a_link_are_beside_it_or_beside_its_file() {
        use std::os::unix::fs::symlink;
        let folder = tempfile::tempdir().unwrap();
        let [links, data] = ["links", "data"].map(|name| folder.path().join(name));
        fs::create_dir(&links).unwrap();
        fs::create_dir(&data).unwrap();
        let log = links.join("access.log");
        let found = || files(&log, None).unwrap();
        // A file a day, and the link leads to the newest one, which is there once.
        for (name, seconds) in [("access-20261128.log", 9), ("access-20261129.log", 5)] {
            write(&links.join(name), seconds);
        }
        symlink(links.join("access-20261129.log"), &log).unwrap();
        assert_eq!(names(&found()), ["access-20261128.log", "access.log"]);
        let open = fs::metadata(links.join("access-20261128.log")).unwrap();
        let next = next_behind(&log, &open).unwrap().unwrap();
        assert_eq!((next.file.path, next.is_newest), (log.clone(), true));
        // The link is replaced at this moment, and the newest one is waited for all the same.
        fs::remove_file(&log).unwrap();
        let open = fs::metadata(links.join("access-20261129.log")).unwrap();
        let next = next_behind(&log, &open).unwrap().unwrap();
        assert!(next.is_newest);
        // The file to which the link leads is rotated.
        for (name, seconds) in [
            ("site.log.1", 8),
            ("site.log", 9),
            ("access-20261130.log", 7),
        ] {
            write(&data.join(name), seconds);
        }
        symlink(data.join("site.log"), &log).unwrap();
        let wanted = [
            "access-20261129.log",
            "access-20261130.log",
            "site.log.1",
            "access-20261128.log",
            "access.log",
        ];
        assert_eq!(names(&found()), wanted);
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
