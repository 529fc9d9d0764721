//! The entries of an index on disk.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use disk::{Disk, File};
use message_model::{Offset, OffsetRange};

use super::entry::{AbortedTransaction, ENTRY_SIZE};
use crate::error::{At, Error};
use crate::window::read_up_to;

/// So many entries are read at a time: about 0.5 MiB.
pub(crate) const ENTRIES_PER_PIECE: usize = 15_000;

/// How much of a file counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Extent {
    /// The number of entries.
    pub(crate) count: u64,
    /// The marker of the last one.
    pub(crate) last: Option<Offset>,
}

/// A file of entries, open.
#[derive(Debug, Clone)]
pub(crate) struct EntryFile {
    pub(crate) path: PathBuf,
    pub(crate) file: Arc<dyn File>,
    /// Where the markers are: in the segment.
    pub(crate) markers: OffsetRange,
}

impl EntryFile {
    /// The entries from the one with this `number` on, at most `count`, which the file has.
    ///
    /// # Errors
    /// [`Error::Damaged`] when one cannot be, or they are not in the order of their markers;
    /// else as the disk says.
    pub(crate) fn read(&self, number: u64, count: u64) -> Result<Vec<AbortedTransaction>, Error> {
        let count =
            usize::try_from(count).map_or(ENTRIES_PER_PIECE, |count| count.min(ENTRIES_PER_PIECE));
        let mut bytes = vec![0; count * ENTRY_SIZE];
        let filled = read_up_to(&*self.file, &mut bytes, position(number)).at(&self.path)?;
        let mut entries: Vec<AbortedTransaction> = Vec::new();
        let (chunks, _) = bytes[..filled].as_chunks();
        for (chunk, number) in chunks.iter().zip(number..) {
            let entry = AbortedTransaction::read(chunk);
            let is_next = |entry: &AbortedTransaction| {
                self.markers.contains(entry.last)
                    && entries.last().is_none_or(|last| last.last < entry.last)
            };
            let entry = entry.filter(is_next);
            entries.push(entry.ok_or_else(|| self.damaged(number))?);
        }
        if entries.len() != count {
            return Err(self.damaged(number + entries.len() as u64));
        }
        Ok(entries)
    }

    /// The number of the first of `count` entries with a marker at or above `offset`;
    /// `count` if there is none.
    ///
    /// # Errors
    /// As [`read`](EntryFile::read).
    pub(crate) fn first_from(&self, count: u64, offset: Offset) -> Result<u64, Error> {
        let (mut low, mut high) = (0, count);
        while low < high {
            let middle = low.midpoint(high);
            let entry = self.read(middle, 1)?;
            if entry[0].last < offset {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Ok(low)
    }

    fn damaged(&self, number: u64) -> Error {
        Error::Damaged {
            path: self.path.clone(),
            position: position(number),
            offset: self.markers.start,
        }
    }
}

/// The walk over a whole file, before any of it is believed.
#[derive(Debug)]
pub(crate) struct Check {
    file: EntryFile,
    /// What was read so far.
    read: Extent,
    /// How many entries there are.
    count: u64,
}

impl Check {
    /// The walk from the first entry on.
    ///
    /// # Errors
    /// [`Error::Damaged`] when the file does not end with a whole entry; else as the disk says.
    pub(crate) fn new(file: EntryFile) -> Result<Check, Error> {
        let size = ENTRY_SIZE as u64;
        let length = file.file.length().at(&file.path)?;
        let count = length / size;
        if !length.is_multiple_of(size) {
            return Err(file.damaged(count));
        }
        Ok(Check {
            file,
            read: Extent::default(),
            count,
        })
    }

    /// Reads the next piece. Returns the extent of the file when all is read.
    ///
    /// # Errors
    /// As [`EntryFile::read`].
    pub(crate) fn step(&mut self) -> Result<Option<Extent>, Error> {
        let left = self.count - self.read.count;
        let entries = self.file.read(self.read.count, left)?;
        if let (Some(first), Some(last)) = (entries.first(), entries.last()) {
            if Some(first.last) <= self.read.last {
                return Err(self.file.damaged(self.read.count));
            }
            self.read = Extent {
                count: self.read.count + entries.len() as u64,
                last: Some(last.last),
            };
        }
        Ok((self.read.count == self.count).then_some(self.read))
    }
}

/// Writes a file at `path` with the first entries of an old one, so many, and `new` behind them, and puts it on disk.
///
/// # Errors
/// As the disk says.
pub(crate) fn write(
    disk: &dyn Disk,
    path: &Path,
    old: Option<(&EntryFile, u64)>,
    new: &[AbortedTransaction],
) -> Result<(), Error> {
    let file = disk.create(path).at(path)?;
    let mut number = 0;
    if let Some((old, count)) = old {
        while number < count {
            let entries = old.read(number, count - number)?;
            file.write_all_at(&bytes(&entries), position(number))
                .at(path)?;
            number += entries.len() as u64;
        }
    }
    for piece in new.chunks(ENTRIES_PER_PIECE) {
        file.write_all_at(&bytes(piece), position(number))
            .at(path)?;
        number += piece.len() as u64;
    }
    file.sync_data().at(path)
}

fn bytes(entries: &[AbortedTransaction]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(entries.len() * ENTRY_SIZE);
    for entry in entries {
        entry.write(&mut bytes);
    }
    bytes
}

/// Where an entry begins, in bytes.
pub(crate) fn position(number: u64) -> u64 {
    number * ENTRY_SIZE as u64
}
