//! The part of chapter 06: the decisions of a log, without its files.
//!
//! - [`OffsetIndex`] finds where to start reading (task 6.1).
//! - [`Recovery`] finds where a segment ends after a crash (task 6.2).
//! - [`expired`] decides which segments may go (task 6.3).

mod offset_index;
mod recovery;
mod retention;

pub use offset_index::{ENTRY_SIZE, OFFSET_INDEX_FIELDS, OffsetIndex};
pub use recovery::{Recovery, Step};
pub use retention::{RetentionLimits, SegmentSummary, expired};
