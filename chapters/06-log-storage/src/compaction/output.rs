//! What a group of segments becomes.

use std::sync::Arc;

use message_model::{Offset, Timestamp};
use record_batch::BatchHeader;

use super::new_aborted::NewAborted;
use super::new_segment::NewSegment;
use super::rewrite::Left;
use crate::aborted::AbortedTransaction;
use crate::error::Error;
use crate::log_dir::LogDir;
use crate::sealed::Sealed;

/// A segment and its index of aborted transactions, while they are written.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) file: NewSegment,
    pub(crate) aborted: NewAborted,
    /// Whether the files differ from the old ones.
    differs: bool,
    /// The last batch that was looked at.
    last: Option<BatchHeader>,
    /// The largest timestamp of what was left out since the last batch that was kept.
    left_out: Timestamp,
}

impl Output {
    /// Empty files that are to take the place of the segments `old`.
    ///
    /// # Errors
    /// As the disk says.
    pub(crate) fn create(dir: &LogDir, old: &[Arc<Sealed>]) -> Result<Output, Error> {
        let aborted = NewAborted::create(dir, old)?;
        let file = NewSegment::create(dir, old[0].base_offset());
        Ok(Output {
            file: file.inspect_err(|_| aborted.discard(dir))?,
            aborted,
            differs: old.len() > 1,
            last: None,
            left_out: Timestamp::NONE,
        })
    }

    /// Writes what is left of a batch; returns its size in bytes.
    ///
    /// # Errors
    /// As the disk says.
    pub(crate) fn take(
        &mut self,
        left: Left,
        header: &BatchHeader,
        batch: &[u8],
    ) -> Result<usize, Error> {
        self.last = Some(*header);
        match left {
            Left::All => {
                self.file.push(header, batch)?;
                self.left_out = Timestamp::NONE;
                Ok(batch.len())
            }
            Left::Some(batch) => {
                let header = BatchHeader::read(&batch).expect("it was just made");
                self.file.push(&header, &batch)?;
                self.differs = true;
                self.left_out = Timestamp::NONE;
                Ok(batch.len())
            }
            Left::Nothing => {
                self.differs = true;
                self.left_out = self.left_out.max(header.newest());
                Ok(0)
            }
        }
    }

    /// Writes the entry of a marker that stays, if it has one.
    ///
    /// # Errors
    /// As the disk says.
    pub(crate) fn keep_aborted(
        &mut self,
        aborted: Option<AbortedTransaction>,
    ) -> Result<(), Error> {
        match aborted {
            Some(aborted) => self.aborted.push(aborted),
            None => Ok(()),
        }
    }

    /// Leaves the entry of a marker out, if it has one.
    pub(crate) fn drop_aborted(&mut self, aborted: Option<AbortedTransaction>) {
        self.differs |= aborted.is_some();
    }

    /// Makes the segment end at `end`, and puts the files on disk.
    ///
    /// # Errors
    /// As the disk says.
    pub(crate) fn finish(&mut self, end: Offset) -> Result<(), Error> {
        let last = self.last.expect("a closed segment has a batch");
        self.file.finish(end, &last, self.left_out)?;
        self.aborted.finish()
    }

    /// Whether the files, which are finished, differ from those of the segments `old`.
    pub(crate) fn differs_from(&self, old: &[Arc<Sealed>]) -> bool {
        self.differs || self.file.segment() != old[0].segment
    }

    /// Removes the files, if that is possible; a later start removes them too.
    pub(crate) fn discard(&self, dir: &LogDir) {
        self.file.discard(dir);
        self.aborted.discard(dir);
    }
}
