//! What is left of one batch.

use std::time::Duration;

use message_model::{OffsetRange, Timestamp};
use record_batch::{BatchHeader, Codec, TimestampType, layout};

use super::raw_record::RawRecord;
use super::rule::{Candidate, Compactor, DirtySection};

/// The bit of the attributes that says that the base timestamp is a delete horizon, and
/// the byte that has it.
const HORIZON_BIT: u8 = 1 << 6;
const HORIZON_BYTE: usize = layout::ATTRIBUTES + 1;

/// What becomes of a batch.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Left {
    /// It stays byte by byte.
    All,
    /// Another batch comes in its place.
    Some(Vec<u8>),
    /// No record is left.
    Nothing,
}

impl Left {
    /// What is left of a batch that stays without its records: a producer is known by it.
    pub(crate) fn without(header: &BatchHeader, batch: &[u8]) -> Left {
        // A marker tells nothing but who ended a transaction.
        if header.is_control() || header.record_count == 0 {
            return Left::All;
        }
        Left::Some(emptied(header, batch))
    }
}

/// When a batch is decided about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Times {
    now: Timestamp,
    /// The delete horizon of a batch that gets its first one now.
    next_horizon: Timestamp,
}

impl Times {
    pub(crate) fn new(now: Timestamp, delete_retention: Duration) -> Times {
        let retention = i64::try_from(delete_retention.as_millis()).unwrap_or(i64::MAX);
        Times {
            now,
            next_horizon: Timestamp(now.0.saturating_add(retention)),
        }
    }
}

/// The batch cannot be opened, or a record of it cannot be read.
#[derive(Debug)]
pub(crate) struct Unreadable;

/// The records of a batch, uncompressed.
///
/// # Errors
/// [`Unreadable`].
pub(crate) fn open<'a>(
    compactor: &Compactor,
    header: &BatchHeader,
    batch: &'a [u8],
) -> Result<std::borrow::Cow<'a, [u8]>, Unreadable> {
    match header.codec() {
        Ok(Codec::None) => Ok(batch.into()),
        Ok(_) => {
            let open = compactor.opening.open(header, batch);
            open.map(Into::into).map_err(|_| Unreadable)
        }
        Err(_) => Err(Unreadable),
    }
}

/// The records of an open batch.
///
/// # Errors
/// [`Unreadable`].
pub(crate) fn records<'a>(
    header: &BatchHeader,
    open: &'a [u8],
) -> Result<Vec<RawRecord<'a>>, Unreadable> {
    let mut bytes = &open[layout::RECORDS..];
    let mut records = Vec::new();
    for _ in 0..header.record_count {
        let (record, behind) = RawRecord::read(bytes).map_err(|_| Unreadable)?;
        let offset = header.base_offset.plus(record.offset_delta.into());
        if !header.range().contains(offset) {
            return Err(Unreadable);
        }
        records.push(record);
        bytes = behind;
    }
    Ok(records)
}

/// Decides about a batch of data: what is left of it, and the batch that holds that.
///
/// # Errors
/// [`Unreadable`].
pub(crate) fn rewrite(
    compactor: &Compactor,
    section: &dyn DirtySection,
    (header, batch): (&BatchHeader, &[u8]),
    times: Times,
) -> Result<Left, Unreadable> {
    let open = open(compactor, header, batch)?;
    let records = records(header, &open)?;
    let given = header.delete_horizon();
    let horizon = section.horizon(header.range(), given, times.next_horizon);
    let kept: Vec<&RawRecord<'_>> = records
        .iter()
        .filter(|record| section.survives(&candidate(header, record), horizon, times.now))
        .collect();
    let is_counting = kept.iter().any(|record| !record.has_value) && horizon != given;
    if kept.is_empty() {
        return Ok(Left::Nothing);
    }
    if kept.len() == records.len() && !is_counting {
        return Ok(Left::All);
    }
    let horizon = if is_counting { horizon } else { given };
    let rebuilt = rebuild(header, &open, &kept, horizon);
    let codec = header.codec().map_err(|_| Unreadable)?;
    Ok(Left::Some(match codec {
        Codec::None => rebuilt,
        codec => (compactor.close)(&rebuilt, codec),
    }))
}

/// Decides about a marker of whose transaction no batch was left: it stays for a
/// time, as a record without a value does.
///
/// # Errors
/// [`Unreadable`].
pub(crate) fn marker(
    section: &dyn DirtySection,
    (header, batch): (&BatchHeader, &[u8]),
    times: Times,
) -> Result<Left, Unreadable> {
    let given = header.delete_horizon();
    let Some(horizon) = section.horizon(header.range(), given, times.next_horizon) else {
        return Ok(Left::All);
    };
    let records = records(header, batch)?;
    if times.now >= horizon || records.is_empty() {
        return Ok(Left::Nothing);
    }
    if given == Some(horizon) {
        return Ok(Left::All);
    }
    let kept: Vec<&RawRecord<'_>> = records.iter().collect();
    Ok(Left::Some(rebuild(header, batch, &kept, Some(horizon))))
}

