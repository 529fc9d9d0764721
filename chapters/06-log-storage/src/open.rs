//! Opening a log.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::sync::Arc;

use disk::Disk;
use message_model::Offset;
use record_batch::BatchHeader;

use crate::aborted::AbortedIndex;
use crate::active::Active;
use crate::compaction::replacement;
use crate::error::{At, Error};
use crate::failed_sync;
use crate::index_file;
use crate::indexes::Indexes;
use crate::log::Log;
use crate::log_config::LogConfig;
use crate::log_dir::LogDir;
use crate::name;
use crate::part::{Known, LogWriter, Truncated, segment_base};
use crate::saved_offset;
use crate::sealed::Sealed;
use crate::segment_cache::SegmentCache;

/// What [`Log::open`] found.
#[derive(Debug)]
pub struct Opened {
    /// The log.
    pub log: Log,
    /// What was cut off, if anything.
    pub truncated: Option<Truncated>,
}

impl Log {
    /// Opens the log in `dir`, or creates one there that starts at offset 0, and
    /// repairs what a crash or a failed sync has left: see [`LogWriter::open`].
    /// Indexes of what it had to read are made again.
    ///
    /// Whatever the log holds then is on disk, so its log end is what is durable.
    ///
    /// A failure of the disk is tried again once, as after a failed sync: the first
    /// sync of a new process may report a write of the old one that failed.
    ///
    /// # Errors
    /// [`Error::Damaged`] when the log would end below the recovery point; its
    /// batches are as before then. Else as the disk says.
    pub fn open(
        disk: Arc<dyn Disk>,
        dir: &Path,
        config: LogConfig,
        cache: SegmentCache,
    ) -> Result<Opened, Error> {
        match Log::open_once(Arc::clone(&disk), dir, config, cache.clone()) {
            Err(Error::Io { .. }) => {
                failed_sync::note(&*disk, dir);
                Log::open_once(disk, dir, config, cache)
            }
            opened => opened,
        }
    }

    /// Creates a log in `dir` that starts at offset 0, and syncs nothing: its first sync makes
    /// what is in `dir` safe, and the name of `dir` itself is safe once the caller has synced the
    /// directory above. So many logs in one directory share one sync. Its first roll needs
    /// the name of its first segment ([`LogView::is_unnamed`](crate::LogView::is_unnamed)).
    ///
    /// Where there is a directory already, this is [`Log::open`].
    ///
    /// # Errors
    /// As [`Log::open`].
    pub fn create(
        disk: Arc<dyn Disk>,
        dir: &Path,
        config: LogConfig,
        cache: SegmentCache,
    ) -> Result<Opened, Error> {
        match disk.list(dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            _ => return Log::open(disk, dir, config, cache),
        }
        disk.create_dir_all(dir).at(dir)?;
        let writer = LogWriter::create(Arc::clone(&disk), dir)?;
        let file = writer.active_file().clone();
        let indexes = Indexes::new(Offset::ZERO, config.index_interval_bytes);
        let aborted = AbortedIndex::new(Offset::ZERO, false);
        let log_dir = LogDir::new(disk, dir.to_owned(), config, cache, Offset::ZERO);
        let log = Log {
            dir: Arc::new(log_dir),
            log_start: Offset::ZERO,
            writer,
            sealed: Arc::default(),
            active: Arc::new(Active::new(file, indexes, false, aborted)),
            durable: Offset::ZERO,
            open_slot: None,
            first_append: None,
        };
        Ok(Opened {
            log,
            truncated: None,
        })
    }

