//! The index of aborted transactions of the file that takes the place of some segments.

use std::path::PathBuf;
use std::sync::Arc;

use disk::File;
use message_model::Offset;

use crate::aborted::{AbortedIndex, AbortedTransaction, Extent};
use crate::error::{At, Error};
use crate::log_dir::LogDir;
use crate::name;
use crate::sealed::Sealed;

/// Entries are collected up to this size before they are written, in bytes.
const WRITE_SIZE: usize = 64 * 1024;

/// An index on its way to disk. Where none of the old segments has one, there is no file.
#[derive(Debug)]
pub(crate) struct NewAborted {
    path: PathBuf,
    base_offset: Offset,
    file: Option<Arc<dyn File>>,
    extent: Extent,
    /// How many bytes are written.
    written: u64,
    unwritten: Vec<u8>,
}

impl NewAborted {
    /// An empty index in place of those of `old`, which are put on disk before.
    ///
    /// # Errors
    /// As the disk says.
    pub(crate) fn create(dir: &LogDir, old: &[Arc<Sealed>]) -> Result<NewAborted, Error> {
        for one in old {
            one.aborted.save(dir)?;
        }
        let (base_offset, end) = (old[0].base_offset(), old[old.len() - 1].end_offset());
        let path = name::aborted_swap_path(&dir.path, base_offset, end);
        let is_needed = old.iter().any(|one| one.aborted.has_file());
        let file = match is_needed {
            true => Some(dir.disk.create(&path).at(&path)?),
            false => None,
        };
        Ok(NewAborted {
            path,
            base_offset,
            file,
            extent: Extent::default(),
            written: 0,
            unwritten: Vec::new(),
        })
    }

    /// Appends an entry.
    ///
    /// # Errors
    /// As the disk says.
    pub(crate) fn push(&mut self, aborted: AbortedTransaction) -> Result<(), Error> {
        self.extent = Extent {
            count: self.extent.count + 1,
            last: Some(aborted.last),
        };
        aborted.write(&mut self.unwritten);
        if self.unwritten.len() >= WRITE_SIZE {
            self.write()?;
        }
        Ok(())
    }

    /// Puts the file on disk.
    ///
    /// # Errors
    /// As the disk says.
    pub(crate) fn finish(&mut self) -> Result<(), Error> {
        self.write()?;
        match &self.file {
            Some(file) => file.sync_data().at(&self.path),
            None => Ok(()),
        }
    }

    /// Whether there is a file.
    pub(crate) fn has_file(&self) -> bool {
        self.file.is_some()
    }

    /// The index, once it is in its place.
    pub(crate) fn index(&self) -> AbortedIndex {
        AbortedIndex::written(self.base_offset, self.extent)
    }

    /// Removes the file, if that is possible; a later start removes it too.
    pub(crate) fn discard(&self, dir: &LogDir) {
        if self.has_file() {
            let _ = dir.disk.remove(&self.path);
        }
    }

    fn write(&mut self) -> Result<(), Error> {
        if let Some(file) = &self.file {
            let written = file.write_all_at(&self.unwritten, self.written);
            written.at(&self.path)?;
        } else {
            assert!(self.unwritten.is_empty(), "an entry comes out of an index");
        }
        self.written += self.unwritten.len() as u64;
        self.unwritten.clear();
        Ok(())
    }
}
