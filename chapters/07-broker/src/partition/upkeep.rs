//! What is done to a partition in the background.

use message_model::Timestamp;

use super::Partition;
use crate::ends::End;
use crate::error::Error;
use crate::services::{in_pieces, once};

impl Partition {
    /// Deletes the segments whose time has come, none with a record that a
    /// consumer may not have seen or that is not on disk. Returns whether the log start has moved.
    ///
    /// The new start is stored before anything is deleted, so that a crash in
    /// between leaves files too many and never a hole.
    ///
    /// # Errors
    /// When the log fails.
    pub async fn apply_retention(&self, now: Timestamp) -> Result<bool, Error> {
        let (view, ends) = self.online(|online| (online.view().clone(), online.ends()))?;
        let keep_from = ends.durable.min(ends.high_watermark);
        let mut retention = view.retention(now, keep_from);
        let lane = &self.services.lanes.administration;
        let topic = || self.name.topic.to_string();
        let decided = in_pieces(lane, topic(), move || retention.step().transpose()).await;
        let start = decided?;
        if start <= ends.log_start {
            return Ok(false);
        }
        once(lane, topic(), move || view.save_log_start(start)).await?;
        let mut writer = self.writer().await;
        let Some(log) = writer.as_mut() else {
            return Ok(false);
        };
        let removed = log.set_log_start(start);
        let view = log.view();
        let ends = self.online(|online| {
            online.replace(view);
            online.ends()
        })?;
        drop(writer);
        self.board.moved(&End::LogStart, ends.log_start);
        once(lane, topic(), move || removed.remove()).await?;
        Ok(true)
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
