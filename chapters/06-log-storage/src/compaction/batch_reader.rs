//! Whole batches of a segment, one after the other.

use message_model::Offset;
use record_batch::{BatchHeader, layout, validate};

use crate::error::{At, Error};
use crate::part::SEGMENT_SIZE_MAX;
use crate::segment_view::SegmentView;
use crate::window::Window;

/// How much is read ahead when batches are small, in bytes.
const READ_AHEAD: usize = 256 * 1024;

/// A walk over the batches of one segment, their records included.
#[derive(Debug)]
pub(crate) struct BatchReader {
    segment: SegmentView,
    /// The next batch begins here, in bytes.
    position: u32,
    /// No batch from here on begins below it.
    next_offset: Offset,
    window: Window,
}

impl BatchReader {
    pub(crate) fn new(segment: SegmentView) -> BatchReader {
        BatchReader {
            position: 0,
            next_offset: segment.base_offset,
            window: Window::default(),
            segment,
        }
    }

    /// The header of the next batch, without passing it; `None` behind the last one.
    ///
    /// # Errors
    /// [`Error::Damaged`] when what is here is no header; else as the disk says.
    pub(crate) fn peek(&mut self) -> Result<Option<BatchHeader>, Error> {
        if self.position >= self.segment.size {
            return Ok(None);
        }
        let (position, damaged) = (u64::from(self.position), self.damaged());
        let window = &mut self.window;
        let head = window.read(&self.segment, position, layout::RECORDS, READ_AHEAD);
        let Ok(header) = BatchHeader::read(head.at(&self.segment.path)?) else {
            return Err(damaged);
        };
        let left = (self.segment.size - self.position) as usize;
        if header.size() > left || header.base_offset < self.next_offset {
            return Err(damaged);
        }
        Ok(Some(header))
    }

    /// The next batch, which is whole and has a right CRC; `None` behind the last one.
    ///
    /// # Errors
    /// [`Error::Damaged`] when what is here is no such batch; else as the disk says.
    pub(crate) fn next(&mut self) -> Result<Option<(BatchHeader, &[u8])>, Error> {
        let Some(header) = self.peek()? else {
            return Ok(None);
        };
        let (position, damaged) = (u64::from(self.position), self.damaged());
        let window = &mut self.window;
        let batch = window.read(&self.segment, position, header.size(), READ_AHEAD);
        let batch = batch.at(&self.segment.path)?;
        let batch = &batch[..header.size().min(batch.len())];
        if validate(batch, SEGMENT_SIZE_MAX as usize).is_err() {
            return Err(damaged);
        }
        self.position += u32::try_from(header.size()).expect("it is in the segment");
        self.next_offset = header.range().end;
        Ok(Some((header, batch)))
    }

    /// That the batch at the position cannot be read.
    pub(crate) fn damaged(&self) -> Error {
        Error::Damaged {
            path: self.segment.path.to_path_buf(),
            position: u64::from(self.position),
            offset: self.next_offset,
        }
    }
}
