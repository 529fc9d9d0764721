//! How a file takes the place of some segments, whatever crashes.
//!
//! # On disk
//! - `00000000000000000000.cleaned` is a file that is being written. A start removes it.
//! - `00000000000000000000-00000000000000000123.swap` is a whole file that holds the
//!   log from the first offset up to the second. A start finishes what was begun.
//! - `00000000000000000000-00000000000000000123.txnswap` is the index of aborted transactions
//!   that goes with it, if a segment that it replaces has one. Without the other one, a
//!   start removes it.
//!
//! | step | a crash behind it leaves |
//! |---|---|
//! | the file is written and synced as `.cleaned`, and its index as `.txnswap` | the old segments |
//! | it is renamed to `.swap`, and the directory is synced | the new one: a start finishes |
//! | the other segments are removed, the index gets the first one's name, and the directory is synced | the new one |
//! | it is renamed to the first segment's name, in its place | the new one |
//!
//! The directory is synced before the last step: if the last name came to disk and the removals
//! did not, the log would have offsets twice, and if the name of the index did not, aborted
//! records could look committed. For the same reason the name of the index is synced before `.swap` is there.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use disk::Disk;
use message_model::Offset;

use super::output::Output;
use crate::error::{At, Error};
use crate::index_file;
use crate::log::Log;
use crate::log_dir::LogDir;
use crate::log_view::LogView;
use crate::name;
use crate::part::{segment_base, segment_path};
use crate::sealed::Sealed;

/// Some segments that are written again, to one file that is on disk. They are still
/// what the log is made of.
#[must_use = "commit or discard it"]
#[derive(Debug)]
pub struct Rewritten {
    pub(crate) dir: Arc<LogDir>,
    pub(crate) old: Vec<Arc<Sealed>>,
    pub(crate) out: Output,
}

/// A file that has taken the place of some segments on disk; [`Log::replace`] does
/// the same in memory.
#[must_use = "the log still reads the old files"]
#[derive(Debug)]
pub struct Replacement {
    dir: Arc<LogDir>,
    old: Vec<Arc<Sealed>>,
    new: Arc<Sealed>,
}

impl Rewritten {
    /// Removes the file: the log has lost the segments, or is to be closed.
    pub fn discard(self) {
        self.out.discard(&self.dir);
    }

    /// Puts the file in place of its segments on disk. Whatever reads the old ones goes
    /// on doing so. Blocks for as long as the disk takes. Nothing else may add or remove
    /// segments of this log meanwhile, but for rolls.
    ///
    /// # Errors
    /// As the disk says. The log goes on with its old segments. If a crash could find
    /// the new ones, it is not compacted until it is opened again.
    // ANCHOR: commit
    pub fn commit(self) -> Result<Replacement, Error> {
        let dir = &self.dir;
        let segment = self.out.file.segment();
        // Recovery believes that no batch goes across the recovery point.
        let saved = dir.save_recovery_point(segment.end_offset);
        let named = saved.and_then(|()| self.sync_name_of_index());
        let opened = named.and_then(|()| self.keep_old());
        opened.inspect_err(|_| self.out.discard(dir))?;
        let swap = Swap {
            base_offset: segment.base_offset,
            end_offset: segment.end_offset,
            has_aborted: self.out.aborted.has_file(),
        };
        let cleaned = name::cleaned_path(&dir.path, segment.base_offset);
        let swap_path = swap.path(&dir.path);
        let disk = &*dir.disk;
        let swapped = disk
            .rename(&cleaned, &swap_path)
            .and_then(|()| disk.sync_dir(&dir.path))
            .at(&swap_path);
        let bases = self.old.iter().map(|old| old.base_offset());
        let swapped = swapped.and_then(|()| swap.finish(disk, &dir.path, bases));
        swapped.inspect_err(|_| dir.give_up_compaction())?;
        // Indexes that cannot be written are made again when they are needed.
        let _ = index_file::replace(disk, &dir.path, &self.out.file.indexes);
        let aborted = self.out.aborted.index();
        let new = Sealed::again(segment, self.old[0].version + 1, aborted);
        Ok(Replacement {
            dir: self.dir,
            old: self.old,
            new: Arc::new(new),
        })
    }
    // ANCHOR_END: commit

    /// A start that finds the segment must find the index too.
    fn sync_name_of_index(&self) -> Result<(), Error> {
        let dir = &self.dir;
        match self.out.aborted.has_file() {
            true => dir.disk.sync_dir(&dir.path).at(&dir.path),
            false => Ok(()),
        }
    }

    /// Keeps the old files open for their readers.
    fn keep_old(&self) -> Result<(), Error> {
        let files = self.old.iter().map(|old| old.open(&self.dir));
        let files: Vec<_> = files.collect::<Result<_, _>>()?;
        for old in &self.old {
            old.aborted.keep_open(&self.dir)?;
        }
        for (old, file) in self.old.iter().zip(files) {
            old.replace_with(file.file);
        }
        Ok(())
    }
}

