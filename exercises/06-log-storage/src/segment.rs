//! A segment of a log, and its file.

use std::path::Path;
use std::sync::Arc;

use disk::{Disk, File};
use message_model::Offset;

use crate::error::{At, WriteError};
use crate::segment_name::segment_path;

/// No segment and no batch is larger, in bytes: positions in an index have 31 bits.
pub const SEGMENT_SIZE_MAX: u32 = i32::MAX.unsigned_abs();

/// A segment, without its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment {
    /// Its first offset, and its name.
    pub base_offset: Offset,
    /// The first offset behind it.
    pub end_offset: Offset,
    /// Whole batches, in bytes. The file has no more, except after a failed write.
    pub size: u32,
}

/// The open file of a segment.
#[derive(Debug, Clone)]
pub struct SegmentFile {
    /// Its path.
    pub path: Arc<Path>,
    /// The file.
    pub file: Arc<dyn File>,
}

/// Creates an empty segment that begins with `base_offset`, in place of one of that name.
///
/// # Errors
/// As the disk says.
pub(crate) fn create_segment(
    disk: &dyn Disk,
    dir: &Path,
    base_offset: Offset,
) -> Result<(Segment, SegmentFile), WriteError> {
    let path = segment_path(dir, base_offset);
    let file = disk.create(&path).at(&path)?;
    let segment = Segment {
        base_offset,
        end_offset: base_offset,
        size: 0,
    };
    let path = path.into();
    Ok((segment, SegmentFile { path, file }))
}

/// A file's length as the size of a segment.
///
/// # Errors
/// [`WriteError::Damaged`] when no segment is that long.
pub(crate) fn segment_size(
    path: &Path,
    base_offset: Offset,
    length: u64,
) -> Result<u32, WriteError> {
    let size = u32::try_from(length).ok();
    let size = size.filter(|size| *size <= SEGMENT_SIZE_MAX);
    size.ok_or_else(|| WriteError::Damaged {
        path: path.to_owned(),
        position: SEGMENT_SIZE_MAX.into(),
        offset: base_offset,
    })
}
