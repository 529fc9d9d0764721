//! What the files of a segment are called: its first offset in 20 digits.

use std::path::{Path, PathBuf};

use message_model::Offset;

const DIGITS: usize = 20;
const LOG: &str = ".log";
const OFFSET_INDEX: &str = ".index";
const TIME_INDEX: &str = ".timeindex";

/// The segment's batches.
pub(crate) fn log_path(dir: &Path, base_offset: Offset) -> PathBuf {
    path(dir, base_offset, LOG)
}

/// Its index by offset.
pub(crate) fn offset_index_path(dir: &Path, base_offset: Offset) -> PathBuf {
    path(dir, base_offset, OFFSET_INDEX)
}

/// Its index by time.
pub(crate) fn time_index_path(dir: &Path, base_offset: Offset) -> PathBuf {
    path(dir, base_offset, TIME_INDEX)
}

fn path(dir: &Path, base_offset: Offset, suffix: &str) -> PathBuf {
    let digits = DIGITS;
    dir.join(format!("{:0digits$}{suffix}", base_offset.0))
}

/// The base offset of the segment whose batches are in the file `name`; `None` for any other file.
pub(crate) fn segment(name: &str) -> Option<Offset> {
    base_offset(name.strip_suffix(LOG)?)
}

/// The base offset of the segment that the file `name` is an index of; `None` for any other file.
pub(crate) fn index(name: &str) -> Option<Offset> {
    let digits = name
        .strip_suffix(OFFSET_INDEX)
        .or_else(|| name.strip_suffix(TIME_INDEX))?;
    base_offset(digits)
}

fn base_offset(digits: &str) -> Option<Offset> {
    let is_ours = digits.len() == DIGITS && digits.bytes().all(|digit| digit.is_ascii_digit());
    is_ours.then(|| digits.parse().ok().map(Offset)).flatten()
}
