//! What the writer of a log and all its views share.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use disk::Disk;

use crate::log_config::LogConfig;
use crate::segment_cache::SegmentCache;

/// Where a log is, and how it is read.
#[derive(Debug)]
pub(crate) struct LogDir {
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) path: PathBuf,
    pub(crate) config: LogConfig,
    pub(crate) cache: SegmentCache,
    /// The log's number in the cache.
    pub(crate) number: u64,
    /// Held while indexes are made again on disk: one at a time.
    pub(crate) index_writes: Mutex<()>,
}
