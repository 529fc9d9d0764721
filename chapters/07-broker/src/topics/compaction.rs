//! Compaction of all topics, one partition after the other.

use super::Topics;
use super::upkeep::Failed;

/// What came of one round over all topics.
#[derive(Debug, Default)]
pub struct CompactedAll {
    /// How many partitions were compacted.
    pub compacted: usize,
    /// What could not be done.
    pub failed: Failed,
}

impl Topics {
    /// Compacts every partition whose time it is, the dirtiest first. Does nothing if
    /// the broker has no rule for that.
    pub async fn compact(&self) -> CompactedAll {
        let mut all = CompactedAll::default();
        let Some(compactor) = self.services.compactor else {
            return all;
        };
        let now = self.services.clock.wall();
        let mut due = Vec::new();
        for partition in self.online_partitions() {
            match partition.find_dirty(now).await {
                Ok(found) => {
                    let found = found.filter(|dirty| dirty.is_due);
                    due.extend(found.map(|dirty| (dirty, partition)));
                }
                // A topic that was deleted meanwhile is no failure.
                Err(_) if partition.ends().is_err() => {}
                Err(error) => all.failed.push((partition.name().clone(), error)),
            }
        }
        due.sort_by(|(one, _), (other, _)| other.ratio.total_cmp(&one.ratio));
        for (dirty, partition) in due {
            match partition.compact(compactor, dirty).await {
                Ok(Some(end)) => {
                    tracing::debug!("{}: compacted up to offset {end}", partition.name());
                    all.compacted += 1;
                }
                Ok(None) => {}
                // A topic that was deleted meanwhile is no failure.
                Err(_) if partition.ends().is_err() => {}
                Err(error) => all.failed.push((partition.name().clone(), error)),
            }
        }
        all
    }
}
