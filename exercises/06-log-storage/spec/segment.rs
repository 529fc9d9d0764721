//! A small segment to recover, and the driver that a log is to a [`Recovery`].

use std::fmt;

use message_model::{LeaderEpoch, Offset, OffsetRange, Timestamp};
use record_batch::{BatchBuilder, RecordToSend, assign_offsets, layout};
use spec_harness::{expect, fail};

use super::part::{Recovery, Step};

/// The segment's first offset.
pub(crate) const BASE: Offset = Offset(1000);
/// `max.message.bytes` in these cases.
pub(crate) const BATCH_SIZE_MAX: usize = 400;

/// A batch of `count` records that begins with `offset`.
pub(crate) fn batch(offset: i64, count: i64) -> Vec<u8> {
    let mut builder = BatchBuilder::new();
    for index in 0..count {
        builder.push(&RecordToSend {
            timestamp: Timestamp(1_000_000 + index),
            key: None,
            value: Some(format!("{offset}+{index}").as_bytes()),
            headers: vec![],
        });
    }
    let mut batch = builder.build();
    assign_offsets(&mut batch, Offset(offset), LeaderEpoch::FIRST);
    batch
}

/// Offsets 1000..1003, 1003..1004 and 1004..1006.
pub(crate) fn batches() -> [Vec<u8>; 3] {
    [batch(1000, 3), batch(1003, 1), batch(1004, 2)]
}

/// The three batches, one behind the other.
pub(crate) fn segment() -> Vec<u8> {
    batches().concat()
}

/// Where each of `batches` starts, and where the last one ends, in bytes.
pub(crate) fn starts(batches: &[Vec<u8>]) -> Vec<usize> {
    let mut starts = vec![0];
    for batch in batches {
        starts.push(starts[starts.len() - 1] + batch.len());
    }
    starts
}

/// What a walk has found.
#[derive(PartialEq, Eq)]
pub(crate) struct Found {
    /// The offsets of the batches that it passed.
    pub(crate) batches: Vec<OffsetRange>,
    /// Where the segment ends, in bytes.
    pub(crate) ends_at: u64,
    /// The offset behind the last batch.
    pub(crate) next_offset: Offset,
}

impl fmt::Debug for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} batches: ", self.batches.len())?;
        for range in &self.batches {
            write!(f, "{range}, ")?;
        }
        let (ends_at, next_offset) = (self.ends_at, self.next_offset);
        write!(f, "ends at byte {ends_at}, next offset {next_offset}")
    }
}

/// Walks along `file` as the log does: in windows of `window` bytes, or of as
/// many as the walk asks for.
pub(crate) fn recover_in_windows(file: &[u8], window: usize) -> Found {
    let mut walk = Recovery::new(BASE, BATCH_SIZE_MAX);
    let mut found = Vec::new();
    let mut size = window;
    for _ in 0..10_000 {
        let position = usize::try_from(walk.position()).expect("a position in memory is a usize");
        let rest = file.get(position..).unwrap_or_default();
        let piece = &rest[..size.min(rest.len())];
        match walk.step(piece) {
            Step::Batch(header) => {
                found.push(header.range());
                size = window;
            }
            Step::Need(bytes) if bytes > rest.len() => return ended(&walk, found),
            Step::Need(bytes) => {
                if bytes <= piece.len() {
                    let more = format!("more than the {} bytes that it was given", piece.len());
                    fail(
                        "how many bytes the walk asks for",
                        &more,
                        &bytes.to_string(),
                    );
                }
                size = bytes;
            }
            Step::End => return ended(&walk, found),
        }
    }
    expect("the walk comes to an end", false);
    ended(&walk, found)
}

/// The walk in one window.
pub(crate) fn recover(file: &[u8]) -> Found {
    recover_in_windows(file, file.len().max(1))
}

fn ended(walk: &Recovery, batches: Vec<OffsetRange>) -> Found {
    Found {
        batches,
        ends_at: walk.position(),
        next_offset: walk.next_offset(),
    }
}

/// What is to be found when the first `count` of `batches` are left.
pub(crate) fn whole(batches: &[Vec<u8>], count: usize) -> Found {
    let ranges: Vec<OffsetRange> = batches[..count]
        .iter()
        .map(|batch| {
            record_batch::BatchHeader::read(batch)
                .expect("a batch of ours")
                .range()
        })
        .collect();
    Found {
        ends_at: starts(batches)[count] as u64,
        next_offset: ranges.last().map_or(BASE, |range| range.end),
        batches: ranges,
    }
}

/// The name of the field that byte `at` of a batch lies in.
pub(crate) fn field_name(at: usize) -> &'static str {
    let mut fields = layout::FIELDS.iter().rev();
    match fields.find(|(_, start, _)| *start <= at) {
        Some((name, ..)) if at < layout::RECORDS => name,
        _ => "records",
    }
}
