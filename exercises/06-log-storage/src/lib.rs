//! The part of chapter 06: the decisions of a log, and the writing of it.
//!
//! - [`OffsetIndex`] finds where to start reading (task 6.1).
//! - [`Recovery`] finds where a segment ends after a crash (task 6.2).
//! - [`expired`] decides which segments may go (task 6.3).
//! - [`LogWriter`] writes the segments, and opens them after a crash (task 6.4).

mod error;
mod log_writer;
mod offset_index;
mod open_log;
mod read_window;
mod recovery;
mod retention;
mod segment;
mod segment_name;

pub use error::WriteError;
pub use log_writer::{LogWriter, sync_segments};
pub use offset_index::{ENTRY_SIZE, OFFSET_INDEX_FIELDS, OffsetIndex, last_at_or_below};
pub use open_log::{Known, OpenedWriter, Truncated};
pub use recovery::{Recovery, Step};
pub use retention::{RetentionLimits, SegmentSummary, expired};
pub use segment::{SEGMENT_SIZE_MAX, Segment, SegmentFile};
pub use segment_name::{segment_base, segment_path};