    fn open_once(
        disk: Arc<dyn Disk>,
        dir: &Path,
        config: LogConfig,
        cache: SegmentCache,
    ) -> Result<Opened, Error> {
        let mut names = list_or_create(&*disk, dir)?;
        if replacement::recover(&*disk, dir, &names)? {
            names = disk.list(dir).at(dir)?;
        }
        let saved = |name| saved_offset::read(&*disk, dir, name);
        let log_start = saved(saved_offset::LOG_START)?.unwrap_or(Offset::ZERO);
        let recovery_point = saved(saved_offset::RECOVERY_POINT)?.unwrap_or(Offset::ZERO);
        failed_sync::repair(&*disk, dir, &names, recovery_point)?;
        let known = Known {
            log_start,
            recovery_point,
        };
        let mut builder = IndexBuilder {
            disk: &*disk,
            dir,
            interval: config.index_interval_bytes,
            indexes: None,
        };
        let opened = LogWriter::open(
            Arc::clone(&disk),
            dir,
            known,
            &mut |base, position, header| {
                builder.note(base, position, header);
            },
        )?;
        let indexes = builder.end(opened.writer.active().base_offset);
        let sealed = opened.sealed.into_iter();
        let found = names.iter().filter_map(|name| name::aborted_index(name));
        let found: BTreeSet<Offset> = found.collect();
        let aborted = |base| AbortedIndex::new(base, found.contains(&base));
        let sealed = sealed.map(|one| Sealed::new(one, None, Arc::new(aborted(one.base_offset))));
        let sealed: Vec<_> = sealed.map(Arc::new).collect();
        let mut bases: Vec<Offset> = sealed.iter().map(|one| one.base_offset()).collect();
        bases.push(indexes.base_offset);
        remove_orphans(&*disk, dir, &names, &bases);
        let log_dir = LogDir::new(disk, dir.to_owned(), config, cache, recovery_point);
        let file = opened.writer.active_file().clone();
        let aborted = aborted(indexes.base_offset);
        let log = Log {
            dir: Arc::new(log_dir),
            log_start: log_start.max(bases[0]),
            writer: opened.writer,
            sealed: Arc::new(sealed),
            active: Arc::new(Active::new(file, indexes, true, aborted)),
            durable: recovery_point,
            open_slot: None,
            first_append: None,
        };
        Ok(Opened {
            log,
            truncated: opened.truncated,
        })
    }
}

/// The names in the log's directory, which is made if there is none.
fn list_or_create(disk: &dyn Disk, dir: &Path) -> Result<Vec<String>, Error> {
    let names = match disk.list(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            disk.create_dir_all(dir).at(dir)?;
            Vec::new()
        }
        other => other.at(dir)?,
    };
    if !names.iter().any(|name| segment_base(name).is_some()) {
        let parent = dir.parent().filter(|parent| *parent != Path::new(""));
        let parent = parent.unwrap_or(Path::new("."));
        disk.sync_dir(parent).at(parent)?;
    }
    Ok(names)
}

/// Makes indexes of the segments that are walked when a log is opened.
struct IndexBuilder<'a> {
    disk: &'a dyn Disk,
    dir: &'a Path,
    interval: u32,
    /// Of the segment that is being walked.
    indexes: Option<Indexes>,
}

impl IndexBuilder<'_> {
    fn note(&mut self, base_offset: Offset, position: u32, header: &BatchHeader) {
        self.enter(base_offset).note(position, header);
    }

    /// The indexes of the segment that begins with `base_offset`.
    fn end(mut self, base_offset: Offset) -> Indexes {
        self.enter(base_offset).clone()
    }

    fn enter(&mut self, base_offset: Offset) -> &mut Indexes {
        let is_next = |indexes: &mut Indexes| indexes.base_offset != base_offset;
        if let Some(mut complete) = self.indexes.take_if(is_next) {
            complete.note_newest();
            // Indexes that cannot be written are made again when they are needed.
            let _ = index_file::replace(self.disk, self.dir, &complete);
        }
        let interval = self.interval;
        let new = || Indexes::new(base_offset, interval);
        self.indexes.get_or_insert_with(new)
    }
}

/// Removes indexes whose segment is gone: a crash came between.
fn remove_orphans(disk: &dyn Disk, dir: &Path, names: &[String], bases: &[Offset]) {
    for name in names {
        if name::index(name).is_some_and(|base_offset| bases.binary_search(&base_offset).is_err()) {
            // One that cannot be removed does no harm.
            let _ = disk.remove(&dir.join(name));
        }
    }
}
