//! A piece of a file in memory, moved along as its reader goes.

use std::io;

use disk::ReadAt;

use crate::segment_view::SegmentView;

/// A piece of a file.
#[derive(Debug, Default)]
pub(crate) struct Window {
    buffer: Vec<u8>,
    /// How many bytes of the buffer are from the file.
    filled: usize,
    /// Where in the file they start, in bytes.
    start: u64,
    /// How often the file was read.
    reads: u32,
}

impl Window {
    /// The bytes of `segment` from `position` on: at least `wanted`, unless the
    /// segment ends before. When it must read, it reads up to `ahead` bytes.
    ///
    /// # Errors
    /// As the disk says.
    pub(crate) fn read(
        &mut self,
        segment: &SegmentView,
        position: u64,
        wanted: usize,
        ahead: usize,
    ) -> io::Result<&[u8]> {
        let mut skip = self.skip(position);
        if self.filled - skip < wanted {
            self.buffer.copy_within(skip..self.filled, 0);
            self.filled -= skip;
            self.start = position;
            self.reads += 1;
            skip = 0;
            let left = u64::from(segment.size).saturating_sub(position);
            let left = usize::try_from(left).unwrap_or(usize::MAX);
            let end = wanted.max(ahead).min(left).max(self.filled);
            if self.buffer.len() < end {
                self.buffer.resize(end, 0);
            }
            let wanted = wanted - self.filled;
            let rest = &mut self.buffer[self.filled..end];
            let position = position + self.filled as u64;
            self.filled += read_some(&*segment.reads, rest, position, wanted)?;
        }
        Ok(&self.buffer[skip..self.filled])
    }

    /// How often the file was read so far.
    pub(crate) fn reads(&self) -> u32 {
        self.reads
    }

    /// How many bytes of the window are in front of `position`; all, if it is elsewhere.
    fn skip(&self, position: u64) -> usize {
        let skip = position.checked_sub(self.start);
        let skip = skip.and_then(|skip| usize::try_from(skip).ok());
        skip.map_or(self.filled, |skip| skip.min(self.filled))
    }
}

/// Reads at `position` until `buffer` is full or the file ends.
///
/// # Errors
/// As the disk says.
pub(crate) fn read_up_to(file: &dyn ReadAt, buffer: &mut [u8], position: u64) -> io::Result<usize> {
    let wanted = buffer.len();
    read_some(file, buffer, position, wanted)
}

/// Reads at `position` until `wanted` bytes are there or the file ends; more, if
/// they come with them.
fn read_some(
    file: &dyn ReadAt,
    buffer: &mut [u8],
    position: u64,
    wanted: usize,
) -> io::Result<usize> {
    let mut filled = 0;
    while filled < wanted.min(buffer.len()) {
        match file.read_at(&mut buffer[filled..], position + filled as u64) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
