//! Opening a log after a crash at any moment, or after a sync that failed.
//!
//! # Invariants
//! - Everything below the recovery point is on disk. Nothing below it is ever
//!   cut, and a segment below it is believed.
//! - When [`LogWriter::open`] returns, everything in the log is on disk.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use disk::Disk;
use message_model::Offset;
use record_batch::BatchHeader;

use crate::error::{At, WriteError};
use crate::log_writer::LogWriter;
use crate::read_window::ReadWindow;
use crate::recovery::{Recovery, Step};
use crate::segment::{SEGMENT_SIZE_MAX, Segment, SegmentFile, create_segment, segment_size};
use crate::segment_name::{segment_base, segment_path};

/// What is known of a log before it is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// No record below it is wanted any more.
    pub log_start: Offset,
    /// Everything below it is on disk.
    pub recovery_point: Offset,
}

/// What [`LogWriter::open`] found.
#[derive(Debug)]
pub struct OpenedWriter {
    /// Ready to append.
    pub writer: LogWriter,
    /// The segments before the active one, oldest first.
    pub sealed: Vec<Segment>,
    /// What was cut off, if anything.
    pub truncated: Option<Truncated>,
}

/// A torn tail that was cut off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Truncated {
    /// The segment in which the log ends now.
    pub path: PathBuf,
    /// Where it ends now, in bytes.
    pub position: u64,
    /// How many bytes of that segment were cut off.
    pub bytes: u64,
    /// How many later segments were removed.
    pub segments: usize,
    /// The log end now.
    pub log_end: Offset,
}

/// A segment as [`LogWriter::open`] found it.
struct Walked {
    segment: Segment,
    /// `None`: nothing of it was read, because all of it is below the recovery point.
    file: Option<SegmentFile>,
    /// Where the first batch at or above the recovery point begins, in bytes.
    uncertain_from: u32,
    /// How many bytes are behind the last whole batch.
    torn: u64,
}

impl LogWriter {
    /// Opens the log in `dir`, an existing directory, and repairs what a crash
    /// or a failed sync has left. A log without a segment begins at `known.log_start`.
    ///
    /// - A segment wholly below the log start is removed.
    /// - A segment wholly below the recovery point is believed: it ends where the
    ///   next one begins, and only its length is looked at.
    /// - The others are walked, and `visit` gets the base offset of the segment,
    ///   the position and the header of each batch. The log ends at the first
    ///   batch that is not whole, even if the next segment begins exactly there, and
    ///   where a segment does not begin at the end of the one before. What is behind
    ///   is cut off, and later segments are removed. The first segment has none before
    ///   it: the log begins with it, even above the log start and the recovery point.
    /// - If the log would end below its start, it begins again there, empty. The new
    ///   segment is created, its name is synced, and only then are the old ones removed:
    ///   a crash must not leave some of the old ones and not the new one.
    /// - What is kept at or above the recovery point is written again, the same
    ///   bytes to the same place, and synced. After a failed sync the page cache
    ///   may hold bytes that are not on disk and that no later sync would write.
    ///
    /// # Errors
    /// [`WriteError::Damaged`] when the log would end below the recovery point, even
    /// if the log start is above both; nothing is changed then, and no segment below
    /// the log start is removed. Else as the disk says: whatever call fails, `open` fails.
    pub fn open(
        disk: Arc<dyn Disk>,
        dir: &Path,
        known: Known,
        visit: &mut dyn FnMut(Offset, u32, &BatchHeader),
    ) -> Result<OpenedWriter, WriteError> {
        // task 6.4: open: walk what is not safe, cut off what is not whole, write the rest again
        let bases = list_segments(&*disk, dir)?;
        let first = bases.partition_point(|base| *base <= known.log_start);
        let mut kept: Vec<Walked> = Vec::new();
        for index in first.saturating_sub(1)..bases.len() {
            let base_offset = bases[index];
            let ends_here = |last: &Walked| last.torn > 0 || last.segment.end_offset != base_offset;
            if kept.last().is_some_and(ends_here) {
                break;
            }
            let next = bases.get(index + 1).copied();
            kept.push(match next.filter(|next| *next <= known.recovery_point) {
                Some(next) => believe(&*disk, dir, base_offset, next)?,
                None => walk(&*disk, dir, base_offset, known.recovery_point, visit)?,
            });
        }
        let log_end = kept
            .last()
            .map_or(known.log_start, |last| last.segment.end_offset);
        if log_end < known.recovery_point {
            let last = kept.last().map(|last| last.segment);
            return Err(damaged(dir, last, known.log_start));
        }
        if kept.is_empty() || log_end < known.log_start {
            kept = vec![Walked::create(&*disk, dir, known.log_start)?];
            // Before the old ones go: their removal may be on disk first.
            disk.sync_dir(dir).at(dir)?;
        }
        let is_kept = |base: &Offset| kept.iter().any(|one| one.segment.base_offset == *base);
        for base_offset in bases.iter().filter(|base| !is_kept(base)) {
            let path = segment_path(dir, *base_offset);
            disk.remove(&path).at(&path)?;
        }
        for walked in &kept {
            walked.make_safe()?;
        }
        disk.sync_dir(dir).at(dir)?;
        Ok(opened(disk, dir, kept, &bases))
        // end
    }
}

