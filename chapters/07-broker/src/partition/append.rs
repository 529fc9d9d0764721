//! Writing at the end of a partition.

use std::sync::Arc;

use log_storage::LogView;
use message_model::{OffsetRange, Timestamp};
use record_batch::assign_offsets;

use super::written::Written;
use super::{Partition, Produced, Writer, written};
use crate::ends::{End, Ends};
use crate::error::Error;
use crate::producers::Check;
use crate::services::once;

/// How many closed segments of a partition may wait for a sync; their files are open.
/// A roll beyond that waits for the sync, and so does a roll when the `SegmentCache` has no
/// room for another such file of any partition: a slow disk does not use up the
/// descriptors. With segments of a sensible size neither is ever reached.
///
/// Besides these files a partition keeps one open, its active segment. Readers of older
/// segments have theirs from the cache, or hold them for as long as an answer is sent.
const UNSYNCED_SEGMENTS_MAX: usize = 4;

/// Where a produced batch is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// The offsets of its records.
    pub range: OffsetRange,
    /// The ends after it.
    pub ends: Ends,
    /// [`Timestamp::NONE`]; of a batch that was in the log already, its largest timestamp.
    pub log_append_time: Timestamp,
}

impl Partition {
    /// The offsets of a producer's batch, which is in the page cache when this
    /// returns. Wait for durability if that was asked for, also if the batch was in the log
    /// already.
    ///
    /// Waits for its turn among the appends to this partition, and, if the
    /// segment is full, until the file of the next one exists.
    ///
    /// # Errors
    /// The code of the rules for producers. When the partition is offline or the write fails.
    /// Nothing is appended then.
    // ANCHOR: append
    pub async fn append(
        self: &Arc<Self>,
        now: Timestamp,
        produced: Produced,
    ) -> Result<Appended, Error> {
        let mut writer = self.writer().await;
        match written(&mut writer)?.check(now, &produced.header, produced.end) {
            Check::Append => self.append_next(writer, now, produced).await,
            Check::Duplicate { range, timestamp } => Ok(Appended {
                range,
                ends: self.ends()?,
                log_append_time: timestamp,
            }),
            Check::Refuse(code) => Err(Error::Rejected(code)),
        }
    }

    /// The same for a batch that is to be appended; nobody else appends meanwhile.
    async fn append_next(
        self: &Arc<Self>,
        mut writer: Writer,
        now: Timestamp,
        produced: Produced,
    ) -> Result<Appended, Error> {
        let log = &mut written(&mut writer)?.log;
        if !log.rolls_for(now, &produced.header) {
            return self.write(writer, now, produced);
        }
        if log.view().is_unnamed() {
            self.sync_name(log.view()).await?;
        }
        if log.view().unsynced_segments() >= UNSYNCED_SEGMENTS_MAX || !log.reserve_open() {
            self.sync_now().await?;
            log.note_durable(self.ends()?.durable);
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

    /// Makes a new log ready for its first roll: one sync of a directory. A failure
    /// is that of a sync.
    async fn sync_name(&self, view: LogView) -> Result<(), Error> {
        let sync = move || view.sync_name();
        let synced = once(&self.services.lanes.rolls, Arc::clone(&self.name), sync).await;
        Ok(synced.inspect_err(|error| {
            tracing::error!("{} is offline: a sync failed: {error}", self.name);
            self.take_offline();
        })?)
    }

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
            end,
        } = produced;
        let written = written(&mut writer)?;
        header.base_offset = written.log.log_end();
        header.leader_epoch = self.leader_epoch()?;
        assign_offsets(&mut batch, header.base_offset, header.leader_epoch);
        let range = written.log.append(now, &batch, &header)?;
        if let Some(aborted) = written.note(now, &header, end) {
            written.log.note_aborted(aborted);
        }
        let ends = self.publish(written, batch.len())?;
        Ok(Appended {
            range,
            ends,
            log_append_time: Timestamp::NONE,
        })
    }

    /// Lets readers see what was appended, and wakes those who wait for it.
    fn publish(&self, written: &Written, size: usize) -> Result<Ends, Error> {
        let ends = self.online(|online| {
            online.appended(written.log.view(), size, written.first_unstable());
            online.ends()
        })?;
        for end in [End::LastStable, End::HighWatermark, End::LogEnd] {
            self.board.moved(&end, ends.get(end));
        }
        Ok(ends)
    }
}
