//! What the writer of a log and all its views share.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use disk::Disk;
use message_model::Offset;

use crate::error::Error;
use crate::log_config::LogConfig;
use crate::saved_offset;
use crate::sealed::Sealed;
use crate::segment_cache::{Key, SegmentCache};

/// Where a log is, and how it is read.
#[derive(Debug)]
pub(crate) struct LogDir {
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) path: PathBuf,
    /// Locked for a copy, in or out.
    config: RwLock<LogConfig>,
    pub(crate) cache: SegmentCache,
    /// The log's number in the cache.
    pub(crate) number: u64,
    /// Held while indexes are made again on disk: one at a time.
    pub(crate) index_writes: Mutex<()>,
    /// The saved recovery point; held while it is saved, so that it only grows.
    recovery_point: Mutex<Offset>,
    /// The log is not compacted until it is opened again: a batch cannot be read, or a
    /// replacement of segments has failed halfway, which the next start finishes or undoes.
    compaction_is_given_up: AtomicBool,
}

impl LogDir {
    pub(crate) fn new(
        disk: Arc<dyn Disk>,
        path: PathBuf,
        config: LogConfig,
        cache: SegmentCache,
        recovery_point: Offset,
    ) -> LogDir {
        LogDir {
            disk,
            path,
            config: RwLock::new(config),
            number: cache.add_log(),
            cache,
            index_writes: Mutex::new(()),
            recovery_point: Mutex::new(recovery_point),
            compaction_is_given_up: AtomicBool::new(false),
        }
    }

    pub(crate) fn config(&self) -> LogConfig {
        *self.config.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set_config(&self, config: LogConfig) {
        *self.config.write().unwrap_or_else(PoisonError::into_inner) = config;
    }

    /// The key of a segment in the cache.
    pub(crate) fn key(&self, sealed: &Sealed) -> Key {
        (self.number, sealed.base_offset(), sealed.version)
    }

    /// Saves that everything below `durable` is on disk, unless a higher offset was saved before.
    ///
    /// # Errors
    /// As the disk says.
    pub(crate) fn save_recovery_point(&self, durable: Offset) -> Result<(), Error> {
        let saved = self.recovery_point.lock();
        let mut saved = saved.unwrap_or_else(PoisonError::into_inner);
        if durable > *saved {
            let name = saved_offset::RECOVERY_POINT;
            saved_offset::write(&*self.disk, &self.path, name, durable)?;
            *saved = durable;
        }
        Ok(())
    }

    pub(crate) fn compaction_is_given_up(&self) -> bool {
        self.compaction_is_given_up.load(Ordering::Acquire)
    }

    pub(crate) fn give_up_compaction(&self) {
        self.compaction_is_given_up.store(true, Ordering::Release);
    }
}
