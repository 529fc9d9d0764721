//! The disk, and its open files.

use std::fmt;
use std::io;
use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use disk::{Disk, File, ReadAt};
use fastrand::Rng;

use crate::file::FileState;
use crate::names::{Entry, Names};

/// A disk in memory. Clones are the same disk.
#[derive(Clone)]
pub struct SimDisk(Arc<Mutex<State>>);

struct State {
    names: Names,
    /// By number; a removed file can still be read by those who have it open.
    files: Vec<FileState>,
    random: Rng,
    operations: u64,
    fails_at: Option<u64>,
    power_off_at: Option<u64>,
    /// How many bytes files may still grow by.
    space: Option<u64>,
    /// In bytes.
    largest_read: usize,
}

/// An open file.
#[derive(Debug)]
struct SimFile {
    disk: SimDisk,
    number: usize,
}

impl SimDisk {
    /// An empty disk. What is lost and what survives follows from `seed`.
    #[must_use]
    pub fn new(seed: u64) -> SimDisk {
        SimDisk::with(Names::default(), Vec::new(), Rng::with_seed(seed))
    }

    fn with(names: Names, files: Vec<FileState>, random: Rng) -> SimDisk {
        SimDisk(Arc::new(Mutex::new(State {
            names,
            files,
            random,
            operations: 0,
            fails_at: None,
            power_off_at: None,
            space: None,
            largest_read: 0,
        })))
    }

    /// What is on disk after a loss of power now. This disk goes on as if nothing
    /// had happened; the next call gives another survivor.
    #[must_use]
    pub fn crash(&self) -> SimDisk {
        let mut state = self.state();
        let state = &mut *state;
        let names = state.names.survivor(&mut state.random);
        let random = &mut state.random;
        let files = state.files.iter();
        let files = files.map(|file| FileState::of(file.survivor(random)));
        let files = files.collect();
        SimDisk::with(names, files, Rng::with_seed(random.u64(..)))
    }

    /// How many operations that change something there were so far, those that failed included.
    #[must_use]
    pub fn operations(&self) -> u64 {
        self.state().operations
    }

    /// The largest buffer that a file was read into so far, in bytes.
    #[must_use]
    pub fn largest_read(&self) -> usize {
        self.state().largest_read
    }

    /// Makes operation number `operation` fail (the first one ever is number 0).
    /// A write that fails has written a part; a sync that fails has lost what it
    /// did not write.
    pub fn fail_at(&self, operation: u64) {
        self.state().fails_at = Some(operation);
    }

    /// Cuts the power before operation number `operation`: that one and all
    /// later ones fail and change nothing.
    pub fn power_off_at(&self, operation: u64) {
        self.state().power_off_at = Some(operation);
    }

    /// Lets files grow by `bytes` in all from now on; then the disk is full.
    /// `None` is without limit.
    pub fn set_space(&self, bytes: Option<u64>) {
        self.state().space = bytes;
    }

    /// Flips a bit of a file, on disk too. Bit 0 is the lowest one of the first
    /// byte. One that the file does not have is left alone.
    ///
    /// # Panics
    /// When there is no such file.
    pub fn flip(&self, path: &Path, bit: usize) {
        let mut state = self.state();
        let number = state
            .number(path)
            .expect("there is a file to flip a bit of");
        state.files[number].flip(bit);
    }

    /// All files, with what their readers see.
    #[must_use]
    pub fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let state = self.state();
        let files = state.names.files();
        files
            .map(|(path, number)| (path.clone(), state.files[number].bytes.clone()))
            .collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn file(&self, number: usize) -> Arc<dyn File> {
        Arc::new(SimFile {
            disk: self.clone(),
            number,
        })
    }
}

impl fmt::Debug for SimDisk {
    /// Without the files' contents: a failed test shall be readable.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimDisk").finish_non_exhaustive()
    }
}

