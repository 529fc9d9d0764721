//! Whether a file that a person names can be what it is named for.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::input::Source;
use crate::rotation;

impl Source {
    /// Returns the source that follows this log.
    ///
    /// # Errors
    /// When the log is compressed, or something that is there and is no regular file.
    pub fn follow(log: PathBuf) -> Result<Source, Error> {
        match fs::metadata(&log) {
            Ok(about) if !about.is_file() => Err(no_file(log)),
            _ => check_name(&log).map(|()| Source::Follow(log)),
        }
    }

    /// Returns whether this is a file that is read, even under another name.
    #[must_use]
    pub fn has(&self, path: &Path) -> bool {
        match self {
            Source::Files(paths) => paths.iter().any(|one| is_same(one, path)),
            Source::Stdin => is_same(Path::new("/dev/stdin"), path),
            Source::Follow(log) => {
                let files = rotation::files(log, None).unwrap_or_default();
                log == path
                    || is_same(log, path)
                    || files.iter().any(|file| is_same(&file.path, path))
            }
        }
    }
}

/// Refuses a file among several that is no regular file, is compressed, or is named twice.
pub(crate) fn check_several(paths: &[PathBuf]) -> Result<(), Error> {
    for (number, path) in paths.iter().enumerate() {
        check_name(path)?;
        if fs::metadata(path).is_ok_and(|about| !about.is_file()) {
            return Err(no_file(path.clone()));
        }
        let mut before = paths[..number].iter();
        if let Some(other) = before.find(|other| is_same(other, path)) {
            return Err(Error::SameFile(other.clone(), path.clone()));
        }
    }
    Ok(())
}

/// Refuses a directory, or a file that is compressed. A pipe can be counted if it is the only input.
pub(crate) fn check_one(path: &Path) -> Result<(), Error> {
    match path.is_dir() {
        true => Err(no_file(path.to_owned())),
        false => check_name(path),
    }
}

fn check_name(path: &Path) -> Result<(), Error> {
    match rotation::is_compressed(path) {
        true => Err(Error::Compressed(path.to_owned())),
        false => Ok(()),
    }
}

fn no_file(path: PathBuf) -> Error {
    let what = match path.is_dir() {
        true => "it is a directory: name the files in it",
        false => {
            "it is no regular file, so it cannot be read again from a place in it: count it as standard input, `ip-count - <FILE`"
        }
    };
    Error::Input {
        path,
        source: io::Error::other(what),
    }
}

/// Whether both names are those of one regular file.
fn is_same(one: &Path, other: &Path) -> bool {
    let file = |path| {
        let about = fs::metadata(path).ok()?;
        about.is_file().then(|| (about.dev(), about.ino()))
    };
    file(one).is_some_and(|one| file(other) == Some(one))
}
