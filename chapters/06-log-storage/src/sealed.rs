//! A segment that is complete. Nothing of it is in memory until it is read.

use std::cell::OnceCell;
use std::path::{Path, PathBuf};

use message_model::{Offset, Timestamp};

use crate::error::{At, Error};
use crate::index_file::IndexFiles;
use crate::indexes::Indexes;
use crate::name;
use crate::scan::{Scan, View};
use crate::window::read_up_to;
use disk::Disk;

/// A segment that is complete and on disk.
#[derive(Debug)]
pub(crate) struct Sealed {
    pub(crate) base_offset: Offset,
    /// Where the next segment begins.
    pub(crate) end_offset: Offset,
    pub(crate) size: u32,
    /// The largest timestamp in it, once somebody has asked.
    pub(crate) newest: OnceCell<Option<Timestamp>>,
}

/// What it takes to read it.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) view: View,
    pub(crate) indexes: Indexes,
}

impl Sealed {
    /// Looks at the size of a segment, and at nothing else.
    ///
    /// # Errors
    /// As the disk says; [`Error::Damaged`] when it is longer than a segment can be.
    pub(crate) fn find(
        disk: &dyn Disk,
        dir: &Path,
        base_offset: Offset,
        end_offset: Offset,
    ) -> Result<Sealed, Error> {
        let path = name::log_path(dir, base_offset);
        let length = disk.open(&path).and_then(|file| file.length()).at(&path)?;
        Ok(Sealed {
            base_offset,
            end_offset,
            size: size(&path, base_offset, length)?,
            newest: OnceCell::new(),
        })
    }

    /// Opens it, with an offset index that reaches to its end.
    ///
    /// # Errors
    /// As the disk says.
    pub(crate) fn load(&self, disk: &dyn Disk, dir: &Path, interval: u32) -> Result<Loaded, Error> {
        let view = self.view(disk, dir)?;
        let read = |path: PathBuf| read_index(disk, &path, self.size);
        let indexes = Indexes::from_files(
            self.base_offset,
            interval,
            read(name::offset_index_path(dir, self.base_offset)),
            read(name::time_index_path(dir, self.base_offset)),
        );
        let loaded = Loaded { view, indexes };
        if loaded.is_indexed(interval) {
            Ok(loaded)
        } else {
            self.rebuild(disk, dir, interval)
        }
    }

    /// Makes the indexes again from the segment, up to where it can be read.
    ///
    /// # Errors
    /// As the disk says.
    pub(crate) fn rebuild(
        &self,
        disk: &dyn Disk,
        dir: &Path,
        interval: u32,
    ) -> Result<Loaded, Error> {
        let view = self.view(disk, dir)?;
        let mut indexes = Indexes::new(self.base_offset, interval);
        for batch in Scan::new(view.clone(), 0) {
            match batch {
                Ok((position, header)) => indexes.note(position, &header),
                Err(Error::Damaged { .. }) => break,
                Err(error) => return Err(error),
            }
        }
        indexes.note_newest();
        IndexFiles::make(disk, dir, self.base_offset, &indexes).seal(disk, &indexes);
        Ok(Loaded { view, indexes })
    }

    fn view(&self, disk: &dyn Disk, dir: &Path) -> Result<View, Error> {
        let path = name::log_path(dir, self.base_offset);
        Ok(View {
            file: disk.open(&path).at(&path)?.reader(),
            path: path.into(),
            base_offset: self.base_offset,
            size: self.size,
        })
    }
}

impl Loaded {
    /// The walk from the last indexed batch at or below `offset`; `None` when
    /// the index is wrong there.
    pub(crate) fn scan(&self, offset: Offset) -> Option<Scan> {
        scan_from_index(&self.view, &self.indexes, offset)
    }

    /// Whether no entry is missing at the end, as far as the segment can be read.
    fn is_indexed(&self, interval: u32) -> bool {
        let size = u64::from(self.view.size);
        if !self.indexes.offsets.is_sane(size) || !self.indexes.times.is_sane() {
            return false;
        }
        let last = self.indexes.offsets.lookup(Offset(i64::MAX));
        let behind = Scan::new(self.view.clone(), last).map_while(Result::ok);
        let mut due = behind.filter(|(position, _)| position - last >= interval.max(1));
        due.next().is_none()
    }

    /// The walk from the batch with the largest timestamp that the time index
    /// knows; `None` when that index is missing or wrong.
    pub(crate) fn scan_from_newest(&self) -> Option<Scan> {
        let (timestamp, offset) = self.indexes.times.last()?;
        let mut scan = self.scan(offset)?;
        stands_at(&mut scan, timestamp, offset).then_some(scan)
    }
}

/// The walk from the last indexed batch at or below `offset`; `None` when the
/// index is wrong there.
pub(crate) fn scan_from_index(view: &View, indexes: &Indexes, offset: Offset) -> Option<Scan> {
    let position = indexes.offsets.lookup(offset);
    let mut scan = Scan::new(view.clone(), position);
    let fits = position == 0
        || scan
            .peek()
            .is_some_and(|header| header.base_offset <= offset);
    fits.then_some(scan)
}

/// Moves `scan` to the batch that begins with `offset`, and checks that this is
/// its largest timestamp.
pub(crate) fn stands_at(scan: &mut Scan, timestamp: Timestamp, offset: Offset) -> bool {
    matches!(scan.skip_to(offset), Ok(true))
        && scan
            .peek()
            .is_some_and(|header| header.base_offset == offset && header.max_timestamp == timestamp)
}

/// A file's length as the size of a segment.
///
/// # Errors
/// [`Error::Damaged`] when no segment is that long.
pub(crate) fn size(path: &Path, base_offset: Offset, length: u64) -> Result<u32, Error> {
    let size = i32::try_from(length)
        .ok()
        .and_then(|size| size.try_into().ok());
    size.ok_or_else(|| Error::Damaged {
        path: path.to_owned(),
        position: i32::MAX.unsigned_abs().into(),
        offset: base_offset,
    })
}

/// The bytes of an index; none when it is not there or longer than the segment,
/// which no index is.
fn read_index(disk: &dyn Disk, path: &Path, segment_size: u32) -> Vec<u8> {
    let read = || {
        let file = disk.open(path).ok()?;
        let length = u32::try_from(file.length().ok()?).ok()?;
        let mut bytes = vec![0; (length <= segment_size).then_some(length)? as usize];
        let read = read_up_to(&*file, &mut bytes, 0).ok()?;
        bytes.truncate(read);
        Some(bytes)
    };
    read().unwrap_or_default()
}
