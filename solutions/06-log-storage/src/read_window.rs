//! Reading a file in pieces.

use std::io;

use disk::ReadAt;

/// How much is read at a time at least, in bytes.
const WINDOW_SIZE: usize = 64 * 1024;

/// A piece of a file in memory, moved along as the walk goes.
#[derive(Debug, Default)]
pub(crate) struct ReadWindow {
    buffer: Vec<u8>,
    /// How many bytes of the buffer are from the file.
    filled: usize,
    /// Where in the file they start, in bytes.
    start: u64,
}

impl ReadWindow {
    /// The bytes of `file` from `position` on: at least `wanted`, or all that are left.
    ///
    /// # Errors
    /// As the disk says.
    pub(crate) fn read(
        &mut self,
        file: &dyn ReadAt,
        position: u64,
        wanted: usize,
    ) -> io::Result<&[u8]> {
        let mut skip = self.skip(position);
        if self.filled - skip < wanted {
            self.buffer.copy_within(skip..self.filled, 0);
            self.filled -= skip;
            self.start = position;
            skip = 0;
            let size = wanted.max(WINDOW_SIZE).max(self.buffer.len());
            self.buffer.resize(size, 0);
            let rest = &mut self.buffer[self.filled..];
            self.filled += read_up_to(file, rest, position + self.filled as u64)?;
        }
        Ok(&self.buffer[skip..self.filled])
    }

    /// How many bytes of the window are in front of `position`; all, if it is elsewhere.
    fn skip(&self, position: u64) -> usize {
        let skip = position.checked_sub(self.start);
        let skip = skip.and_then(|skip| usize::try_from(skip).ok());
        skip.map_or(self.filled, |skip| skip.min(self.filled))
    }
}

/// Reads at `position` until `buffer` is full or the file ends.
fn read_up_to(file: &dyn ReadAt, buffer: &mut [u8], position: u64) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read_at(&mut buffer[filled..], position + filled as u64) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