fn candidate<'a>(header: &BatchHeader, record: &RawRecord<'a>) -> Candidate<'a> {
    Candidate {
        offset: header.base_offset.plus(record.offset_delta.into()),
        key: record.key,
        has_value: record.has_value,
    }
}

/// The batch with `kept` alone, open. Everything in the header stays that is not about the
/// records that are there: offsets, producer, epoch and sequence.
fn rebuild(
    header: &BatchHeader,
    open: &[u8],
    kept: &[&RawRecord<'_>],
    horizon: Option<Timestamp>,
) -> Vec<u8> {
    let mut batch = open[..layout::RECORDS].to_vec();
    let base = horizon.unwrap_or(match header.delete_horizon() {
        Some(_) => header.max_timestamp,
        None => header.base_timestamp,
    });
    let mut newest = Timestamp(i64::MIN);
    for record in kept {
        let timestamp = header
            .base_timestamp
            .0
            .saturating_add(record.timestamp_delta);
        newest = newest.max(Timestamp(timestamp));
        if base == header.base_timestamp {
            record.copy(&mut batch);
        } else {
            record.write(timestamp.saturating_sub(base.0), &mut batch);
        }
    }
    if header.timestamp_type() == TimestampType::LogAppendTime {
        newest = header.max_timestamp;
    }
    batch[HORIZON_BYTE] &= !HORIZON_BIT;
    if horizon.is_some() {
        batch[HORIZON_BYTE] |= HORIZON_BIT;
    }
    put(&mut batch, layout::BASE_TIMESTAMP, &base.0.to_be_bytes());
    put(&mut batch, layout::MAX_TIMESTAMP, &newest.0.to_be_bytes());
    let count = i32::try_from(kept.len()).expect("no more than there were");
    put(&mut batch, layout::RECORD_COUNT, &count.to_be_bytes());
    seal(batch)
}

/// The batch of `header` without its records.
fn emptied(header: &BatchHeader, batch: &[u8]) -> Vec<u8> {
    let mut empty = batch[..layout::RECORDS].to_vec();
    let newest = header.newest().0.to_be_bytes();
    empty[HORIZON_BYTE] &= !(HORIZON_BIT | 0b111);
    put(&mut empty, layout::BASE_TIMESTAMP, &newest);
    put(&mut empty, layout::MAX_TIMESTAMP, &newest);
    put(&mut empty, layout::RECORD_COUNT, &0_i32.to_be_bytes());
    seal(empty)
}

/// A batch without records and without a producer that stands for `range`, as new as `newest`.
pub(crate) fn placeholder(like: &BatchHeader, range: OffsetRange, newest: Timestamp) -> Vec<u8> {
    let mut batch = vec![0; layout::RECORDS];
    let last = range.end.since(range.start) - 1;
    let last = i32::try_from(last).expect("a segment has at most 2^31 offsets");
    put(
        &mut batch,
        layout::BASE_OFFSET,
        &range.start.0.to_be_bytes(),
    );
    let epoch = like.leader_epoch.0.to_be_bytes();
    put(&mut batch, layout::PARTITION_LEADER_EPOCH, &epoch);
    batch[layout::MAGIC] = layout::MAGIC_V2.cast_unsigned();
    put(&mut batch, layout::LAST_OFFSET_DELTA, &last.to_be_bytes());
    put(&mut batch, layout::BASE_TIMESTAMP, &newest.0.to_be_bytes());
    put(&mut batch, layout::MAX_TIMESTAMP, &newest.0.to_be_bytes());
    put(&mut batch, layout::PRODUCER_ID, &(-1_i64).to_be_bytes());
    put(&mut batch, layout::PRODUCER_EPOCH, &(-1_i16).to_be_bytes());
    put(&mut batch, layout::BASE_SEQUENCE, &(-1_i32).to_be_bytes());
    seal(batch)
}

/// Writes length and CRC of an open batch.
fn seal(mut batch: Vec<u8>) -> Vec<u8> {
    let length = i32::try_from(batch.len() - layout::LENGTH_OVERHEAD);
    let length = length.expect("a batch is below 2 GiB");
    put(&mut batch, layout::BATCH_LENGTH, &length.to_be_bytes());
    let crc = crc32c::crc32c(&batch[layout::ATTRIBUTES..]);
    put(&mut batch, layout::CRC, &crc.to_be_bytes());
    batch
}

fn put(batch: &mut [u8], position: usize, bytes: &[u8]) {
    batch[position..position + bytes.len()].copy_from_slice(bytes);
}
