//! Getting a sealed segment ready to be read.

use std::mem;
use std::path::Path;
use std::sync::{Arc, PoisonError};

use disk::{Disk, File};
use message_model::Offset;

use crate::error::{At, Error};
use crate::held_file;
use crate::index_file;
use crate::indexes::Indexes;
use crate::log_dir::LogDir;
use crate::log_view::LogView;
use crate::name;
use crate::part::segment_path;
use crate::scan::Scan;
use crate::sealed::Sealed;
use crate::segment_cache::Loaded;
use crate::segment_view::{SegmentView, would_wait};

/// A step passes at most so many headers.
pub(crate) const HEADERS_PER_STEP: u32 = 256;
/// A step reads at most about so many bytes of an index.
const INDEX_BYTES_PER_STEP: usize = 512 * 1024;

/// The job of opening a sealed segment and its indexes. Indexes that are missing
/// or cannot be right are made again.
#[derive(Debug)]
pub(crate) struct Load {
    dir: Arc<LogDir>,
    sealed: Arc<Sealed>,
    state: State,
}

#[derive(Debug)]
enum State {
    /// To be looked up in the cache; `true`: no further.
    Cache(bool),
    Read {
        view: SegmentView,
        offsets: IndexBytes,
        times: IndexBytes,
    },
    /// Indexed batches are behind the scan; none before it must be missing.
    Check {
        scan: Scan,
        indexes: Indexes,
    },
    Rebuild {
        scan: Scan,
        indexes: Indexes,
    },
    Done,
}

impl Load {
    pub(crate) fn new(view: &LogView, sealed: &Arc<Sealed>) -> Load {
        Load {
            dir: Arc::clone(&view.dir),
            sealed: Arc::clone(sealed),
            state: State::Cache(view.is_cached),
        }
    }

    /// The job of making the indexes again, whatever they are.
    ///
    /// # Errors
    /// That it would wait, in a view that must not; else as the disk says.
    pub(crate) fn rebuild(view: &LogView, sealed: &Arc<Sealed>) -> Result<Load, Error> {
        let mut load = Load::new(view, sealed);
        if view.is_cached {
            return Err(would_wait()).at(&segment_path(&load.dir.path, sealed.base_offset()));
        }
        load.state = load.rebuilding(load.open()?);
        Ok(load)
    }

    /// Does one step; `None`: there is more to do.
    ///
    /// # Errors
    /// As the disk says.
    pub(crate) fn step(&mut self) -> Result<Option<Arc<Loaded>>, Error> {
        match mem::replace(&mut self.state, State::Done) {
            State::Cache(only) => self.look_up(only),
            State::Read {
                view,
                offsets,
                times,
            } => self.read(view, offsets, times),
            State::Check { scan, indexes } => Ok(self.check(scan, indexes)),
            State::Rebuild { scan, indexes } => self.pass(scan, indexes),
            State::Done => unreachable!("a job that has ended is not continued"),
        }
    }

    fn open(&self) -> Result<SegmentView, Error> {
        let view = self.sealed.open(&self.dir)?;
        Ok(held_file::for_ranges(view, &self.dir, &self.sealed))
    }

    fn look_up(&mut self, only: bool) -> Result<Option<Arc<Loaded>>, Error> {
        let base_offset = self.sealed.base_offset();
        if let Some(loaded) = self.dir.cache.get(self.dir.key(&self.sealed)) {
            return Ok(Some(loaded));
        }
        if only {
            return Err(would_wait()).at(&segment_path(&self.dir.path, base_offset));
        }
        let (disk, dir) = (&*self.dir.disk, &self.dir.path);
        let size = self.sealed.segment.size;
        let view = self.open()?;
        if self.sealed.is_replaced() {
            // The indexes of that name are those of another file.
            self.state = self.rebuilding(view);
            return Ok(None);
        }
        self.state = State::Read {
            view,
            offsets: IndexBytes::open(disk, &name::offset_index_path(dir, base_offset), size),
            times: IndexBytes::open(disk, &name::time_index_path(dir, base_offset), size),
        };
        Ok(None)
    }

