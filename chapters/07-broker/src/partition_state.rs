//! What a partition keeps under its lock.

use log_storage::Log;
use message_model::{LeaderEpoch, OffsetRange, Timestamp};
use record_batch::{BatchHeader, TimestampType, assign_offsets, check_from_producer, validate};

use crate::ends::Ends;
use crate::error::Error;
use crate::producers::{Entry, Producers};

#[derive(Debug)]
pub(crate) struct State {
    /// `None` is offline: it could not be opened, a sync failed, or the topic is gone.
    pub(crate) log: Option<Log>,
    pub(crate) producers: Box<dyn Producers>,
}

impl State {
    pub(crate) fn log(&self) -> Result<&Log, Error> {
        let log = self.log.as_ref();
        log.ok_or(Error::Log(log_storage::Error::Offline))
    }

    pub(crate) fn log_mut(&mut self) -> Result<&mut Log, Error> {
        let log = self.log.as_mut();
        log.ok_or(Error::Log(log_storage::Error::Offline))
    }

    /// A validated batch, behind the log's end.
    pub(crate) fn append(
        &mut self,
        now: Timestamp,
        batch: &mut [u8],
        leader_epoch: LeaderEpoch,
    ) -> Result<OffsetRange, Error> {
        let log = self.log_mut()?;
        assign_offsets(batch, log.log_end(), leader_epoch);
        let range = log.append(now, batch)?.range;
        record(&mut *self.producers, &BatchHeader::read(batch)?);
        Ok(range)
    }

    /// There is one copy: what is in the log is on every in-sync replica.
    pub(crate) fn ends(&self) -> Result<Ends, Error> {
        let log = self.log()?;
        let log_end = log.log_end();
        let unstable = self.producers.first_unstable();
        let ends = Ends {
            log_start: log.log_start(),
            last_stable: unstable.map_or(log_end, |first| first.clamp(log.log_start(), log_end)),
            high_watermark: log_end,
            log_end,
        };
        ends.check();
        Ok(ends)
    }
}

/// Tells `producers` what the log holds, as far as they ask for it.
pub(crate) fn replay(log: &Log, producers: &mut dyn Producers) -> Result<(), Error> {
    let Some(from) = producers.restore(&[]) else {
        return Ok(());
    };
    let mut from = from.max(log.log_start());
    while from < log.log_end() {
        let segment = from;
        for batch in log.scan(from)? {
            let (_, header) = batch?;
            if header.range().end > from {
                record(producers, &header);
                from = header.range().end;
            }
        }
        assert!(from > segment, "a scan below the log end finds a batch");
    }
    Ok(())
}

/// Markers are not told: nobody writes them before chapter 20.
pub(crate) fn record(producers: &mut dyn Producers, header: &BatchHeader) {
    if !header.is_control() {
        producers.record(Entry::Batch(header), header.base_offset);
    }
}

/// Checks what a producer sent for one partition: one batch, and nothing behind it.
pub(crate) fn validate_produced(bytes: &[u8], size_max: usize) -> Result<BatchHeader, Error> {
    if bytes.is_empty() {
        return Err(Error::NotOneBatch);
    }
    let header = validate(bytes, size_max)?;
    if header.size() != bytes.len() {
        return Err(Error::NotOneBatch);
    }
    check_from_producer(&header)?;
    if header.timestamp_type() == TimestampType::LogAppendTime {
        return Err(Error::LogAppendTime);
    }
    Ok(header)
}
