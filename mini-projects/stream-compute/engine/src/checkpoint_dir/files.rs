//! A directory that one process has.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::checkpoint_dir::Folder;

/// Its lock is held by the one job that uses the directory.
const LOCK: &str = "lock";

/// A directory, which no other process can open until this is dropped. A process that is gone
/// holds no lock.
#[derive(Debug)]
pub(crate) struct Files {
    path: PathBuf,
    _lock: File,
}

impl Files {
    /// Opens a directory, which is created if it is not there.
    ///
    /// # Errors
    /// When it cannot be created; [`io::ErrorKind::WouldBlock`] when another job has it.
    pub(crate) fn open(path: &Path) -> io::Result<Files> {
        fs::create_dir_all(path)?;
        let lock = File::create(path.join(LOCK))?;
        lock.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => {
                io::Error::new(io::ErrorKind::WouldBlock, "another job has this directory")
            }
            TryLockError::Error(error) => error,
        })?;
        Ok(Files {
            path: path.to_owned(),
            _lock: lock,
        })
    }
}

impl Folder for Files {
    fn names(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            names.extend(entry?.file_name().into_string());
        }
        Ok(names)
    }

    fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        fs::read(self.path.join(name))
    }

    fn replace(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        replace(&self.path.join(name), bytes)
    }

    /// No other process has the directory, so there is nothing to compare with.
    fn create(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.replace(name, bytes)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.path.join(name))
    }
}

/// Makes `bytes` the content of a file: a crash leaves the old content or the new.
pub(crate) fn replace(file: &Path, bytes: &[u8]) -> io::Result<()> {
    let aside = file.with_extension("tmp");
    let mut written = File::create(&aside)?;
    written.write_all(bytes)?;
    written.sync_all()?;
    fs::rename(&aside, file)?;
    match file.parent().filter(|parent| *parent != Path::new("")) {
        Some(parent) => File::open(parent)?.sync_all(),
        None => File::open(".")?.sync_all(),
    }
}
