//! One partition: a log, its four ends, and what is known of its producers, under one lock.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};

use disk::Disk;
use log_storage::{Log, LogConfig, Truncated};
use message_model::{LeaderEpoch, Offset, OffsetRange, Timestamp, TopicPartition};
use networking::FileRange;
use record_batch::{Batches, validate};

use crate::ends::{End, Ends};
use crate::error::Error;
use crate::part::{Want, whole_batches};
use crate::partition_state::{State, record, replay, validate_produced};
use crate::producers::{AbortedTransaction, Admission, Producers};

/// Who reads; decides at which end the reading stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    /// A consumer of everything: up to the high watermark.
    Uncommitted,
    /// A consumer of what is committed: up to the last stable offset.
    Committed,
    /// A follower: up to the log end.
    Replica,
}

impl Reader {
    /// The end at which the reading stops.
    #[must_use]
    pub fn end(self) -> End {
        match self {
            Reader::Uncommitted => End::HighWatermark,
            Reader::Committed => End::LastStable,
            Reader::Replica => End::LogEnd,
        }
    }
}

/// What became of a produce.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// The offsets of the batches.
    pub range: OffsetRange,
    /// The ends after it.
    pub ends: Ends,
}

/// What a fetch found.
#[derive(Debug, Clone)]
pub struct Fetched {
    /// Whole batches, unread.
    pub slices: Vec<FileRange>,
    /// Their offsets; empty at the fetch offset if there are none.
    pub range: OffsetRange,
    /// The ends at that time.
    pub ends: Ends,
    /// Aborted transactions in the range, for a committed reader.
    pub aborted: Vec<AbortedTransaction>,
}

/// One partition. Shared by all connections; every method locks it for as long
/// as it runs, unless it says otherwise, and none of them waits for anything but
/// the page cache.
#[derive(Debug)]
pub struct Partition {
    name: TopicPartition,
    config: LogConfig,
    state: Mutex<State>,
    /// Held during a sync. Of two syncs at a time, one may be told of a failure
    /// and the other be told that all is well: the operating system reports a
    /// failure once. One after the other, the second finds the partition offline.
    syncing: Mutex<()>,
}

/// What [`Partition::open`] found.
#[derive(Debug)]
pub(crate) struct OpenedPartition {
    pub(crate) partition: Partition,
    pub(crate) truncated: Option<Truncated>,
    /// Why it is offline.
    pub(crate) offline: Option<Error>,
}

