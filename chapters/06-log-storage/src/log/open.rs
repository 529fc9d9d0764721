//! Opening a log.

use std::cell::RefCell;
use std::io;
use std::path::Path;
use std::sync::Arc;

use message_model::Offset;

use super::{Log, LogConfig, Opened, Truncated};
use crate::active::Active;
use crate::error::{At, Error};
use crate::index_file::IndexFiles;
use crate::indexes::Indexes;
use crate::name;
use crate::recover::walk;
use crate::recovery_point;
use crate::sealed::{self, Sealed};
use disk::Disk;

impl Log {
    /// Opens the log in `dir`, or creates one there that starts at offset 0, and
    /// makes good what a crash has left: a torn tail is cut off, missing or
    /// wrong indexes are made again.
    ///
    /// Reads the last segment, and of the others only how long they are: they
    /// were synced before the next one was created. Whatever the log holds then
    /// is on disk.
    ///
    /// # Errors
    /// [`Error::Damaged`] when a batch below the recovery point is broken;
    /// nothing is changed then. Else as the disk says.
    pub fn open(disk: Arc<dyn Disk>, dir: &Path, config: LogConfig) -> Result<Opened, Error> {
        let names = list_or_create(&*disk, dir)?;
        let mut bases: Vec<Offset> = names
            .iter()
            .filter_map(|name| name::segment(name))
            .collect();
        bases.sort_unstable();
        let last = bases.last().copied().unwrap_or(Offset::ZERO);
        let recovery_point = recovery_point::read(&*disk, dir)?.unwrap_or(Offset::ZERO);
        if bases.is_empty() {
            create_first(&*disk, dir, recovery_point)?;
        }
        // ANCHOR: killed
        // A process may have been killed between a creation or removal and its
        // sync: what we see now must not change when the power fails later.
        disk.sync_dir(dir).at(dir)?;
        // ANCHOR_END: killed
        let mut segments = Vec::new();
        for pair in bases.windows(2) {
            segments.push(Sealed::find(&*disk, dir, pair[0], pair[1])?);
        }
        let (active, truncated) = open_last(&*disk, dir, last, recovery_point, &config)?;
        remove_orphans(&*disk, dir, &names, &bases);
        let log = Log {
            disk,
            dir: dir.to_owned(),
            config,
            sealed: segments,
            recovery_point: active.end_offset,
            saved_recovery_point: Some(recovery_point),
            active,
            loaded: RefCell::new(None),
            truncated_from: None,
            online: true,
        };
        Ok(Opened { log, truncated })
    }
}

/// The names in the log's directory, which is made if there is none.
fn list_or_create(disk: &dyn Disk, dir: &Path) -> Result<Vec<String>, Error> {
    match disk.list(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            disk.create_dir_all(dir).at(dir)?;
            Ok(Vec::new())
        }
        other => other.at(dir),
    }
}

/// The first segment of a new log.
fn create_first(disk: &dyn Disk, dir: &Path, recovery_point: Offset) -> Result<(), Error> {
    let path = name::log_path(dir, Offset::ZERO);
    if recovery_point > Offset::ZERO {
        return Err(Error::Damaged {
            path,
            position: 0,
            offset: Offset::ZERO,
        });
    }
    let parent = dir.parent().filter(|parent| *parent != Path::new(""));
    let parent = parent.unwrap_or(Path::new("."));
    disk.sync_dir(parent).at(parent)?;
    disk.create(&path).at(&path)?;
    Ok(())
}

/// Opens the segment that goes on being written, and cuts off what is no batch.
fn open_last(
    disk: &dyn Disk,
    dir: &Path,
    base_offset: Offset,
    recovery_point: Offset,
    config: &LogConfig,
) -> Result<(Active, Option<Truncated>), Error> {
    let path = name::log_path(dir, base_offset);
    let file = disk.open(&path).at(&path)?;
    let indexes = Indexes::new(base_offset, config.index_interval_bytes);
    let walked = walk(&path, &*file, indexes, recovery_point)?;
    let active = Active {
        base_offset,
        end_offset: walked.end_offset,
        size: sealed::size(&path, base_offset, walked.size)?,
        index_files: IndexFiles::make(disk, dir, base_offset, &walked.indexes),
        path: path.into(),
        file,
        first_append: None,
        indexes: walked.indexes,
    };
    let torn = walked.length - walked.size;
    if torn > 0 {
        active.cut_to(active.size)?;
    } else {
        // A process may have been killed between a cut and its sync: what it cut
        // off must not come back.
        active.file.sync_data().at(&active.path)?;
    }
    let truncated = (torn > 0).then(|| Truncated {
        path: active.path.to_path_buf(),
        position: walked.size,
        bytes: torn,
        log_end: active.end_offset,
    });
    Ok((active, truncated))
}

/// Removes indexes whose segment is gone: a crash came between.
fn remove_orphans(disk: &dyn Disk, dir: &Path, names: &[String], bases: &[Offset]) {
    for name in names {
        if name::index(name).is_some_and(|base_offset| !bases.contains(&base_offset)) {
            // One that cannot be removed does no harm.
            let _ = disk.remove(&dir.join(name));
        }
    }
}