impl State {
    fn number(&self, path: &Path) -> io::Result<usize> {
        match self.names.get(path) {
            Some(Entry::File(number)) => Ok(number),
            Some(Entry::Directory) => Err(io::ErrorKind::IsADirectory.into()),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    /// Counts an operation; `Ok(true)` when it shall fail.
    fn count(&mut self) -> io::Result<bool> {
        let operation = self.operations;
        self.operations += 1;
        if self.power_off_at.is_some_and(|at| operation >= at) {
            return Err(io::Error::other("the power is off"));
        }
        Ok(self.fails_at == Some(operation))
    }

    /// Counts an operation that either happens or not.
    fn count_whole(&mut self) -> io::Result<()> {
        if self.count()? {
            return Err(failure());
        }
        Ok(())
    }

    /// How many of the `wanted` bytes that a file is to grow by there is room for.
    fn take_space(&mut self, wanted: usize) -> usize {
        let Some(space) = &mut self.space else {
            return wanted;
        };
        let room = usize::try_from(*space).map_or(wanted, |space| space.min(wanted));
        *space -= room as u64;
        room
    }

    fn give_space(&mut self, freed: usize) {
        if let Some(space) = &mut self.space {
            *space += freed as u64;
        }
    }
}

fn failure() -> io::Error {
    io::Error::other("the disk fails")
}

impl Disk for SimDisk {
    fn open(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        let number = self.state().number(path)?;
        Ok(self.file(number))
    }

    fn create(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        let mut state = self.state();
        state.count_whole()?;
        if let Ok(number) = state.number(path) {
            let freed = state.files[number].bytes.len();
            state.give_space(freed);
            state.files[number].set_length(0);
            return Ok(self.file(number));
        }
        if !state.names.has_parent_of(path) {
            return Err(io::ErrorKind::NotFound.into());
        }
        let number = state.files.len();
        state.files.push(FileState::default());
        state.names.add(path, Entry::File(number));
        Ok(self.file(number))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.count_whole()?;
        let number = state.number(path)?;
        let freed = state.files[number].bytes.len();
        state.give_space(freed);
        state.names.remove(path);
        Ok(())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.count_whole()?;
        let entry = state.names.get(from).ok_or(io::ErrorKind::NotFound)?;
        if !state.names.has_parent_of(to) {
            return Err(io::ErrorKind::NotFound.into());
        }
        state.names.rename(from, to, entry);
        Ok(())
    }

    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.count_whole()?;
        let mut missing: Vec<&Path> = Vec::new();
        for dir in path.ancestors() {
            match state.names.get(dir) {
                Some(Entry::Directory) => break,
                Some(Entry::File(_)) => return Err(io::ErrorKind::NotADirectory.into()),
                None => missing.push(dir),
            }
        }
        for dir in missing.into_iter().rev() {
            state.names.add(dir, Entry::Directory);
        }
        Ok(())
    }

    fn remove_dir_all(&self, path: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.count_whole()?;
        if state.names.get(path) != Some(Entry::Directory) {
            return Err(io::ErrorKind::NotFound.into());
        }
        let inside: Vec<PathBuf> = state.names.list(path).cloned().collect();
        for file in inside {
            state.names.remove(&file);
        }
        state.names.remove(path);
        Ok(())
    }

    fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        let state = self.state();
        if state.names.get(path) != Some(Entry::Directory) {
            return Err(io::ErrorKind::NotFound.into());
        }
        let names = state.names.list(path).filter_map(|path| path.file_name());
        Ok(names
            .map(|name| name.to_string_lossy().into_owned())
            .collect())
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.count_whole()?;
        if state.names.get(path) != Some(Entry::Directory) {
            return Err(io::ErrorKind::NotFound.into());
        }
        state.names.sync(path);
        Ok(())
    }
}

impl ReadAt for SimFile {
    fn read_at(&self, buffer: &mut [u8], position: u64) -> io::Result<usize> {
        let mut state = self.disk.state();
        state.largest_read = state.largest_read.max(buffer.len());
        let position = usize::try_from(position).unwrap_or(usize::MAX);
        let rest = state.files[self.number]
            .bytes
            .get(position..)
            .unwrap_or_default();
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }

    fn read_cached_at(&self, buffer: &mut [u8], position: u64) -> io::Result<Option<usize>> {
        self.read_at(buffer, position).map(Some)
    }

    fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        None
    }
}

impl File for SimFile {
    fn write_all_at(&self, bytes: &[u8], position: u64) -> io::Result<()> {
        let mut state = self.disk.state();
        let fails = state.count()?;
        let position = usize::try_from(position).map_err(io::Error::other)?;
        let length = state.files[self.number].bytes.len();
        let growth = (position + bytes.len()).saturating_sub(length);
        let room = state.take_space(growth);
        let mut written = bytes.len() - (growth - room);
        if fails {
            written = written.min(state.random.usize(..bytes.len() + 1));
        }
        state.files[self.number].write(position, &bytes[..written]);
        match (fails, room < growth) {
            (true, _) => Err(failure()),
            (false, true) => Err(io::ErrorKind::StorageFull.into()),
            (false, false) => Ok(()),
        }
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        let mut state = self.disk.state();
        state.count_whole()?;
        let length = usize::try_from(length).map_err(io::Error::other)?;
        let freed = state.files[self.number].bytes.len().saturating_sub(length);
        state.give_space(freed);
        state.files[self.number].set_length(length);
        Ok(())
    }

    fn length(&self) -> io::Result<u64> {
        Ok(self.disk.state().files[self.number].bytes.len() as u64)
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut state = self.disk.state();
        let fails = state.count()?;
        let state = &mut *state;
        if fails {
            state.files[self.number].fail_to_sync(&mut state.random);
            return Err(failure());
        }
        state.files[self.number].sync();
        Ok(())
    }

    fn reader(self: Arc<Self>) -> Arc<dyn ReadAt> {
        self
    }
}