impl Replacement {
    /// Forgets what was loaded of the old segments. Closes files, which may take long.
    pub fn forget_old(self) {
        for old in &self.old {
            self.dir.cache.remove(self.dir.key(old));
        }
    }
}

impl LogView {
    /// Whether the segments that were written again are still part of the log.
    #[must_use]
    pub fn holds(&self, rewritten: &Rewritten) -> bool {
        position_of(&self.sealed, &rewritten.old).is_some()
    }
}

impl Log {
    /// Lets the log be made of what a replacement has put on disk.
    ///
    /// # Panics
    /// When the log does not have the segments that were replaced.
    pub fn replace(&mut self, replacement: &Replacement) {
        let first = position_of(&self.sealed, &replacement.old);
        let first = first.expect("nothing removes segments while some are replaced");
        let mut sealed = self.sealed.to_vec();
        let replaced = first..first + replacement.old.len();
        sealed.splice(replaced, [Arc::clone(&replacement.new)]);
        self.sealed = Arc::new(sealed);
    }
}

/// Where `some` are among `all`, one behind the other.
fn position_of(all: &[Arc<Sealed>], some: &[Arc<Sealed>]) -> Option<usize> {
    let first = all.iter().position(|one| Arc::ptr_eq(one, &some[0]))?;
    let there = all.get(first..first + some.len())?;
    let is_same = there
        .iter()
        .zip(some)
        .all(|(one, other)| Arc::ptr_eq(one, other));
    is_same.then_some(first)
}

/// A whole file that holds the log from one offset up to another.
#[derive(Debug, Clone, Copy)]
struct Swap {
    base_offset: Offset,
    end_offset: Offset,
    /// Whether there is an index of aborted transactions that has not the segment's name yet.
    has_aborted: bool,
}

impl Swap {
    fn path(&self, dir: &Path) -> PathBuf {
        name::swap_path(dir, self.base_offset, self.end_offset)
    }

    /// Removes the segments among `bases` that the file replaces, and gives it the first one's name.
    fn finish(
        &self,
        disk: &dyn Disk,
        dir: &Path,
        bases: impl Iterator<Item = Offset>,
    ) -> Result<(), Error> {
        let is_replaced = |base: &Offset| *base >= self.base_offset && *base < self.end_offset;
        for base in bases.filter(is_replaced) {
            if base > self.base_offset {
                let path = segment_path(dir, base);
                disk.remove(&path).at(&path)?;
            }
            let caches = [
                name::offset_index_path(dir, base),
                name::time_index_path(dir, base),
            ];
            // That of the first segment stays until another one gets its name.
            let aborted = (base > self.base_offset).then(|| name::aborted_index_path(dir, base));
            for index in caches.into_iter().chain(aborted) {
                // One that is not there, or stays, does no harm.
                let _ = disk.remove(&index);
            }
        }
        if self.has_aborted {
            let path = name::aborted_index_path(dir, self.base_offset);
            let new = name::aborted_swap_path(dir, self.base_offset, self.end_offset);
            disk.rename(&new, &path).at(&path)?;
        }
        disk.sync_dir(dir).at(dir)?;
        let path = segment_path(dir, self.base_offset);
        disk.rename(&self.path(dir), &path).at(&path)?;
        disk.sync_dir(dir).at(dir)
    }
}

/// Finishes the replacements that a crash has interrupted, and removes files that were
/// not complete. `names` are those in the log's directory. Returns whether there were any.
///
/// # Errors
/// As the disk says.
// ANCHOR: recover
pub(crate) fn recover(disk: &dyn Disk, dir: &Path, names: &[String]) -> Result<bool, Error> {
    let mut found = false;
    for name in names {
        if name::is_cleaned(name) {
            let path = dir.join(name);
            disk.remove(&path).at(&path)?;
            found = true;
        }
        if let Some((base_offset, end_offset)) = name::swap(name) {
            let aborted = name::aborted_swap_path(dir, base_offset, end_offset);
            let swap = Swap {
                base_offset,
                end_offset,
                has_aborted: names.iter().any(|name| aborted.ends_with(name)),
            };
            let bases = names.iter().filter_map(|name| segment_base(name));
            swap.finish(disk, dir, bases)?;
            found = true;
        }
        if let Some((base_offset, end_offset)) = name::aborted_swap(name) {
            let segment = name::swap_path(dir, base_offset, end_offset);
            if !names.iter().any(|name| segment.ends_with(name)) {
                let path = dir.join(name);
                disk.remove(&path).at(&path)?;
                found = true;
            }
        }
    }
    Ok(found)
}
// ANCHOR_END: recover
