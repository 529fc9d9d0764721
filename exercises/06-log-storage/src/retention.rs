//! Which segments may go.

use std::time::Duration;

use message_model::{Offset, Timestamp};

/// What retention must know of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SegmentSummary {
    /// Its first offset.
    pub base_offset: Offset,
    /// The first offset behind it.
    pub end_offset: Offset,
    /// Its size, in bytes.
    pub size: u64,
    /// The largest timestamp of its records; `None` if it is not known, or no
    /// record has one: then the age limit does not apply to it.
    pub newest: Option<Timestamp>,
}

/// How long and how much to keep; `None` is without limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetentionLimits {
    /// `retention.ms`: a segment goes when its newest record is older.
    pub age: Option<Duration>,
    /// `retention.bytes`: the oldest segment goes while the others have at least this.
    pub bytes: Option<u64>,
}

/// How many of `segments` (oldest first) may be deleted from the front.
///
/// Never the last one, which is being written, and never one that holds an
/// offset at or above `keep_from`: those are still needed.
#[must_use]
pub fn expired(
    segments: &[SegmentSummary],
    limits: RetentionLimits,
    now: Timestamp,
    keep_from: Offset,
) -> usize {
    // task 6.3: count from the front while a segment is too old or one too many
    todo!("6.3: count from the front while a segment is too old or one too many")
    // end
}
