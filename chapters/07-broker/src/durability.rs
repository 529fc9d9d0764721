//! Waiting until appended records are safe against power loss.

use std::sync::Arc;

use message_model::Offset;

use crate::error::Error;
use crate::partition::Partition;
use crate::serving::on_blocking_pool;

/// Completes when everything of `partition` below `end` is on disk: one
/// `fdatasync(2)` per call, on tokio's blocking pool. Chapter 10 lets callers share one.
///
/// # Errors
/// When the sync fails; the partition is offline from then on.
pub async fn sync_on_blocking_pool(partition: Arc<Partition>, end: Offset) -> Result<(), Error> {
    let on_disk = on_blocking_pool(move || partition.sync()).await?;
    debug_assert!(on_disk >= end, "a sync covers what was appended before it");
    Ok(())
}
