//! The disk, and its open files.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use disk::{Disk, File};
use fastrand::Rng;

use crate::file::FileState;
use crate::names::{Entry, Names};
use crate::parking::{Call, Parking, Spot};
use crate::sim_file::SimFile;

/// A disk in memory. Clones are the same disk.
#[derive(Clone)]
pub struct SimDisk(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    parking: Mutex<Vec<Arc<Spot>>>,
    /// How often each file is open, by the name that it was opened with.
    open: Mutex<BTreeMap<PathBuf, usize>>,
}

pub(crate) struct State {
    names: Names,
    /// By number; a removed file can still be read by those who have it open.
    pub(crate) files: Vec<FileState>,
    pub(crate) random: Rng,
    /// The call that is running, and the file or directory that it is about.
    call: (Call, PathBuf),
    /// The operations that change something, oldest first.
    operations: Vec<(Call, PathBuf)>,
    /// How many calls there were that change nothing.
    pub(crate) queries: u64,
    pub(crate) query_fails_at: Option<u64>,
    /// How many bytes a read returns at most.
    pub(crate) read_size_max: usize,
    pub(crate) fails_at: Option<u64>,
    pub(crate) power_off_at: Option<u64>,
    /// How many bytes files may still grow by.
    pub(crate) space: Option<u64>,
    pub(crate) failed_syncs_spoil: bool,
    pub(crate) counts: Counts,
    pub(crate) is_cold: bool,
}

/// How much was asked of a disk.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Reads of files.
    pub reads: u64,
    /// The bytes that they returned.
    pub bytes_read: u64,
    /// The largest buffer that was read into, in bytes.
    pub largest_read: usize,
    /// Writes to files.
    pub writes: u64,
    /// Syncs of files.
    pub syncs: u64,
    /// Syncs of directories.
    pub directory_syncs: u64,
}

impl SimDisk {
    /// An empty disk. What is lost and what survives follows from `seed`.
    #[must_use]
    pub fn new(seed: u64) -> SimDisk {
        SimDisk::with(Names::default(), Vec::new(), Rng::with_seed(seed))
    }

    fn with(names: Names, files: Vec<FileState>, random: Rng) -> SimDisk {
        let state = State {
            names,
            files,
            random,
            call: (Call::Open, PathBuf::new()),
            operations: Vec::new(),
            queries: 0,
            query_fails_at: None,
            read_size_max: usize::MAX,
            fails_at: None,
            power_off_at: None,
            space: None,
            failed_syncs_spoil: false,
            counts: Counts::default(),
            is_cold: false,
        };
        SimDisk(Arc::new(Shared {
            state: Mutex::new(state),
            parking: Mutex::new(Vec::new()),
            open: Mutex::default(),
        }))
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
        self.state().operations.len() as u64
    }

    /// What operation number `operation` was, such as `Sync of /log/file`; `the
    /// end` when there were not so many.
    #[must_use]
    pub fn operation(&self, operation: u64) -> String {
        let state = self.state();
        let number = usize::try_from(operation).unwrap_or(usize::MAX);
        let call = state.operations.get(number);
        call.map_or_else(
            || "the end".to_owned(),
            |(call, path)| format!("{call:?} of {}", path.display()),
        )
    }