impl LogWriter {
    /// The writer of a new log in `dir`, which exists and is empty. Nothing is synced: after a
    /// power failure the first segment may not be there, and [`LogWriter::open`] makes it again.
    ///
    /// # Errors
    /// As the disk says.
    pub fn create(disk: Arc<dyn Disk>, dir: &Path) -> Result<LogWriter, WriteError> {
        let (active, file) = create_segment(&*disk, dir, Offset::ZERO)?;
        Ok(LogWriter {
            disk,
            dir: dir.to_owned(),
            active,
            file,
            offline: false,
        })
    }
}

impl Walked {
    /// An empty segment that begins with `base_offset`.
    fn create(disk: &dyn Disk, dir: &Path, base_offset: Offset) -> Result<Walked, WriteError> {
        let (segment, file) = create_segment(disk, dir, base_offset)?;
        Ok(Walked {
            segment,
            file: Some(file),
            uncertain_from: 0,
            torn: 0,
        })
    }

    /// Cuts off what is torn, writes the rest again from `uncertain_from` on, and syncs
    /// the file. A file that was not read is left alone.
    ///
    /// The length is set even if nothing is torn: a failed sync can forget a cut too.
    fn make_safe(&self) -> Result<(), WriteError> {
        // task 6.4: make safe: the page cache may hold what no sync will ever write
        let Some(SegmentFile { path, file }) = &self.file else {
            return Ok(());
        };
        let size = u64::from(self.segment.size);
        let mut position = u64::from(self.uncertain_from);
        let mut window = ReadWindow::default();
        while position < size {
            let bytes = window.read(&**file, position, 1).at(path)?;
            let rest = usize::try_from(size - position).unwrap_or(usize::MAX);
            let piece = &bytes[..bytes.len().min(rest)];
            if piece.is_empty() {
                return Err(io::ErrorKind::UnexpectedEof.into()).at(path);
            }
            file.write_all_at(piece, position).at(path)?;
            position += piece.len() as u64;
        }
        // Also when nothing is torn: an earlier cut may be in the page cache alone.
        file.set_len(size).at(path)?;
        file.sync_data().at(path)
        // end
    }
}

/// The first offsets of the segments in `dir`, ascending.
fn list_segments(disk: &dyn Disk, dir: &Path) -> Result<Vec<Offset>, WriteError> {
    let names = disk.list(dir).at(dir)?;
    let mut bases: Vec<Offset> = names.iter().filter_map(|name| segment_base(name)).collect();
    bases.sort_unstable();
    Ok(bases)
}

