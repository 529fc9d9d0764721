//! A walk along the headers of a segment.

use std::path::Path;
use std::sync::Arc;

use disk::ReadAt;
use message_model::Offset;
use networking::FileRange;
use record_batch::{BatchHeader, layout};

use crate::error::{At, Error};
use crate::window::Window;

/// A segment as its readers see it: what was appended later is not in it.
#[derive(Debug, Clone)]
pub(crate) struct View {
    pub(crate) path: Arc<Path>,
    pub(crate) file: Arc<dyn ReadAt>,
    pub(crate) base_offset: Offset,
    pub(crate) size: u32,
}

/// A walk along the batches of one segment; yields each one's position in the
/// segment (in bytes) and its header. Reads headers only.
#[derive(Debug)]
pub struct Scan {
    view: View,
    /// The next batch starts here; the segment's size behind the last one and after an error.
    position: u32,
    /// No batch from here on begins below it.
    next_offset: Offset,
    window: Window,
}

impl Scan {
    /// From `position`, where a batch starts.
    pub(crate) fn new(view: View, position: u32) -> Scan {
        Scan {
            position,
            next_offset: view.base_offset,
            window: Window::default(),
            view,
        }
    }

    /// A run of batches of this segment, unread.
    #[must_use]
    pub fn file_range(&self, position: u32, length: u32) -> FileRange {
        FileRange {
            file: Arc::clone(&self.view.file),
            position: u64::from(position),
            length,
        }
    }

    /// Passes the batches that end at or below `offset`. Returns whether one is left.
    ///
    /// # Errors
    /// As the walk itself.
    pub(crate) fn skip_to(&mut self, offset: Offset) -> Result<bool, Error> {
        loop {
            let (position, next_offset) = (self.position, self.next_offset);
            match self.next() {
                None => return Ok(false),
                Some(Err(error)) => return Err(error),
                Some(Ok((_, header))) if header.range().end > offset => {
                    self.position = position;
                    self.next_offset = next_offset;
                    return Ok(true);
                }
                Some(Ok(_)) => {}
            }
        }
    }

    /// The header of the next batch, without passing it; `None` behind the last
    /// one, and when what stands here is none.
    pub(crate) fn peek(&mut self) -> Option<BatchHeader> {
        self.read_header().ok().flatten()
    }

    /// Where the next batch starts.
    pub(crate) fn position(&self) -> u32 {
        self.position
    }

    /// The bytes of the batch at `position`, which the walk has passed.
    ///
    /// # Errors
    /// As the disk says; [`Error::Damaged`] when the file has become shorter.
    pub(crate) fn batch(&self, position: u32, header: &BatchHeader) -> Result<Vec<u8>, Error> {
        let mut batch = vec![0; header.size()];
        let read = crate::window::read_up_to(&*self.view.file, &mut batch, u64::from(position));
        if read.at(&self.view.path)? < batch.len() {
            return Err(self.damaged());
        }
        Ok(batch)
    }

    fn read_header(&mut self) -> Result<Option<BatchHeader>, Error> {
        if self.position >= self.view.size {
            return Ok(None);
        }
        let (position, end) = (u64::from(self.position), u64::from(self.view.size));
        let window = self
            .window
            .at(&*self.view.file, position, layout::RECORDS, end)
            .at(&self.view.path)?;
        match BatchHeader::read(window) {
            Ok(header) if self.can_stand_here(&header) => Ok(Some(header)),
            _ => Err(self.damaged()),
        }
    }

    fn can_stand_here(&self, header: &BatchHeader) -> bool {
        let left = u64::from(self.view.size - self.position);
        header.base_offset >= self.next_offset
            && header.last_offset_delta >= 0
            && header.size() as u64 <= left
    }

    fn damaged(&self) -> Error {
        Error::Damaged {
            path: self.view.path.to_path_buf(),
            position: u64::from(self.position),
            offset: self.next_offset,
        }
    }
}

impl Iterator for Scan {
    type Item = Result<(u32, BatchHeader), Error>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.read_header() {
            Ok(None) => None,
            Ok(Some(header)) => {
                let position = self.position;
                // It fits: `can_stand_here` has compared it with the segment's size.
                let size = u32::try_from(header.size()).unwrap_or(u32::MAX);
                self.position = position.saturating_add(size);
                self.next_offset = header.range().end;
                Some(Ok((position, header)))
            }
            Err(error) => {
                self.position = self.view.size;
                Some(Err(error))
            }
        }
    }
}
