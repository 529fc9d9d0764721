//! A partition's log on disk: segments, indexes, retention, recovery.
//!
//! # On disk
//! A log is a directory of segments, each named after its first offset, in
//! Kafka's own formats: `00000000000000000000.log` (batches, one behind the
//! other), `.index` (offset → position) and `.timeindex` (timestamp → offset).
//! Both indexes may be deleted at any time; they are made again from the log. `.txnindex`
//! (aborted transactions) may not: it is as much a part of the log as the batches.
//! `recovery-point` holds the offset below which everything is known to be on
//! disk, `log-start` the one below which no record is wanted any more, and
//! `compacted-to` the one below which the log was compacted. Any other file is left alone.
//!
//! # Invariants
//! - [`Log`] writes to the page cache and never syncs; [`LogView::sync`] does.
//! - What was appended is read back byte by byte, or not at all.
//! - At or above the recovery point the log ends, when it is opened, at the first
//!   batch that is not whole and where a segment does not follow the one before;
//!   what is behind is cut off. Below it nothing is ever cut ([`Error::Damaged`]).
//! - When a log has been opened, everything in it is on disk.
//! - The log start is saved before a segment below it is removed.
//! - A transaction that was aborted is in an index, in memory or on disk, as long as a record of it is in the log.
//! - Compaction replaces segments as a whole: a crash leaves the old ones or the new one.
//!
//! Start reading at [`Log`] and [`LogView`].

mod aborted;
mod active;
mod compaction;
mod error;
mod failed_sync;
mod find_timestamp;
mod held_file;
mod index_file;
mod indexes;
mod load;
mod locate;
mod log;
mod log_config;
mod log_dir;
mod log_view;
mod name;
mod newest;
mod open;
mod opened_times;
mod part;
mod real_disk;
mod record_times;
mod removed;
mod retention;
mod saved_offset;
mod scan;
mod sealed;
mod segment_cache;
mod segment_view;
mod time_index;
mod window;

pub use aborted::{ABORTED_INDEX_FIELDS, AbortedList, AbortedTransaction, FindAborted};
pub use compaction::{
    Candidate, CloseBatch, Compaction, Compactor, Dirty, DirtySection, FindDirty, Progress,
    Replacement, Rewritten,
};
pub use error::Error;
pub use find_timestamp::FindTimestamp;
pub use locate::Locate;
pub use log::Log;
pub use log_config::{Cleanup, CompactionConfig, LogConfig};
pub use log_view::LogView;
pub use open::Opened;
pub use part::{OFFSET_INDEX_FIELDS, RetentionLimits, SegmentSummary, Truncated};
pub use real_disk::RealDisk;
pub use removed::Removed;
pub use retention::Retention;
pub use scan::Scan;
pub use segment_cache::SegmentCache;
pub use time_index::TIME_INDEX_FIELDS;