/// A segment below the recovery point, which ends where the next one begins.
fn believe(
    disk: &dyn Disk,
    dir: &Path,
    base_offset: Offset,
    end_offset: Offset,
) -> Result<Walked, WriteError> {
    let path = segment_path(dir, base_offset);
    let length = disk.open(&path).and_then(|file| file.length()).at(&path)?;
    Ok(Walked {
        segment: Segment {
            base_offset,
            end_offset,
            size: segment_size(&path, base_offset, length)?,
        },
        file: None,
        uncertain_from: 0,
        torn: 0,
    })
}

/// Walks along a segment to the first batch that is not whole. Changes nothing.
///
/// A batch may have up to [`SEGMENT_SIZE_MAX`] bytes: that is what [`Recovery`] gets.
/// No more is read than the file has, whatever a damaged length says.
///
/// # Errors
/// [`WriteError::Damaged`] when a batch begins below the recovery point and ends above it. Else as the
/// disk says: a read that fails is not the end of the segment.
fn walk(
    disk: &dyn Disk,
    dir: &Path,
    base_offset: Offset,
    recovery_point: Offset,
    visit: &mut dyn FnMut(Offset, u32, &BatchHeader),
) -> Result<Walked, WriteError> {
    // task 6.4: walk: batch by batch, and where the recovery point is passed
    let path: Arc<Path> = segment_path(dir, base_offset).into();
    let file = disk.open(&path).at(&path)?;
    let length = file.length().at(&path)?;
    segment_size(&path, base_offset, length)?;
    let mut walk = Recovery::new(base_offset, SEGMENT_SIZE_MAX as usize);
    let mut window = ReadWindow::default();
    let mut wanted = 1;
    let mut uncertain_from = 0;
    loop {
        let (position, end_offset) = (walk.position(), walk.next_offset());
        let segment = Segment {
            base_offset,
            end_offset,
            size: segment_size(&path, base_offset, position)?,
        };
        if end_offset <= recovery_point {
            uncertain_from = segment.size;
        }
        let bytes = window.read(&*file, position, wanted).at(&path)?;
        match walk.step(bytes) {
            // The recovery point is the end of a batch. The base offset is not covered
            // by the CRC, so a batch may claim to be further on than it is.
            Step::Batch(header)
                if end_offset < recovery_point && header.range().end > recovery_point =>
            {
                return Err(damaged(dir, Some(segment), base_offset));
            }
            Step::Batch(header) => {
                visit(base_offset, segment.size, &header);
                wanted = 1;
            }
            Step::Need(more) if more > bytes.len() && position + more as u64 <= length => {
                wanted = more;
            }
            Step::Need(_) | Step::End => {
                return Ok(Walked {
                    segment,
                    file: Some(SegmentFile { path, file }),
                    uncertain_from,
                    torn: length - position,
                });
            }
        }
    }
    // end
}

/// What was found, from the segments that are kept and those that were there.
fn opened(
    disk: Arc<dyn Disk>,
    dir: &Path,
    mut kept: Vec<Walked>,
    bases: &[Offset],
) -> OpenedWriter {
    let last = kept.pop().expect("a log has at least one segment");
    let file = last.file.expect("the last segment was walked");
    let behind = bases.partition_point(|base| *base <= last.segment.base_offset);
    let segments = bases.len() - behind;
    let truncated = (last.torn > 0 || segments > 0).then(|| Truncated {
        path: file.path.to_path_buf(),
        position: last.segment.size.into(),
        bytes: last.torn,
        segments,
        log_end: last.segment.end_offset,
    });
    OpenedWriter {
        writer: LogWriter {
            disk,
            dir: dir.to_owned(),
            active: last.segment,
            file,
            offline: false,
        },
        sealed: kept.into_iter().map(|walked| walked.segment).collect(),
        truncated,
    }
}

/// The log ends where `last` does, or at `log_start`, and must not.
fn damaged(dir: &Path, last: Option<Segment>, log_start: Offset) -> WriteError {
    WriteError::Damaged {
        path: segment_path(dir, last.map_or(log_start, |last| last.base_offset)),
        position: last.map_or(0, |last| last.size.into()),
        offset: last.map_or(log_start, |last| last.end_offset),
    }
}
