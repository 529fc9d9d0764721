//! What the indexes of a segment are called: as the segment, with another suffix.

use std::path::{Path, PathBuf};

use message_model::Offset;

use crate::part::{segment_base, segment_path};

const SEGMENT: &str = "log";
const OFFSET_INDEX: &str = "index";
const TIME_INDEX: &str = "timeindex";

/// The segment's index by offset.
pub(crate) fn offset_index_path(dir: &Path, base_offset: Offset) -> PathBuf {
    segment_path(dir, base_offset).with_extension(OFFSET_INDEX)
}

/// Its index by time.
pub(crate) fn time_index_path(dir: &Path, base_offset: Offset) -> PathBuf {
    segment_path(dir, base_offset).with_extension(TIME_INDEX)
}

/// The base offset of the segment that the file `name` is an index of, complete
/// or not; `None` for any other file.
pub(crate) fn index(name: &str) -> Option<Offset> {
    let name = name.strip_suffix(disk::NEXT).unwrap_or(name);
    let (digits, suffix) = name.split_once('.')?;
    let is_index = [OFFSET_INDEX, TIME_INDEX].contains(&suffix);
    is_index
        .then(|| segment_base(&format!("{digits}.{SEGMENT}")))
        .flatten()
}
