//! How records are processed.

use std::time::Duration;

use crate::part::Limits;

/// What [`process_in_order`](crate::process_in_order) may do.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How the group is read. When records are done, and what is committed, is decided
    /// here, so those two settings of the consumer mean nothing.
    pub consumer: consumer::Settings,
    /// Workers, window, tries and backoff, of each partition.
    pub limits: Limits,
    /// How often the frontiers are committed.
    pub commit_interval: Duration,
    /// How long what is in hand may take when a partition is given up. After that its next
    /// owner may process records that are still being processed here.
    pub drain_patience: Duration,
}

impl Default for Settings {
    /// Eight workers for each partition, a window of 1,000 records, three tries.
    fn default() -> Settings {
        Settings {
            consumer: consumer::Settings::default(),
            limits: Limits {
                workers: 8,
                window_max: 1_000,
                tries_max: 3,
                backoff: Duration::from_millis(100),
            },
            commit_interval: Duration::from_secs(1),
            drain_patience: Duration::from_secs(10),
        }
    }
}
