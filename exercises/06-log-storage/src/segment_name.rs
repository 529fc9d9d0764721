//! What a segment's file is called: its first offset in 20 digits, as in Kafka.

use std::path::{Path, PathBuf};

use message_model::Offset;

const DIGITS: usize = 20;
const SUFFIX: &str = ".log";

/// The path of the segment that begins with `base_offset`, such as
/// `00000000000000000120.log` in `dir`.
#[must_use]
pub fn segment_path(dir: &Path, base_offset: Offset) -> PathBuf {
    let digits = DIGITS;
    dir.join(format!("{:0digits$}{SUFFIX}", base_offset.0))
}

/// The first offset of the segment with the file name `name`; `None` for any other file.
#[must_use]
pub fn segment_base(name: &str) -> Option<Offset> {
    let digits = name.strip_suffix(SUFFIX)?;
    let is_ours = digits.len() == DIGITS && digits.bytes().all(|digit| digit.is_ascii_digit());
    is_ours.then(|| digits.parse().ok().map(Offset)).flatten()
}
