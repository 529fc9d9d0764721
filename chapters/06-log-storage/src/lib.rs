//! A partition's log on disk: segments, indexes, retention, recovery.
//!
//! # On disk
//! A log is a directory of segments, each named after its first offset, in
//! Kafka's own formats: `00000000000000000000.log` (batches, one behind the
//! other), `.index` (offset → position) and `.timeindex` (timestamp → offset).
//! Both indexes may be deleted at any time; they are made again from the log.
//! `recovery-point` holds the offset below which everything is known to be on disk.
//! Any other file is left alone.
//!
//! # Invariants
//! - A segment is synced before the next one is created.
//! - What was appended is read back byte by byte, or not at all.
//! - At or above the recovery point a batch that is not whole is cut off when
//!   the log is opened; below it nothing is ever cut ([`Error::Damaged`]).
//! - What was cut off never comes back: a cut is synced before the next append.
//! - Segments are removed one at a time, each for good: a crash leaves no hole.
//!
//! Start reading at [`Log`].

mod active;
mod batch_run;
mod error;
mod index_file;
mod indexes;
mod log;
mod name;
mod part;
mod real_disk;
mod recover;
mod recovery_point;
mod scan;
mod sealed;
mod time_index;
mod window;

pub use error::Error;
pub use log::{Appended, Log, LogConfig, Opened, Truncated};
pub use part::{OFFSET_INDEX_FIELDS, RetentionLimits, SegmentSummary};
pub use real_disk::RealDisk;
pub use scan::Scan;
pub use time_index::TIME_INDEX_FIELDS;
