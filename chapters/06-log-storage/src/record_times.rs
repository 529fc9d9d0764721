//! When the records of an uncompressed batch happened, without reading the records.

use message_model::{Offset, Timestamp};
use record_batch::{BatchHeader, layout};
use wire_protocol::{Malformed, Reader};

use crate::error::{At, Error};
use crate::segment_view::SegmentView;
use crate::window::Window;

/// What a record begins with is no longer, in bytes: length, attributes,
/// timestamp delta, offset delta.
const HEAD_SIZE_MAX: usize = 5 + 1 + 10 + 5;
/// How much is read ahead when records are small, in bytes.
const READ_AHEAD: usize = 16 * 1024;
/// A step reads at most so many times from the file.
const READS_PER_STEP: u32 = 64;
/// A step passes at most so many records.
const RECORDS_PER_STEP: u32 = 4096;

/// The job of finding the first record of a batch that is as new as a target.
#[derive(Debug)]
pub(crate) struct RecordTimes {
    segment: SegmentView,
    header: BatchHeader,
    target: Timestamp,
    /// Where the next record begins and where the batch ends, in bytes of the segment.
    position: u64,
    end: u64,
    left: i32,
    window: Window,
}

/// What a search in a batch ends with.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    Record(Timestamp, Offset),
    Nothing,
    /// The records cannot be read.
    Unreadable,
}

impl RecordTimes {
    pub(crate) fn new(
        segment: SegmentView,
        position: u32,
        header: BatchHeader,
        target: Timestamp,
    ) -> RecordTimes {
        let position = u64::from(position);
        RecordTimes {
            segment,
            target,
            position: position + layout::RECORDS as u64,
            end: position + header.size() as u64,
            left: header.record_count,
            window: Window::default(),
            header,
        }
    }

    pub(crate) fn header(&self) -> &BatchHeader {
        &self.header
    }

    /// Does one step; `None`: there is more to do.
    ///
    /// # Errors
    /// As the disk says.
    pub(crate) fn step(&mut self) -> Result<Option<Found>, Error> {
        let reads_max = self.window.reads() + READS_PER_STEP;
        for _ in 0..RECORDS_PER_STEP {
            if self.left <= 0 {
                return Ok(Some(Found::Nothing));
            }
            if self.window.reads() >= reads_max {
                return Ok(None);
            }
            let head = self
                .window
                .read(&self.segment, self.position, HEAD_SIZE_MAX, READ_AHEAD)
                .at(&self.segment.path)?;
            let Some((timestamp, offset, size)) = read_head(&self.header, head) else {
                return Ok(Some(Found::Unreadable));
            };
            self.position += size;
            self.left -= 1;
            if self.position > self.end {
                return Ok(Some(Found::Unreadable));
            }
            if timestamp >= self.target {
                return Ok(Some(Found::Record(timestamp, offset)));
            }
        }
        Ok(None)
    }
}

/// The timestamp, the offset and the size of the record that begins with `head`.
pub(crate) fn read_head(header: &BatchHeader, head: &[u8]) -> Option<(Timestamp, Offset, u64)> {
    let mut reader = Reader::new(head);
    let mut fields = || -> Result<(i32, i64, i32, usize), Malformed> {
        let length = reader.varint()?;
        let body = reader.remaining();
        reader.i8()?;
        Ok((length, reader.varlong()?, reader.varint()?, body))
    };
    let (length, timestamp_delta, offset_delta, body) = fields().ok()?;
    let size = (head.len() - body) as u64 + u64::try_from(length).ok()?;
    let timestamp = header.base_timestamp.0.saturating_add(timestamp_delta);
    let offset = header.base_offset.0.saturating_add(offset_delta.into());
    let offset = Offset(offset);
    // A producer may send any delta.
    let in_batch = header.range().contains(offset);
    in_batch.then_some((Timestamp(timestamp), offset, size))
}
