//! The aborted transactions whose markers are in one segment.

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use disk::File;
use message_model::{Offset, OffsetRange};

use super::entry::AbortedTransaction;
use super::file::{self, Check, EntryFile, Extent};
use crate::error::{At, Error};
use crate::log_dir::LogDir;
use crate::name;

/// The end of a segment that may still grow.
pub(crate) const UNBOUNDED: Offset = Offset(i64::MAX);

/// The index of one segment, shared by the writer of the log and its views. Entries that
/// are beyond a view's end do it no harm.
#[derive(Debug)]
pub(crate) struct AbortedIndex {
    base_offset: Offset,
    state: Mutex<State>,
    /// Its file, if it has one, once compaction gives the name to another.
    replaced: OnceLock<Option<Arc<dyn File>>>,
}

/// No I/O is done under its lock.
#[derive(Debug)]
struct State {
    saved: Saved,
    /// Those that are in memory alone, in the order of their markers.
    unsaved: Vec<AbortedTransaction>,
}

/// What is in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Saved {
    /// There was a file when the log was opened. Up to where it holds was not said.
    Found,
    /// All of the file holds. It was not read yet.
    Unread,
    /// So much. Without an entry there is no file, or an empty one.
    Read(Extent),
}

/// What an index has from an offset on.
#[derive(Debug)]
pub(crate) enum Piece {
    /// The file has to be checked before that is known.
    Unread,
    /// Some are in the file, which has so many entries.
    Saved(u64),
    /// These come next, in memory. None: there are no more.
    Unsaved(Vec<AbortedTransaction>),
}

impl AbortedIndex {
    /// The index of a segment. If there is a file of it, it is found.
    pub(crate) fn new(base_offset: Offset, is_found: bool) -> AbortedIndex {
        let saved = match is_found {
            true => Saved::Found,
            false => Saved::Read(Extent::default()),
        };
        AbortedIndex::with(base_offset, saved)
    }

    /// An index that was just put on disk.
    pub(crate) fn written(base_offset: Offset, extent: Extent) -> AbortedIndex {
        AbortedIndex::with(base_offset, Saved::Read(extent))
    }

    fn with(base_offset: Offset, saved: Saved) -> AbortedIndex {
        AbortedIndex {
            base_offset,
            state: Mutex::new(State {
                saved,
                unsaved: Vec::new(),
            }),
            replaced: OnceLock::new(),
        }
    }

    /// Adds an entry. One whose marker is not behind all others is there already.
    ///
    /// # Panics
    /// When it is not known up to where the file holds.
    pub(crate) fn note(&self, aborted: AbortedTransaction) {
        let mut state = self.state();
        let Saved::Read(extent) = state.saved else {
            panic!("a start says up to where an index holds before it adds to it");
        };
        let last = state.unsaved.last().map(|last| last.last).or(extent.last);
        if last.is_none_or(|last| last < aborted.last) {
            state.unsaved.push(aborted);
        }
    }

    /// The next entries with a marker at or above `offset`, at most `count` of those in memory.
    ///
    /// # Panics
    /// When it is not known up to where the file holds.
    pub(crate) fn piece(&self, offset: Offset, count: usize) -> Piece {
        let state = self.state();
        match state.saved {
            Saved::Found => panic!("a start says up to where an index holds before it is read"),
            Saved::Unread => Piece::Unread,
            Saved::Read(extent) if extent.last >= Some(offset) => Piece::Saved(extent.count),
            Saved::Read(_) => {
                let first = state.unsaved.partition_point(|one| one.last < offset);
                let next = state.unsaved[first..].iter().take(count);
                Piece::Unsaved(next.copied().collect())
            }
        }
    }

    /// Whether the directory has a file of this index, empty or not.
    pub(crate) fn has_file(&self) -> bool {
        self.state().saved != Saved::Read(Extent::default())
    }

    /// Its file, with markers below `end`.
    ///
    /// # Errors
    /// As the disk says.
    pub(crate) fn open(&self, dir: &LogDir, end: Offset) -> Result<EntryFile, Error> {
        let path = self.path(dir);
        let opened = dir.disk.open(&path);
        // Asked after the opening: the name may have gone to another file just before.
        let file = match self.replaced.get() {
            Some(Some(kept)) => Ok(Arc::clone(kept)),
            Some(None) => Err(io::ErrorKind::NotFound.into()),
            None => opened,
        };
        Ok(EntryFile {
            file: file.at(&path)?,
            path,
            markers: OffsetRange {
                start: self.base_offset,
                end,
            },
        })
    }

