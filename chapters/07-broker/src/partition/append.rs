//! Writing at the end of a partition.

use std::sync::Arc;

use log_storage::{Log, LogView};
use message_model::{OffsetRange, Timestamp};
use record_batch::assign_offsets;

use super::{Partition, Produced, Writer};
use crate::ends::{End, Ends};
use crate::error::Error;
use crate::services::once;

/// How many closed segments may wait for a sync; their files are open. A roll
/// beyond that waits for the sync, so that a slow disk does not use up the
/// descriptors. With segments of a sensible size it is never reached.
const UNSYNCED_SEGMENTS_MAX: usize = 4;

/// The most files that a partition keeps open, however slow the disk is: closed
/// segments that wait for a sync, the active segment, and its two indexes.
/// Readers of older segments have theirs from the `SegmentCache`, or hold them
/// for as long as an answer is sent.
pub const FILES_PER_PARTITION: usize = UNSYNCED_SEGMENTS_MAX + 3;

/// Where a produced batch is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// The offsets of its records.
    pub range: OffsetRange,
    /// The ends after it.
    pub ends: Ends,
}

impl Partition {
    /// The offsets of a producer's batch, which is in the page cache when this
    /// returns. Wait for durability if that was asked for.
    ///
    /// Waits for its turn among the appends to this partition, and, if the
    /// segment is full, until the file of the next one exists.
    ///
    /// # Errors
    /// When the partition is offline or the write fails. Nothing is appended then.
    // ANCHOR: append
    pub async fn append(
        self: &Arc<Self>,
        now: Timestamp,
        produced: Produced,
    ) -> Result<Appended, Error> {
        let mut writer = self.writer().await;
        let rolls = log(&mut writer)?.rolls_for(now, &produced.header);
        if !rolls {
            return self.write(writer, now, produced);
        }
        if log(&mut writer)?.view().unsynced_segments() >= UNSYNCED_SEGMENTS_MAX {
            self.sync_now().await?;
        }
        let partition = Arc::clone(self);
        // As one piece of work, which ends even if the client is gone by then.
        let roll = move || {
            let appended = partition.write(writer, now, produced)?;
            // As Kafka does: what is never synced could not be deleted either, and
            // its files would stay open.
            partition.start_sync(appended.range.start);
            Ok(appended)
        };
        once(&self.services.lanes.rolls, Arc::clone(&self.name), roll).await
    }
    // ANCHOR_END: append

    /// Gives the batch its offsets, writes it and lets readers see it, all as one.
    fn write(
        &self,
        mut writer: Writer,
        now: Timestamp,
        produced: Produced,
    ) -> Result<Appended, Error> {
        let Produced {
            mut header,
            mut batch,
        } = produced;
        let log = log(&mut writer)?;
        header.base_offset = log.log_end();
        header.leader_epoch = self.leader_epoch()?;
        assign_offsets(&mut batch, header.base_offset, header.leader_epoch);
        let range = log.append(now, &batch, &header)?;
        let ends = self.publish(log.view(), batch.len())?;
        Ok(Appended { range, ends })
    }

    /// Lets readers see what was appended, and wakes those who wait for it.
    fn publish(&self, view: LogView, size: usize) -> Result<Ends, Error> {
        let ends = self.online(|online| {
            online.appended(view, size);
            online.ends()
        })?;
        for end in [End::LastStable, End::HighWatermark, End::LogEnd] {
            self.board.moved(&end, ends.get(end));
        }
        Ok(ends)
    }
}

fn log(writer: &mut Writer) -> Result<&mut Log, Error> {
    let log = writer.as_mut();
    log.ok_or(Error::Log(log_storage::Error::Offline))
}