impl Partition {
    /// Opens the partition's log in `dir`, or creates it there. A partition whose
    /// log cannot be opened is there too: it answers every call with an error.
    pub(crate) fn open(
        disk: Arc<dyn Disk>,
        dir: &Path,
        name: TopicPartition,
        config: LogConfig,
        mut producers: Box<dyn Producers>,
    ) -> OpenedPartition {
        let opened = Log::open(disk, dir, config)
            .map_err(Error::from)
            .and_then(|opened| {
                replay(&opened.log, &mut *producers)?;
                Ok(opened)
            });
        let (log, truncated, offline) = match opened {
            Ok(opened) => (Some(opened.log), opened.truncated, None),
            Err(error) => (None, None, Some(error)),
        };
        OpenedPartition {
            partition: Partition {
                name,
                config,
                state: Mutex::new(State { log, producers }),
                syncing: Mutex::new(()),
            },
            truncated,
            offline,
        }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &TopicPartition {
        &self.name
    }

    /// Gives a producer's batch its offsets and appends it. It is in the page
    /// cache when this returns; wait for durability if that was asked for.
    ///
    /// # Errors
    /// When it is not one batch that we take, the producer's state forbids it,
    /// or the log fails. Nothing is appended then.
    // ANCHOR: append
    pub fn append(&self, now: Timestamp, batch: &mut [u8]) -> Result<Appended, Error> {
        let header = validate_produced(batch, self.config.batch_size_max)?;
        let mut state = self.lock();
        let range = match state.producers.check(&header) {
            Admission::Append => state.append(now, batch, self.leader_epoch())?,
            Admission::Duplicate(range) => range,
            Admission::Reject(code) => return Err(Error::Rejected(code)),
        };
        let ends = state.ends()?;
        Ok(Appended { range, ends })
    }
    // ANCHOR_END: append

    /// Whether appending `bytes` more would roll the segment, which syncs it:
    /// whoever must not block for long waits for durability first.
    ///
    /// # Errors
    /// When the partition is offline.
    pub fn rolls_for(&self, now: Timestamp, bytes: usize) -> Result<bool, Error> {
        Ok(self.lock().log()?.rolls_for(now, bytes))
    }

    /// Appends batches that have their offsets; for followers.
    ///
    /// # Errors
    /// When one of them is no batch or does not follow the log's end, or the log
    /// fails. Nothing is appended then.
    pub fn append_as_follower(&self, now: Timestamp, batches: &[u8]) -> Result<Appended, Error> {
        let mut headers = Vec::new();
        for batch in Batches::new(batches) {
            let (_, bytes) = batch?;
            headers.push(validate(bytes, self.config.batch_size_max)?);
        }
        let mut state = self.lock();
        let log_end = state.log()?.log_end();
        let mut end = log_end;
        for header in &headers {
            if header.base_offset < end {
                return Err(Error::NotNext {
                    base_offset: header.base_offset,
                    end,
                });
            }
            end = header.range().end;
        }
        if !headers.is_empty() {
            state.log_mut()?.append(now, batches)?;
        }
        for header in &headers {
            record(&mut *state.producers, header);
        }
        let ends = state.ends()?;
        let range = OffsetRange {
            start: headers.first().map_or(log_end, |first| first.base_offset),
            end,
        };
        Ok(Appended { range, ends })
    }

    /// The whole batches from the one that holds `from` on, for `reader`, at
    /// most `max_bytes` (but at least one batch if `at_least_one`). Reads batch
    /// headers, without the lock; a partition with many cold ones is read on the
    /// blocking pool.
    ///
    /// # Errors
    /// When `from` is out of range or the log is damaged there.
    // ANCHOR: fetch
    pub fn fetch(
        &self,
        reader: Reader,
        from: Offset,
        max_bytes: u32,
        at_least_one: bool,
    ) -> Result<Fetched, Error> {
        let (ends, mut batches) = {
            let state = self.lock();
            (state.ends()?, state.log()?.scan(from)?)
        };
        let want = Want {
            from,
            end: ends.get(reader.end()),
            max_bytes,
            at_least_one,
        };
        let selection = whole_batches(&mut batches, want)?;
        let nothing = OffsetRange {
            start: from,
            end: from,
        };
        let range = selection.map_or(nothing, |selection| selection.range);
        let aborted = match reader {
            Reader::Committed => self.lock().producers.aborted(range),
            Reader::Uncommitted | Reader::Replica => Vec::new(),
        };
        Ok(Fetched {
            slices: selection
                .map(|selection| batches.file_range(selection.position, selection.length))
                .into_iter()
                .collect(),
            range,
            ends,
            aborted,
        })
    }
    // ANCHOR_END: fetch

    /// The first record at or after `target` that `reader` may see.
    ///
    /// # Errors
    /// When the log is damaged there.
    pub fn find_timestamp(
        &self,
        reader: Reader,
        target: Timestamp,
    ) -> Result<Option<(Timestamp, Offset)>, Error> {
        let state = self.lock();
        let end = state.ends()?.get(reader.end());
        let found = state.log()?.find_timestamp(target)?;
        Ok(found.filter(|(_, offset)| *offset < end))
    }

    /// Makes everything appended so far safe against power loss. Blocks for as
    /// long as the disk takes (without the lock): call it on the blocking pool.
    ///
    /// # Errors
    /// When the sync fails; the partition is offline from then on.
    // ANCHOR: sync
    pub fn sync(&self) -> Result<Offset, Error> {
        let _one_at_a_time = self.syncing.lock().expect("a sync does not panic");
        let (file, end) = {
            let state = self.lock();
            let log = state.log()?;
            if log.recovery_point() == log.log_end() {
                return Ok(log.log_end());
            }
            log.to_sync()
        };
        let synced = file.sync_data();
        let mut state = self.lock();
        if let Err(source) = synced {
            state.log = None;
            let path = self.name.to_string().into();
            return Err(log_storage::Error::Io { path, source }.into());
        }
        state.log_mut()?.synced(end);
        Ok(end)
    }
    // ANCHOR_END: sync

    /// Saves how far the log is on disk, so that the next start looks at less.
    /// Blocks for as long as the disk takes.
    ///
    /// # Errors
    /// When the log fails.
    pub fn save_recovery_point(&self) -> Result<(), Error> {
        Ok(self.lock().log_mut()?.save_recovery_point()?)
    }

    /// Cuts the log off at `end`, the start of a batch; for followers.
    ///
    /// # Errors
    /// When the log fails.
    pub fn truncate_to(&self, end: Offset) -> Result<(), Error> {
        let mut state = self.lock();
        state.log_mut()?.truncate_to(end)?;
        let State { log, producers } = &mut *state;
        match log {
            Some(log) => replay(log, &mut **producers),
            None => Ok(()),
        }
    }

    /// Deletes the segments whose time has come; none that holds an offset at or above `keep_from`.
    ///
    /// # Errors
    /// When the log fails.
    pub fn apply_retention(&self, now: Timestamp, keep_from: Offset) -> Result<usize, Error> {
        let mut state = self.lock();
        let keep_from = keep_from.min(state.ends()?.high_watermark);
        Ok(state.log_mut()?.apply_retention(now, keep_from)?)
    }

    /// Where its ends are.
    ///
    /// # Errors
    /// When the partition is offline.
    pub fn ends(&self) -> Result<Ends, Error> {
        self.lock().ends()
    }

    /// How often its leader has changed.
    #[must_use]
    pub fn leader_epoch(&self) -> LeaderEpoch {
        LeaderEpoch::FIRST
    }

    /// The topic is being deleted: every later call fails.
    pub(crate) fn close(&self) {
        self.lock().log = None;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nobody panics under this lock")
    }
}
