//! What is done to a partition in the background.

use std::sync::Arc;
use std::time::Duration;

use message_model::{Moment, Offset, OffsetRange, Timestamp};

use super::{Partition, written};
use crate::ends::End;
use crate::error::Error;
use crate::services::{in_pieces, once};

impl Partition {
    /// Deletes the segments whose time has come, none with a record that a
    /// consumer may not have seen or that is not on disk. Returns whether the log start has moved.
    ///
    /// # Errors
    /// When the log fails.
    pub async fn apply_retention(self: &Arc<Self>, now: Timestamp) -> Result<bool, Error> {
        let (view, ends) = self.online(|online| (online.view().clone(), online.ends()))?;
        let keep_from = ends.durable.min(ends.high_watermark);
        let mut retention = view.retention(now, keep_from);
        let lane = &self.services.lanes.administration;
        let topic = self.name.topic.to_string();
        let start = in_pieces(lane, topic, move || retention.step().transpose()).await?;
        Ok(self.delete_before(start).await? > ends.log_start)
    }

    /// Deletes the records below `offset`, which are on disk first: the log starts there
    /// from now on. Returns the log start, which is higher if it was.
    ///
    /// The new start is stored before anything is deleted, so that a crash in
    /// between leaves files too many and never a hole.
    ///
    /// # Errors
    /// [`log_storage::Error::OutOfRange`] above the high watermark, or when the log fails.
    pub async fn delete_before(self: &Arc<Self>, offset: Offset) -> Result<Offset, Error> {
        let ends = self.ends()?;
        if offset > ends.high_watermark {
            let log = OffsetRange {
                start: ends.log_start,
                end: ends.high_watermark,
            };
            return Err(log_storage::Error::OutOfRange { asked: offset, log }.into());
        }
        if offset <= ends.log_start {
            return Ok(ends.log_start);
        }
        self.durable(offset, Moment::after_start(Duration::MAX))
            .await?;
        self.save_producers_before(offset).await?;
        let lane = &self.services.lanes.administration;
        let topic = || self.name.topic.to_string();
        let upkeep = self.upkeep().await;
        let view = self.online(|online| online.view().clone())?;
        // What is done on the lane has the right, also when the caller is gone.
        let save = move || (view.save_log_start(offset.max(view.log_start())), upkeep);
        let (saved, upkeep) = once(lane, topic(), save).await;
        saved?;
        let mut writer = self.writer().await;
        let log = &mut written(&mut writer)?.log;
        let removed = log.set_log_start(offset);
        let view = log.view();
        let ends = self.online(|online| {
            online.replace(view);
            online.ends()
        })?;
        drop(writer);
        for end in [End::LogStart, End::LastStable] {
            self.board.moved(&end, ends.get(end));
        }
        let remove = move || {
            let removed = removed.remove();
            drop(upkeep);
            removed
        };
        once(lane, topic(), remove).await?;
        Ok(ends.log_start)
    }

    /// Notes on disk how far the log is known to be there, so that the next start looks at less.
    ///
    /// # Errors
    /// When the log fails.
    pub async fn save_recovery_point(&self) -> Result<(), Error> {
        let (view, durable) =
            self.online(|online| (online.view().clone(), online.ends().durable))?;
        let lane = &self.services.lanes.administration;
        let save = move || view.save_recovery_point(durable);
        Ok(once(lane, self.name.topic.to_string(), save).await?)
    }
}