    /// Notes what the check of the file has found.
    pub(crate) fn checked(&self, extent: Extent) {
        let mut state = self.state();
        if state.saved == Saved::Unread {
            state.saved = Saved::Read(extent);
        }
    }

    /// Keeps what is there of markers below `offset`, and forgets the rest, also on disk.
    /// `end` is the end of the segment, or above every offset if the segment is active. Blocks
    /// for as long as the disk takes.
    ///
    /// # Errors
    /// [`Error::Damaged`] when what is to be kept cannot be right; else as the disk says.
    pub(crate) fn keep_below(
        &self,
        dir: &LogDir,
        end: Offset,
        offset: Offset,
    ) -> Result<(), Error> {
        let saved = {
            let mut state = self.state();
            state.unsaved.retain(|one| one.last < offset);
            if end <= offset && state.saved == Saved::Found {
                state.saved = Saved::Unread;
            }
            state.saved
        };
        if end <= offset || saved == Saved::Read(Extent::default()) {
            return Ok(());
        }
        let kept = if offset <= self.base_offset {
            self.replace(dir, None, &[])?;
            Extent::default()
        } else {
            self.cut(dir, end, offset)?
        };
        self.state().saved = Saved::Read(kept);
        Ok(())
    }

    /// Cuts the file so that it has no marker at or above `offset`; returns what is left.
    fn cut(&self, dir: &LogDir, end: Offset, offset: Offset) -> Result<Extent, Error> {
        let file = self.open(dir, end)?;
        let mut check = Check::new(file.clone())?;
        let all = loop {
            if let Some(all) = check.step()? {
                break all;
            }
        };
        let count = file.first_from(all.count, offset)?;
        if count == all.count {
            return Ok(all);
        }
        let last = match count {
            0 => None,
            count => Some(file.read(count - 1, 1)?[0].last),
        };
        self.replace(dir, Some((&file, count)), &[])?;
        Ok(Extent { count, last })
    }

    /// Puts on disk what is in memory alone. Blocks for as long as the disk takes.
    ///
    /// # Errors
    /// As the disk says. What was on disk stays so, and the next call tries again.
    pub(crate) fn save(&self, dir: &LogDir) -> Result<(), Error> {
        let writes = dir.index_writes.lock();
        let _one_at_a_time = writes.unwrap_or_else(PoisonError::into_inner);
        let (extent, unsaved) = {
            let state = self.state();
            match state.saved {
                Saved::Read(extent) if !state.unsaved.is_empty() => (extent, state.unsaved.clone()),
                _ => return Ok(()),
            }
        };
        let old = match extent.count {
            0 => None,
            count => Some((self.open(dir, UNBOUNDED)?, count)),
        };
        let old = old.as_ref().map(|(file, count)| (file, *count));
        self.replace(dir, old, &unsaved)?;
        let mut state = self.state();
        state.saved = Saved::Read(Extent {
            count: extent.count + unsaved.len() as u64,
            last: unsaved.last().map(|last| last.last),
        });
        state.unsaved.drain(..unsaved.len());
        Ok(())
    }

    /// Keeps its file, if it has one, for those who still read it, before another one gets the name.
    ///
    /// # Errors
    /// As the disk says.
    pub(crate) fn keep_open(&self, dir: &LogDir) -> Result<(), Error> {
        let file = match self.has_file() {
            true => Some(self.open(dir, UNBOUNDED)?.file),
            false => None,
        };
        self.replaced.get_or_init(|| file);
        Ok(())
    }

    /// Puts a file with the first entries of an old one, so many, and `new` behind them in place of what is there.
    /// A crash leaves the old file or the new one.
    fn replace(
        &self,
        dir: &LogDir,
        old: Option<(&EntryFile, u64)>,
        new: &[AbortedTransaction],
    ) -> Result<(), Error> {
        let (disk, path) = (&*dir.disk, self.path(dir));
        if new.is_empty() && old.is_none_or(|(_, count)| count == 0) {
            match disk.remove(&path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                removed => removed.at(&path)?,
            }
        } else {
            let mut next = path.clone().into_os_string();
            next.push(disk::NEXT);
            let next = PathBuf::from(next);
            file::write(disk, &next, old, new)?;
            disk.rename(&next, &path).at(&path)?;
        }
        disk.sync_dir(&dir.path).at(&dir.path)
    }

    fn path(&self, dir: &LogDir) -> PathBuf {
        name::aborted_index_path(&dir.path, self.base_offset)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
