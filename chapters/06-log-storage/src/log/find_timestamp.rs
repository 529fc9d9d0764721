//! Reading by time.

use message_model::{Offset, Timestamp};
use record_batch::{BatchHeader, Codec, TimestampType, decode_records};

use super::Log;
use crate::error::Error;
use crate::scan::Scan;
use crate::sealed::stands_at;

impl Log {
    /// The first record with a timestamp at or above `target`, and its timestamp;
    /// `None` if there is none. Exact to the record in uncompressed batches; of a
    /// compressed one its first record.
    ///
    /// # Errors
    /// As [`Log::scan`].
    pub fn find_timestamp(&self, target: Timestamp) -> Result<Option<(Timestamp, Offset)>, Error> {
        for segment in 0..=self.sealed.len() {
            if self.newest(segment)?.is_none_or(|newest| newest < target) {
                continue;
            }
            let mut scan = self.scan_from_time(segment, target)?;
            while let Some(batch) = scan.next() {
                let (position, header) = batch?;
                if header.max_timestamp >= target
                    && let Some(found) = find_in_batch(&scan, position, &header, target)?
                {
                    return Ok(Some(found));
                }
            }
        }
        Ok(None)
    }

    /// The largest timestamp of a segment; `None` if it is empty.
    ///
    /// # Errors
    /// As [`Log::scan`].
    pub(super) fn newest(&self, segment: usize) -> Result<Option<Timestamp>, Error> {
        let Some(sealed) = self.sealed.get(segment) else {
            return Ok(self.active.indexes.newest.map(|(newest, _)| newest));
        };
        if let Some(newest) = sealed.newest.get() {
            return Ok(*newest);
        }
        // The time index knows it up to its last entry, the headers from there on tell the rest.
        let scan = match self.load(segment)?.scan_from_newest() {
            Some(scan) => scan,
            None => {
                let rebuilt = self.rebuild(sealed)?;
                let scan = rebuilt.scan_from_newest();
                scan.unwrap_or_else(|| Scan::new(rebuilt.view.clone(), 0))
            }
        };
        let mut newest = None;
        for batch in scan {
            newest = newest.max(Some(batch?.1.max_timestamp));
        }
        Ok(*sealed.newest.get_or_init(|| newest))
    }

    /// The walk from a batch before which no record is as new as `target`.
    fn scan_from_time(&self, segment: usize, target: Timestamp) -> Result<Scan, Error> {
        let Some(sealed) = self.sealed.get(segment) else {
            let times = &self.active.indexes.times;
            let from = times.below(target).map(|(_, offset)| offset);
            return self.scan_segment(segment, from.unwrap_or(self.active.base_offset));
        };
        let loaded = self.load(segment)?;
        let Some((timestamp, offset)) = loaded.indexes.times.below(target) else {
            return Ok(Scan::new(loaded.view.clone(), 0));
        };
        let mut scan = self.scan_segment(segment, offset)?;
        if stands_at(&mut scan, timestamp, offset) {
            return Ok(scan);
        }
        // The time index is wrong there.
        let rebuilt = self.rebuild(sealed)?;
        Ok(Scan::new(rebuilt.view.clone(), 0))
    }
}

/// The first record of the batch that is as new as `target`.
fn find_in_batch(
    scan: &Scan,
    position: u32,
    header: &BatchHeader,
    target: Timestamp,
) -> Result<Option<(Timestamp, Offset)>, Error> {
    let first = (header.max_timestamp, header.base_offset);
    if header.codec() != Ok(Codec::None) || header.timestamp_type() == TimestampType::LogAppendTime
    {
        return Ok(Some(first));
    }
    let batch = scan.batch(position, header)?;
    // Nobody has looked at the records yet: if they cannot be read, the batch as a whole is meant.
    let Ok(records) = decode_records(&batch) else {
        return Ok(Some(first));
    };
    let found = records.iter().find_map(|record| {
        let timestamp = header
            .base_timestamp
            .0
            .saturating_add(record.timestamp_delta);
        let delta = i64::from(record.offset_delta);
        let offset = Offset(header.base_offset.0.saturating_add(delta));
        (timestamp >= target.0).then_some((Timestamp(timestamp), offset))
    });
    // A producer may send any delta.
    let found = found.map(
        |(timestamp, offset)| match header.range().contains(offset) {
            true => (timestamp, offset),
            false => first,
        },
    );
    Ok(found)
}
