//! An open file.

use std::io;
use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use disk::{File, ReadAt};

use crate::disk::{SimDisk, failure};
use crate::parking::Call;

/// An open file.
#[derive(Debug)]
pub(crate) struct SimFile {
    disk: SimDisk,
    /// The name that it was opened with.
    path: PathBuf,
    number: usize,
}

impl SimFile {
    pub(crate) fn open(disk: &SimDisk, path: &Path, number: usize) -> Arc<dyn File> {
        *disk.opened().entry(path.to_owned()).or_default() += 1;
        Arc::new(SimFile {
            disk: disk.clone(),
            path: path.to_owned(),
            number,
        })
    }
}

impl Drop for SimFile {
    fn drop(&mut self) {
        if let Some(count) = self.disk.opened().get_mut(&self.path) {
            *count -= 1;
        }
    }
}

impl ReadAt for SimFile {
    fn read_at(&self, buffer: &mut [u8], position: u64) -> io::Result<usize> {
        let mut state = self.disk.begin(Call::Read, &self.path);
        state.query()?;
        let position = usize::try_from(position).unwrap_or(usize::MAX);
        let rest = state.files[self.number]
            .bytes
            .get(position..)
            .unwrap_or_default();
        let count = rest.len().min(buffer.len()).min(state.read_size_max);
        buffer[..count].copy_from_slice(&rest[..count]);
        let counts = &mut state.counts;
        counts.reads += 1;
        counts.bytes_read += count as u64;
        counts.largest_read = counts.largest_read.max(buffer.len());
        Ok(count)
    }

    fn read_cached_at(&self, buffer: &mut [u8], position: u64) -> io::Result<Option<usize>> {
        let is_parked = self.disk.spot(Call::Read, &self.path).is_some();
        if is_parked || self.disk.state().is_cold {
            return Ok(None);
        }
        self.read_at(buffer, position).map(Some)
    }

    fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        None
    }
}

impl File for SimFile {
    fn write_all_at(&self, bytes: &[u8], position: u64) -> io::Result<()> {
        let mut state = self.disk.begin(Call::Write, &self.path);
        state.counts.writes += 1;
        let fails = state.count()?;
        let position = usize::try_from(position).map_err(io::Error::other)?;
        let length = state.files[self.number].bytes.len();
        let growth = (position + bytes.len()).saturating_sub(length);
        let room = state.take_space(growth);
        let mut written = bytes.len().saturating_sub(growth - room);
        if fails {
            written = written.min(state.random.usize(..bytes.len() + 1));
        }
        state.files[self.number].write(position, &bytes[..written]);
        match (fails, room < growth) {
            (true, _) => Err(failure()),
            (false, true) => Err(io::ErrorKind::StorageFull.into()),
            (false, false) => Ok(()),
        }
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        let mut state = self.disk.begin(Call::SetLength, &self.path);
        state.count_whole()?;
        let length = usize::try_from(length).map_err(io::Error::other)?;
        let freed = state.files[self.number].bytes.len().saturating_sub(length);
        state.give_space(freed);
        state.files[self.number].set_length(length);
        Ok(())
    }

    fn length(&self) -> io::Result<u64> {
        let mut state = self.disk.state();
        state.query()?;
        Ok(state.files[self.number].bytes.len() as u64)
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut state = self.disk.begin(Call::Sync, &self.path);
        state.counts.syncs += 1;
        let fails = state.count()?;
        let state = &mut *state;
        if fails {
            let spoils = state.failed_syncs_spoil;
            state.files[self.number].fail_to_sync(&mut state.random, spoils);
            return Err(failure());
        }
        state.files[self.number].sync();
        Ok(())
    }

    fn reader(self: Arc<Self>) -> Arc<dyn ReadAt> {
        self
    }
}