    /// How much was asked of it so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.state().counts
    }

    /// Holds up the next call of this kind on `under` or below it, until the
    /// parking is released or dropped. A file's calls go by the name that it was opened with.
    #[must_use]
    pub fn park_next(&self, call: Call, under: &Path) -> Parking {
        self.park(call, under, 1)
    }

    /// The same for every such call from now on.
    #[must_use]
    pub fn park_every(&self, call: Call, under: &Path) -> Parking {
        self.park(call, under, usize::MAX)
    }

    fn park(&self, call: Call, under: &Path, calls_max: usize) -> Parking {
        let (parking, spot) = Parking::new(call, under, calls_max);
        self.parking().push(spot);
        parking
    }

    /// Where a call of this kind on `path` is held up.
    pub(crate) fn spot(&self, call: Call, path: &Path) -> Option<Arc<Spot>> {
        let parking = self.parking();
        parking.iter().find(|spot| spot.is_for(call, path)).cloned()
    }

    /// The state, once no parking holds the call up.
    pub(crate) fn begin(&self, call: Call, path: &Path) -> MutexGuard<'_, State> {
        if let Some(spot) = self.spot(call, path) {
            spot.park();
        }
        let mut state = self.state();
        state.call = (call, path.to_owned());
        state
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

    /// How many files are open whose names, as they were opened, are `under` or
    /// below it; one that is open twice counts twice, as it takes two descriptors.
    #[must_use]
    pub fn open_files(&self, under: &Path) -> usize {
        let open = self.opened();
        let below = open.iter().filter(|(path, _)| path.starts_with(under));
        below.map(|(_, count)| count).sum()
    }

    /// The counts of open files, locked.
    pub(crate) fn opened(&self) -> MutexGuard<'_, BTreeMap<PathBuf, usize>> {
        self.0.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn parking(&self) -> MutexGuard<'_, Vec<Arc<Spot>>> {
        self.0
            .parking
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
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
    pub(crate) fn count(&mut self) -> io::Result<bool> {
        let operation = self.operations.len() as u64;
        self.operations.push(self.call.clone());
        if self.power_off_at.is_some_and(|at| operation >= at) {
            return Err(io::Error::other("the power is off"));
        }
        Ok(self.fails_at == Some(operation))
    }

    /// Counts a call that changes nothing.
    pub(crate) fn query(&mut self) -> io::Result<()> {
        let query = self.queries;
        self.queries += 1;
        if self.query_fails_at == Some(query) {
            return Err(failure());
        }
        Ok(())
    }

    /// Counts an operation that either happens or not.
    pub(crate) fn count_whole(&mut self) -> io::Result<()> {
        if self.count()? {
            return Err(failure());
        }
        Ok(())
    }

    /// How many of the `wanted` bytes that a file is to grow by there is room for.
    pub(crate) fn take_space(&mut self, wanted: usize) -> usize {
        let Some(space) = &mut self.space else {
            return wanted;
        };
        let room = usize::try_from(*space).map_or(wanted, |space| space.min(wanted));
        *space -= room as u64;
        room
    }

    pub(crate) fn give_space(&mut self, freed: usize) {
        if let Some(space) = &mut self.space {
            *space += freed as u64;
        }
    }
}

pub(crate) fn failure() -> io::Error {
    io::Error::other("the disk fails")
}

impl Disk for SimDisk {
    fn open(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        let mut state = self.begin(Call::Open, path);
        state.query()?;
        let number = state.number(path)?;
        Ok(SimFile::open(self, path, number))
    }

    fn create(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        let mut state = self.begin(Call::Create, path);
        state.count_whole()?;
        if let Ok(number) = state.number(path) {
            let freed = state.files[number].bytes.len();
            state.give_space(freed);
            state.files[number].set_length(0);
            return Ok(SimFile::open(self, path, number));
        }
        if !state.names.has_parent_of(path) {
            return Err(io::ErrorKind::NotFound.into());
        }
        let number = state.files.len();
        state.files.push(FileState::default());
        state.names.add(path, Entry::File(number));
        Ok(SimFile::open(self, path, number))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut state = self.begin(Call::Remove, path);
        state.count_whole()?;
        let number = state.number(path)?;
        let freed = state.files[number].bytes.len();
        state.give_space(freed);
        state.names.remove(path);
        Ok(())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.begin(Call::Rename, to);
        state.count_whole()?;
        let entry = state.names.get(from).ok_or(io::ErrorKind::NotFound)?;
        if !state.names.has_parent_of(to) {
            return Err(io::ErrorKind::NotFound.into());
        }
        state.names.rename(from, to, entry);
        Ok(())
    }

    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        let mut state = self.begin(Call::CreateDir, path);
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
        let mut state = self.begin(Call::RemoveDir, path);
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
        let mut state = self.begin(Call::List, path);
        state.query()?;
        if state.names.get(path) != Some(Entry::Directory) {
            return Err(io::ErrorKind::NotFound.into());
        }
        let names = state.names.list(path).filter_map(|path| path.file_name());
        Ok(names
            .map(|name| name.to_string_lossy().into_owned())
            .collect())
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        let mut state = self.begin(Call::SyncDir, path);
        state.counts.directory_syncs += 1;
        state.count_whole()?;
        if state.names.get(path) != Some(Entry::Directory) {
            return Err(io::ErrorKind::NotFound.into());
        }
        state.names.sync(path);
        Ok(())
    }
}
