//! Batches that are asked for, and what they should give.

use std::cell::Cell;

use message_model::{LeaderEpoch, Offset, OffsetRange, ProducerEpoch, ProducerId, Timestamp};
use record_batch::{BatchHeader, layout};
use spec_harness::expect_eq;

use super::super::part::{Selection, Want, whole_batches};

/// What cannot be read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Broken;

pub(super) type Batch = Result<(u32, BatchHeader), Broken>;

/// The batch of the offsets `first..first + count`, at `position`, of `size` bytes.
pub(super) fn batch(position: u32, first: i64, count: i32, size: u32) -> Batch {
    let overhead = u32::try_from(layout::LENGTH_OVERHEAD).expect("a small number");
    let header = BatchHeader {
        base_offset: Offset(first),
        batch_length: i32::try_from(size - overhead).expect("a batch is below 2 GiB"),
        leader_epoch: LeaderEpoch::FIRST,
        magic: layout::MAGIC_V2,
        crc: 0,
        attributes: 0,
        last_offset_delta: count - 1,
        base_timestamp: Timestamp(0),
        max_timestamp: Timestamp(0),
        producer_id: ProducerId::NONE,
        producer_epoch: ProducerEpoch::NONE,
        base_sequence: -1,
        record_count: count,
    };
    Ok((position, header))
}

/// Offsets 0..10, 10..20, 20..30 and 30..40, each batch of 100 bytes.
pub(super) fn four() -> Vec<Batch> {
    (0..4_u32)
        .map(|index| batch(100 * index, 10 * i64::from(index), 10, 100))
        .collect()
}

/// What is asked of the batches of [`four`].
pub(super) fn of_four(asked: &str) -> String {
    format!("{asked}: batches 0..10 to 30..40, 100 bytes each")
}

pub(super) fn want(from: i64, end: i64, max_bytes: u32) -> Want {
    Want {
        from: Offset(from),
        end: Offset(end),
        max_bytes,
        at_least_one: false,
    }
}

pub(super) fn at_least_one(want: Want) -> Want {
    Want {
        at_least_one: true,
        ..want
    }
}

pub(super) fn selected(
    position: u32,
    length: u32,
    start: i64,
    end: i64,
) -> Result<Option<Selection>, Broken> {
    Ok(Some(Selection {
        position,
        length,
        range: OffsetRange {
            start: Offset(start),
            end: Offset(end),
        },
    }))
}

/// How many headers `whole_batches` reads of a segment of 1 GiB, in batches of
/// 10 offsets and 16 KiB, and the end of the run that it selects.
fn headers_read(want: Want) -> (u32, Option<Offset>) {
    let read = Cell::new(0);
    let batches = (0..1 << 16).map(|index: u32| {
        read.set(read.get() + 1);
        batch(index << 14, 10 * i64::from(index), 10, 1 << 14)
    });
    let got = whole_batches(batches, want).expect("every batch can be read");
    (read.get(), got.map(|selection| selection.range.end))
}

/// It selects up to `end` and reads at most `count` headers for that.
pub(super) fn reads_at_most(what: &str, want: Want, end: Option<i64>, count: u32) {
    let (read, got) = headers_read(want);
    let what = format!("{what}, of 65536 batches of 10 offsets and 16 KiB");
    expect_eq(&format!("end of the run {what}"), got, end.map(Offset));
    let ceiling = format!("headers read {what}: {count}, or fewer");
    expect_eq(&ceiling, read.max(count), count);
}

/// The same for the batches of [`four`], by counting.
pub(super) fn slowly(want: Want) -> Result<Option<Selection>, Broken> {
    let first = want.from.0 / 10;
    let below_the_end = (want.end.0 / 10 - first).max(0);
    let fit = i64::from(want.max_bytes / 100).max(i64::from(want.at_least_one));
    let count = below_the_end.min(fit);
    let bytes = |batches: i64| u32::try_from(100 * batches).expect("a small number");
    if count == 0 {
        return Ok(None);
    }
    selected(bytes(first), bytes(count), 10 * first, 10 * (first + count))
}
