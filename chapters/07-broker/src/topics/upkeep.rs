//! What is done to all topics in the background, and at a stop.

use std::sync::Arc;

use futures_util::future::join_all;
use message_model::{Timestamp, TopicPartition};

use super::Topics;
use crate::error::Error;
use crate::partition::Partition;

/// What could not be done, by partition.
pub type Failed = Vec<(TopicPartition, Error)>;

impl Topics {
    /// Deletes the segments whose time has come. Returns what could not be done.
    pub async fn apply_retention(&self, now: Timestamp) -> Failed {
        let mut failed = Failed::new();
        for partition in self.online_partitions() {
            if let Err(error) = partition.apply_retention(now).await {
                failed.push((partition.name().clone(), error));
            }
        }
        failed
    }

    /// Notes how far each log is on disk, and what is known about its producers, so that the
    /// next start looks at less. Returns what could not be done.
    pub async fn save_recovery_points(&self) -> Failed {
        let mut failed = Failed::new();
        for partition in self.online_partitions() {
            if let Err(error) = partition.save_recovery_point().await {
                failed.push((partition.name().clone(), error));
            }
        }
        for partition in self.online_partitions() {
            match partition.save_producers().await {
                // A topic that was deleted meanwhile is no failure.
                Err(error) if partition.ends().is_ok() => {
                    failed.push((partition.name().clone(), error));
                }
                _ => {}
            }
        }
        failed
    }

    /// Forgets the producers that were silent for too long. Returns what could not be done.
    pub async fn expire_producers(&self, now: Timestamp) -> Failed {
        let mut failed = Failed::new();
        for partition in self.online_partitions() {
            match partition.expire_producers(now).await {
                // A topic that was deleted meanwhile is no failure.
                Err(error) if partition.ends().is_ok() => {
                    failed.push((partition.name().clone(), error));
                }
                _ => {}
            }
        }
        failed
    }

    /// Makes everything safe against power loss and saves the recovery points,
    /// all partitions at once; for a stop. Returns what could not be done.
    pub async fn sync_all(&self) -> SyncedAll {
        let partitions = self.online_partitions();
        let synced = partitions.iter().map(|partition| async move {
            let name = partition.name();
            if let Err(error) = partition.sync_now().await {
                return (Some((name.clone(), error)), None);
            }
            let saved = match partition.save_recovery_point().await {
                Ok(()) => partition.save_producers().await,
                failed => failed,
            };
            (None, saved.err().map(|error| (name.clone(), error)))
        });
        let mut all = SyncedAll::default();
        for (not_synced, not_saved) in join_all(synced).await {
            all.not_synced.extend(not_synced);
            all.not_saved.extend(not_saved);
        }
        all.offline = self.partitions().count() - partitions.len();
        all
    }

    fn partitions(&self) -> impl Iterator<Item = Arc<Partition>> {
        let topics = self.all().into_iter();
        topics.flat_map(|topic| topic.partitions.clone())
    }

    pub(super) fn online_partitions(&self) -> Vec<Arc<Partition>> {
        self.partitions().filter(|one| one.ends().is_ok()).collect()
    }
}

/// What came of making everything safe.
#[derive(Debug, Default)]
pub struct SyncedAll {
    /// Partitions whose records may not be on disk.
    pub not_synced: Failed,
    /// Partitions whose records are on disk, but whose recovery point or producers were not
    /// saved: the next start takes longer.
    pub not_saved: Failed,
    /// How many partitions were offline before.
    pub offline: usize,
}
