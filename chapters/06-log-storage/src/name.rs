//! What the files beside a segment are called: as the segment, with another suffix.

use std::path::{Path, PathBuf};

use message_model::Offset;

use crate::part::{segment_base, segment_path};

const SEGMENT: &str = "log";
const OFFSET_INDEX: &str = "index";
const TIME_INDEX: &str = "timeindex";
const ABORTED_INDEX: &str = "txnindex";
const CLEANED: &str = "cleaned";
const SWAP: &str = "swap";
const ABORTED_SWAP: &str = "txnswap";

/// The segment's index by offset.
pub(crate) fn offset_index_path(dir: &Path, base_offset: Offset) -> PathBuf {
    segment_path(dir, base_offset).with_extension(OFFSET_INDEX)
}

/// Its index by time.
pub(crate) fn time_index_path(dir: &Path, base_offset: Offset) -> PathBuf {
    segment_path(dir, base_offset).with_extension(TIME_INDEX)
}

/// Its index of aborted transactions.
pub(crate) fn aborted_index_path(dir: &Path, base_offset: Offset) -> PathBuf {
    segment_path(dir, base_offset).with_extension(ABORTED_INDEX)
}

/// The base offset of the segment that the file `name` is the index of aborted
/// transactions of; `None` for any other file.
pub(crate) fn aborted_index(name: &str) -> Option<Offset> {
    let digits = name.strip_suffix(ABORTED_INDEX)?;
    segment_base(&format!("{digits}{SEGMENT}"))
}

/// The base offset of the segment that the file `name` is an index of, complete
/// or not; `None` for any other file.
pub(crate) fn index(name: &str) -> Option<Offset> {
    let name = name.strip_suffix(disk::NEXT).unwrap_or(name);
    let (digits, suffix) = name.split_once('.')?;
    let is_index = [OFFSET_INDEX, TIME_INDEX, ABORTED_INDEX].contains(&suffix);
    is_index
        .then(|| segment_base(&format!("{digits}.{SEGMENT}")))
        .flatten()
}

/// A file that is being written to take the place of the segment and of some behind it.
pub(crate) fn cleaned_path(dir: &Path, base_offset: Offset) -> PathBuf {
    segment_path(dir, base_offset).with_extension(CLEANED)
}

/// Whether `name` is that of such a file.
pub(crate) fn is_cleaned(name: &str) -> bool {
    name.strip_suffix(CLEANED)
        .is_some_and(|name| segment_base(&format!("{name}{SEGMENT}")).is_some())
}

/// A whole file that takes the place of the segments from `base_offset` up to `end_offset`.
pub(crate) fn swap_path(dir: &Path, base_offset: Offset, end_offset: Offset) -> PathBuf {
    dir.join(format!("{:020}-{:020}.{SWAP}", base_offset.0, end_offset.0))
}

/// The index of aborted transactions that goes with such a file.
pub(crate) fn aborted_swap_path(dir: &Path, base_offset: Offset, end_offset: Offset) -> PathBuf {
    swap_path(dir, base_offset, end_offset).with_extension(ABORTED_SWAP)
}

/// The offsets in the name of a file that takes the place of segments; `None` for any other file.
pub(crate) fn swap(name: &str) -> Option<(Offset, Offset)> {
    offsets(name, SWAP)
}

/// The offsets in the name of an index that goes with such a file; `None` for any other file.
pub(crate) fn aborted_swap(name: &str) -> Option<(Offset, Offset)> {
    offsets(name, ABORTED_SWAP)
}

fn offsets(name: &str, suffix: &str) -> Option<(Offset, Offset)> {
    let name = name.strip_suffix(suffix)?.strip_suffix('.')?;
    let (base, end) = name.split_once('-')?;
    let offset = |digits: &str| segment_base(&format!("{digits}.{SEGMENT}"));
    Some((offset(base)?, offset(end)?))
}
