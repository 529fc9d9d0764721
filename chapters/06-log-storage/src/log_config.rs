//! Settings of a log.

use std::time::Duration;

use crate::part::RetentionLimits;

/// Settings of a log; named as in Kafka's configuration of a topic.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LogConfig {
    /// `segment.bytes`: a segment is rolled before it grows above this. It grows
    /// above it only when one batch is larger. At most 2 GiB - 1 takes effect.
    pub segment_bytes: u32,
    /// `segment.ms`: a segment is rolled when it was first appended to longer ago
    /// than this, as far as this process knows.
    pub segment_age: Duration,
    /// `index.interval.bytes`: more than so many bytes of batches lie between two index entries.
    pub index_interval_bytes: u32,
    /// `max.message.bytes`: no batch is larger. The caller of [`Log::append`](crate::Log::append) sees to it.
    pub batch_size_max: usize,
    /// `retention.ms` and `retention.bytes`.
    pub retention: RetentionLimits,
    /// `cleanup.policy`.
    pub cleanup: Cleanup,
    /// When and how the log is compacted, if it is.
    pub compaction: CompactionConfig,
}

/// `cleanup.policy`: how a log gets rid of old records. Neither keeps them for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cleanup {
    /// Old segments are deleted, as `retention` says.
    pub delete: bool,
    /// Of the records with one key, only the newest one is kept.
    pub compact: bool,
}

/// Settings of a compacted log.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CompactionConfig {
    /// `min.cleanable.dirty.ratio`: the log is compacted when more than this part of its
    /// bytes, from 0 to 1, was never compacted.
    pub min_dirty_ratio: f64,
    /// `min.compaction.lag.ms`: a record stays at least for so long, as its timestamp says.
    pub min_lag: Duration,
    /// `max.compaction.lag.ms`: a record that is older than this is compacted whatever
    /// the dirty ratio is.
    pub max_lag: Duration,
    /// `delete.retention.ms`: how long a record without a value stays after nothing older
    /// of its key is left.
    pub delete_retention: Duration,
}

impl Default for LogConfig {
    /// Kafka's defaults.
    fn default() -> LogConfig {
        let day = Duration::from_hours(24);
        LogConfig {
            segment_bytes: 1024 * 1024 * 1024,
            segment_age: 7 * day,
            index_interval_bytes: 4096,
            batch_size_max: 1024 * 1024 + 12,
            retention: RetentionLimits {
                age: Some(7 * day),
                bytes: None,
            },
            cleanup: Cleanup {
                delete: true,
                compact: false,
            },
            compaction: CompactionConfig::default(),
        }
    }
}

impl Default for CompactionConfig {
    /// Kafka's defaults.
    fn default() -> CompactionConfig {
        CompactionConfig {
            min_dirty_ratio: 0.5,
            min_lag: Duration::ZERO,
            // Kafka's largest number of milliseconds, which is no limit.
            max_lag: Duration::from_millis(i64::MAX.unsigned_abs()),
            delete_retention: Duration::from_hours(24),
        }
    }
}

impl LogConfig {
    /// `retention`, unless `cleanup.policy` says that nothing is deleted.
    pub(crate) fn retention_limits(&self) -> RetentionLimits {
        if self.cleanup.delete {
            return self.retention;
        }
        RetentionLimits {
            age: None,
            bytes: None,
        }
    }

    /// How old a segment may become before it is rolled: what is in the active one is not compacted.
    pub(crate) fn roll_age(&self) -> Duration {
        if self.cleanup.compact {
            self.segment_age.min(self.compaction.max_lag)
        } else {
            self.segment_age
        }
    }
}