    fn read(
        &mut self,
        view: SegmentView,
        mut offsets: IndexBytes,
        mut times: IndexBytes,
    ) -> Result<Option<Arc<Loaded>>, Error> {
        if !(offsets.read() && times.read()) {
            self.state = State::Read {
                view,
                offsets,
                times,
            };
            return Ok(None);
        }
        let interval = self.dir.config().index_interval_bytes;
        let base_offset = self.sealed.base_offset();
        let indexes = Indexes::from_files(base_offset, interval, offsets.bytes, times.bytes);
        let is_sane = indexes.offsets.is_sane(view.size.into()) && indexes.times.is_sane();
        self.state = if is_sane {
            let last = indexes.offsets.lookup(Offset(i64::MAX));
            let scan = Scan::new(view, last);
            State::Check { scan, indexes }
        } else {
            self.rebuilding(view)
        };
        Ok(None)
    }

    /// Whether no entry is missing at the end, as far as the segment can be read.
    fn check(&mut self, mut scan: Scan, indexes: Indexes) -> Option<Arc<Loaded>> {
        let last = indexes.offsets.lookup(Offset(i64::MAX));
        let interval = self.dir.config().index_interval_bytes;
        for _ in 0..HEADERS_PER_STEP {
            match scan.next() {
                Some(Ok((position, _))) if position - last > interval => {
                    self.state = self.rebuilding(scan.view().clone());
                    return None;
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => {
                    let view = scan.view().clone();
                    return Some(self.keep(Loaded { view, indexes }));
                }
            }
        }
        self.state = State::Check { scan, indexes };
        None
    }

    fn rebuilding(&self, view: SegmentView) -> State {
        let interval = self.dir.config().index_interval_bytes;
        State::Rebuild {
            scan: Scan::new(view, 0),
            indexes: Indexes::new(self.sealed.base_offset(), interval),
        }
    }

    /// Notes the next batches in the new indexes, up to where the segment can be read.
    fn pass(&mut self, mut scan: Scan, mut indexes: Indexes) -> Result<Option<Arc<Loaded>>, Error> {
        for _ in 0..HEADERS_PER_STEP {
            match scan.next() {
                Some(Ok((position, header))) => indexes.note(position, &header),
                Some(Err(Error::Damaged { .. })) | None => {
                    indexes.note_newest();
                    return Ok(Some(self.rebuilt(scan, indexes)));
                }
                Some(Err(error)) => return Err(error),
            }
        }
        self.state = State::Rebuild { scan, indexes };
        Ok(None)
    }

    fn rebuilt(&self, scan: Scan, indexes: Indexes) -> Arc<Loaded> {
        let writes = self.dir.index_writes.lock();
        let _one_at_a_time = writes.unwrap_or_else(PoisonError::into_inner);
        if !self.sealed.is_replaced() {
            // Indexes that cannot be written are made again the next time.
            let _ = index_file::replace(&*self.dir.disk, &self.dir.path, &indexes);
        }
        let view = scan.view().clone();
        self.keep(Loaded { view, indexes })
    }

    fn keep(&self, loaded: Loaded) -> Arc<Loaded> {
        let loaded = Arc::new(loaded);
        if !self.sealed.is_replaced() {
            self.dir.cache.put(self.dir.key(&self.sealed), &loaded);
        }
        loaded
    }
}

/// An index file on its way into memory. One that cannot be read is empty.
#[derive(Debug)]
struct IndexBytes {
    file: Option<Arc<dyn File>>,
    bytes: Vec<u8>,
    /// Of the whole file, in bytes.
    length: usize,
}

impl IndexBytes {
    /// A file that is longer than the segment is no index of it.
    fn open(disk: &dyn Disk, path: &Path, segment_size: u32) -> IndexBytes {
        let file = disk.open(path).ok();
        let length = file.as_ref().and_then(|file| file.length().ok());
        let length = length.filter(|length| *length <= u64::from(segment_size));
        IndexBytes {
            file,
            bytes: Vec::new(),
            length: length
                .and_then(|length| length.try_into().ok())
                .unwrap_or(0),
        }
    }

    /// Reads the next piece; whether all is there.
    fn read(&mut self) -> bool {
        let filled = self.bytes.len();
        let wanted = (self.length - filled).min(INDEX_BYTES_PER_STEP);
        self.bytes.resize(filled + wanted, 0);
        let piece = &mut self.bytes[filled..];
        let read = match &self.file {
            Some(file) => crate::window::read_up_to(&**file, piece, filled as u64),
            None => Ok(0),
        };
        if read.is_ok_and(|read| read == wanted) {
            return self.bytes.len() == self.length;
        }
        self.bytes.clear();
        self.length = 0;
        true
    }
}
