//! Settings of a log.

use std::time::Duration;

use crate::part::RetentionLimits;

/// Settings of a log; named as in Kafka's configuration of a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
        }
    }
}
