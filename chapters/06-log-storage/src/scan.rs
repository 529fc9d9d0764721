//! A walk along the headers of a segment.

use std::sync::Arc;
use std::vec;

use message_model::Offset;
use networking::FileRange;
use record_batch::{BatchHeader, layout};

use crate::error::{At, Error};
use crate::segment_view::SegmentView;
use crate::window::Window;

/// How much is read ahead of a header when batches are small, in bytes.
const READ_AHEAD: usize = 16 * 1024;
/// The same before the first header, when it is not known how large batches are.
const READ_AHEAD_AT_FIRST: usize = 4 * 1024;

/// A walk along the batches of one segment; yields each one's position in the
/// segment (in bytes) and its header. Reads headers only.
#[derive(Debug)]
pub struct Scan {
    view: SegmentView,
    /// The next batch starts here; the segment's size behind the last one and after an error.
    position: u32,
    /// No batch from here on begins below it.
    next_offset: Offset,
    /// The batches from `position` on that are known without reading.
    known: vec::IntoIter<(u32, BatchHeader)>,
    window: Window,
    /// How much to read at the next header, in bytes.
    ahead: usize,
}

impl Scan {
    /// From `position`, where a batch starts.
    pub(crate) fn new(view: SegmentView, position: u32) -> Scan {
        Scan {
            position,
            next_offset: view.base_offset,
            known: Vec::new().into_iter(),
            window: Window::default(),
            ahead: READ_AHEAD_AT_FIRST,
            view,
        }
    }

    /// From the first of `known`, which lie one behind the other.
    pub(crate) fn from_known(view: SegmentView, known: Vec<(u32, BatchHeader)>) -> Scan {
        let position = known.first().map_or(view.size, |(position, _)| *position);
        Scan {
            known: known.into_iter(),
            ..Scan::new(view, position)
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

    /// Whether there is a batch that ends above `offset`, and moves to it;
    /// `None` when `headers_max` headers have been passed without an answer.
    ///
    /// # Errors
    /// As the walk itself.
    pub(crate) fn skip_to(
        &mut self,
        offset: Offset,
        headers_max: u32,
    ) -> Result<Option<bool>, Error> {
        for _ in 0..headers_max {
            match self.peek()? {
                None => return Ok(Some(false)),
                Some(header) if header.range().end > offset => return Ok(Some(true)),
                Some(header) => self.pass(&header),
            }
        }
        Ok(None)
    }

    /// The header of the next batch, without passing it; `None` behind the last one.
    ///
    /// # Errors
    /// [`Error::Damaged`] when what is here is no batch; else as the disk says.
    pub(crate) fn peek(&mut self) -> Result<Option<BatchHeader>, Error> {
        if let Some((_, header)) = self.known.as_slice().first() {
            return Ok(Some(*header));
        }
        if self.position >= self.view.size {
            return Ok(None);
        }
        let window = self
            .window
            .read(
                &self.view,
                u64::from(self.position),
                layout::RECORDS,
                self.ahead,
            )
            .at(&self.view.path)?;
        match BatchHeader::read(window) {
            Ok(header) if self.can_be_here(&header) => Ok(Some(header)),
            _ => Err(self.damaged()),
        }
    }

    /// Goes on behind the batch that [`peek`](Scan::peek) has returned.
    fn pass(&mut self, header: &BatchHeader) {
        self.known.next();
        let size = u32::try_from(header.size()).expect("it is at most the segment's size");
        self.position += size;
        self.next_offset = header.range().end;
        // A header of 61 bytes is not worth a page when the next one is on another page anyway.
        let is_small = header.size() <= READ_AHEAD / 4;
        self.ahead = if is_small {
            READ_AHEAD
        } else {
            layout::RECORDS
        };
    }

    /// The segment.
    pub(crate) fn view(&self) -> &SegmentView {
        &self.view
    }

    fn can_be_here(&self, header: &BatchHeader) -> bool {
        let left = u64::from(self.view.size - self.position);
        header.base_offset >= self.next_offset
            && header.last_offset_delta >= 0
            && header.size() as u64 <= left
    }

    pub(crate) fn damaged(&self) -> Error {
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
        match self.peek() {
            Ok(None) => None,
            Ok(Some(header)) => {
                let position = self.position;
                self.pass(&header);
                Some(Ok((position, header)))
            }
            Err(error) => {
                self.position = self.view.size;
                Some(Err(error))
            }
        }
    }
}
