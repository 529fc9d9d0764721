//! A piece of a file in memory, moved along as its reader goes.

use std::io;

use disk::ReadAt;

/// How much is read at a time, in bytes.
const WINDOW_SIZE: usize = 16 * 1024;

/// A piece of a file.
#[derive(Debug, Default)]
pub(crate) struct Window {
    bytes: Vec<u8>,
    /// Where in the file the piece starts, in bytes.
    start: u64,
}

impl Window {
    /// The bytes from `position` on: at least `wanted`, unless the file ends
    /// before, and at most those below `end`.
    ///
    /// # Errors
    /// As the disk says.
    pub(crate) fn at(
        &mut self,
        file: &dyn ReadAt,
        position: u64,
        wanted: usize,
        end: u64,
    ) -> io::Result<&[u8]> {
        if self.from(position).len() < wanted {
            self.refill(file, position, wanted, end)?;
        }
        Ok(self.from(position))
    }

    fn from(&self, position: u64) -> &[u8] {
        let skip = position.checked_sub(self.start);
        let skip = skip.and_then(|skip| usize::try_from(skip).ok());
        skip.and_then(|skip| self.bytes.get(skip..))
            .unwrap_or_default()
    }

    fn refill(
        &mut self,
        file: &dyn ReadAt,
        position: u64,
        wanted: usize,
        end: u64,
    ) -> io::Result<()> {
        let left = usize::try_from(end.saturating_sub(position)).unwrap_or(usize::MAX);
        let kept = self.from(position).to_vec();
        self.bytes = kept;
        self.start = position;
        let filled = self.bytes.len();
        self.bytes
            .resize(wanted.max(WINDOW_SIZE).min(left).max(filled), 0);
        let read = read_up_to(file, &mut self.bytes[filled..], position + filled as u64);
        let read = read.inspect_err(|_| self.bytes.clear())?;
        self.bytes.truncate(filled + read);
        Ok(())
    }
}

/// Reads at `position` until `buffer` is full or the file ends.
///
/// # Errors
/// As the disk says.
pub(crate) fn read_up_to(file: &dyn ReadAt, buffer: &mut [u8], position: u64) -> io::Result<usize> {
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
