//! Compaction of a partition, in the background.

use log_storage::{Compactor, Dirty, Progress, Rewritten};
use message_model::{Offset, Timestamp};

use super::{Partition, written};
use crate::error::Error;
use crate::services::{in_pieces, once};

impl Partition {
    /// How much was never compacted, and whether it is time to; `None` if nothing may be
    /// compacted, or the topic is not.
    ///
    /// # Errors
    /// When the partition is offline, or the log fails.
    pub(crate) async fn find_dirty(&self, now: Timestamp) -> Result<Option<Dirty>, Error> {
        if !self.settings().log.cleanup.compact {
            return Ok(None);
        }
        let (view, stable) = self.online(|online| {
            // From the snapshot on a start must find the end of each transaction that is open there.
            let stable = online.ends().last_stable;
            let snapshot = online.oldest_snapshot.unwrap_or(stable);
            (online.view().clone(), stable.min(snapshot))
        })?;
        let mut find = view.find_dirty(now, stable);
        let lane = &self.services.lanes.administration;
        let topic = self.name.topic.to_string();
        Ok(in_pieces(lane, topic, move || find.step().transpose()).await?)
    }

    /// Compacts what is dirty. Returns up to where the log is compacted then; `None`
    /// when segments were deleted meanwhile, and the pass was given up.
    ///
    /// Each step is a turn on the lane for administration, and nothing else of this
    /// partition waits for more than one: appends and reads wait for none.
    ///
    /// # Errors
    /// When the partition is offline, or the log fails. What is compacted by then stays so.
    pub(crate) async fn compact(
        &self,
        compactor: Compactor,
        dirty: Dirty,
    ) -> Result<Option<Offset>, Error> {
        let clock = self.services.clock;
        let view = self.online(|online| online.view().clone())?;
        let log_start = view.log_start();
        let mut pass = self.turn(move || view.compact(compactor, dirty)).await??;
        loop {
            let step = move || {
                let progress = pass.step(clock.wall());
                (pass, progress)
            };
            let (next, progress) = self.turn(step).await?;
            pass = next;
            match progress {
                // A segment that was to be read is gone.
                Err(_) if self.ends()?.log_start > log_start => return Ok(None),
                Err(error) => return Err(error.into()),
                Ok(None) => {}
                Ok(Some(Progress::Compacted(end))) => return Ok(Some(end)),
                Ok(Some(Progress::Rewritten(rewritten))) => {
                    if !self.put_in_place(*rewritten).await? {
                        return Ok(None);
                    }
                }
            }
        }
    }

    /// Lets the log be made of what was written again; `false` when it has lost the old segments.
    // ANCHOR: put_in_place
    async fn put_in_place(&self, rewritten: Rewritten) -> Result<bool, Error> {
        let lane = &self.services.lanes.administration;
        let topic = || self.name.topic.to_string();
        let upkeep = self.upkeep().await;
        let view = self.online(|online| online.view().clone())?;
        if !view.holds(&rewritten) {
            once(lane, topic(), move || rewritten.discard()).await;
            return Ok(false);
        }
        let commit = move || (rewritten.commit(), upkeep);
        let (replacement, upkeep) = once(lane, topic(), commit).await;
        let replacement = replacement?;
        let mut writer = self.writer().await;
        let log = &mut written(&mut writer)?.log;
        log.replace(&replacement);
        let view = log.view();
        self.online(|online| online.replace(view))?;
        drop(writer);
        drop(upkeep);
        once(lane, topic(), move || replacement.forget_old()).await;
        Ok(true)
    }
    // ANCHOR_END: put_in_place

    /// What `work` returns, as one turn on the lane, while nothing else adds or removes
    /// segment files.
    ///
    /// # Errors
    /// When the partition is offline.
    pub(super) async fn turn<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        let upkeep = self.upkeep().await;
        self.online(|_| ())?;
        let lane = &self.services.lanes.administration;
        let work = move || {
            let done = work();
            drop(upkeep);
            done
        };
        Ok(once(lane, self.name.topic.to_string(), work).await)
    }
}
