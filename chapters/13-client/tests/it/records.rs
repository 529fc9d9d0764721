//! Reading what a fetch brought.

use bytes::Bytes;
use client::{ConsumedRecord, Flaw, ReadError, records};
use compression::close_batch;
use message_model::{Offset, Timestamp};
use proptest::prelude::*;
use record_batch::{
    BatchBuilder, BatchError, Codec, RecordToSend, TimestampType, assign_offsets, layout,
};
use wire_protocol::message::AbortedTransaction;

/// A batch of records with the values 0, 1, 2 … from `base` on.
fn batch(base: i64, count: u8) -> Vec<u8> {
    let mut batch = BatchBuilder::new();
    for value in 0..count {
        batch.push(&RecordToSend {
            timestamp: Timestamp(1_000 + i64::from(value)),
            key: None,
            value: Some(&[value]),
            headers: Vec::new(),
        });
    }
    let mut batch = batch.build();
    place(&mut batch, base);
    batch
}

fn place(batch: &mut [u8], base: i64) {
    batch[..layout::BATCH_LENGTH].copy_from_slice(&base.to_be_bytes());
}

/// Makes the CRC fit what was changed.
fn seal(batch: &mut [u8]) {
    let crc = crc32c::crc32c(&batch[layout::ATTRIBUTES..]);
    batch[layout::CRC..layout::ATTRIBUTES].copy_from_slice(&crc.to_be_bytes());
}

/// Sets bits of the attributes.
fn mark(batch: &mut [u8], bits: u8) {
    batch[layout::ATTRIBUTES + 1] |= bits;
    seal(batch);
}

/// The offsets that are read from `from` on, how that ended, and where to fetch next.
fn read(batches: Vec<u8>, from: i64) -> (Vec<i64>, Option<ReadError>, i64) {
    let mut records = records(Bytes::from(batches), Offset(from));
    let mut offsets = Vec::new();
    for record in records.by_ref() {
        match record {
            Ok(record) => offsets.push(record.offset.0),
            Err(error) => {
                assert!(records.next().is_none(), "nothing after an error");
                return (offsets, Some(error), records.next_offset().0);
            }
        }
    }
    (offsets, None, records.next_offset().0)
}

#[test]
fn records_come_from_the_offset_on() {
    let batches = [batch(10, 3), batch(13, 2)].concat();
    assert_eq!(
        read(batches.clone(), 10),
        (vec![10, 11, 12, 13, 14], None, 15)
    );
    assert_eq!(read(batches.clone(), 12), (vec![12, 13, 14], None, 15));
    assert_eq!(read(batches, 15), (vec![], None, 15));
    assert_eq!(read(Vec::new(), 15), (vec![], None, 15));
}

#[test]
fn a_record_has_what_its_producer_gave_it() {
    let mut bytes = BatchBuilder::new();
    bytes.push(&RecordToSend {
        timestamp: Timestamp(7),
        key: Some(b"k"),
        value: None,
        headers: vec![record_batch::Header {
            key: "h",
            value: Some(b"v"),
        }],
    });
    let bytes = bytes.build();
    let expected = ConsumedRecord {
        offset: Offset(0),
        timestamp: Timestamp(7),
        timestamp_type: TimestampType::CreateTime,
        key: Some(Bytes::from("k")),
        value: None,
        headers: vec![("h".to_owned(), Some(Bytes::from("v")))],
    };
    for codec in [
        Codec::None,
        Codec::Gzip,
        Codec::Snappy,
        Codec::Lz4,
        Codec::Zstd,
    ] {
        let batch = close_batch(&bytes, codec);
        let read: Vec<_> = records(Bytes::from(batch), Offset(0)).collect();
        assert_eq!(read, [Ok(expected.clone())], "{codec:?}");
    }
}

#[test]
fn the_time_of_appending_is_that_of_the_batch() {
    let mut bytes = batch(0, 2);
    mark(&mut bytes, 1 << 3);
    let times = records(Bytes::from(bytes), Offset(0)).map(|record| {
        let record = record.unwrap();
        (record.timestamp, record.timestamp_type)
    });
    let appended = (Timestamp(1_001), TimestampType::LogAppendTime);
    assert_eq!(times.collect::<Vec<_>>(), [appended, appended]);
}

#[test]
fn control_batches_and_gaps_are_passed_over() {
    let mut control = batch(3, 1);
    mark(&mut control, 1 << 5);
    let mut gap = batch(4, 2);
    // Compaction took the records behind the second one away; their offsets stay.
    gap[layout::LAST_OFFSET_DELTA..][..4].copy_from_slice(&5_i32.to_be_bytes());
    seal(&mut gap);
    let batches = [batch(0, 3), control.clone(), gap.clone()].concat();
    assert_eq!(read(batches, 0), (vec![0, 1, 2, 4, 5], None, 10));
    assert_eq!(read(control, 3), (vec![], None, 4), "what is next moves on");
    assert_eq!(read(gap, 8), (vec![], None, 10));
}

/// A marker of the producer 5: 0 aborts, 1 commits.
fn marker(base: i64, kind: u8) -> Vec<u8> {
    let mut marker = BatchBuilder::new();
    marker.push(&RecordToSend {
        timestamp: Timestamp(7),
        key: Some(&[0, 0, 0, kind]),
        value: Some(&[0; 6]),
        headers: Vec::new(),
    });
    let mut marker = marker.build();
    place(&mut marker, base);
    of_producer(&mut marker);
    mark(&mut marker, 1 << 5 | 1 << 4);
    marker
}

fn of_producer(batch: &mut [u8]) {
    batch[layout::PRODUCER_ID..][..8].copy_from_slice(&5_i64.to_be_bytes());
}

fn transactional(base: i64) -> Vec<u8> {
    let mut bytes = batch(base, 2);
    of_producer(&mut bytes);
    mark(&mut bytes, 1 << 4);
    bytes
}

#[test]
fn aborted_transactions_are_left_out_and_no_others() {
    let batches = [
        transactional(0),
        marker(2, 1),
        transactional(3),
        batch(5, 2),
        transactional(7),
        marker(9, 0),
        transactional(10),
        marker(12, 1),
    ]
    .concat();
    let aborted = AbortedTransaction {
        producer_id: 5,
        first_offset: 3,
    };
    let read = records(Bytes::from(batches.clone()), Offset(0)).without(vec![aborted]);
    let offsets: Vec<i64> = read.map(|record| record.unwrap().offset.0).collect();
    assert_eq!(offsets, [0, 1, 5, 6, 10, 11]);
    assert_eq!(read_all(batches), [0, 1, 3, 4, 5, 6, 7, 8, 10, 11]);
}

fn read_all(batches: Vec<u8>) -> Vec<i64> {
    read(batches, 0).0
}

#[test]
fn a_batch_that_is_cut_off_behind_a_whole_one_comes_next_time() {
    let mut batches = [batch(0, 3), batch(3, 3)].concat();
    batches.truncate(batches.len() - 1);
    assert_eq!(read(batches, 0), (vec![0, 1, 2], None, 3));
    let mut first = batch(0, 3);
    first.truncate(70);
    let (offsets, error, next) = read(first, 0);
    assert!(matches!(
        error.unwrap().flaw,
        Flaw::Batch(BatchError::Truncated { .. })
    ));
    assert_eq!((offsets, next), (vec![], 0));
}

#[test]
fn a_flipped_bit_ends_the_reading_in_front_of_its_batch() {
    let mut batches = [batch(0, 2), batch(2, 2)].concat();
    *batches.last_mut().unwrap() ^= 1;
    let (offsets, error, next) = read(batches, 0);
    let error = error.unwrap();
    assert_eq!((offsets, next), (vec![0, 1], 2));
    assert_eq!(error.base_offset, Offset(2));
    assert!(matches!(error.flaw, Flaw::Batch(BatchError::Crc { .. })));
}

#[test]
fn offsets_that_cannot_be_true_are_an_error() {
    let mut at_the_end = batch(i64::MAX, 1);
    seal(&mut at_the_end);
    let repeated = [batch(5, 2), batch(5, 2)].concat();
    for batches in [batch(-1, 1), at_the_end, repeated] {
        let (_, error, _) = read(batches, 0);
        assert_eq!(error.unwrap().flaw, Flaw::Offsets);
    }
}

#[test]
fn a_header_name_that_is_no_text_does_not_block_the_reader() {
    let mut bytes = BatchBuilder::new();
    bytes.push(&RecordToSend {
        timestamp: Timestamp(7),
        key: None,
        value: None,
        headers: vec![record_batch::Header {
            key: "name",
            value: None,
        }],
    });
    let mut bytes = bytes.build();
    let at = bytes.windows(4).position(|name| name == b"name").unwrap();
    bytes[at] = 0xff;
    seal(&mut bytes);
    let record = records(Bytes::from(bytes), Offset(0))
        .next()
        .unwrap()
        .unwrap();
    assert_eq!(record.headers, [("\u{fffd}ame".to_owned(), None)]);
}

proptest! {
    /// Whatever is changed behind a CRC that fits: records in order, or an error, no panic.
    #[test]
    fn no_bytes_make_it_panic(place in 0..130_usize, byte: u8, codec in 0..5_usize, from in 0..6_i64) {
        let codecs = [Codec::None, Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd];
        let mut bytes = close_batch(&batch(0, 5), codecs[codec]);
        let place = place % bytes.len();
        bytes[place] = byte;
        if bytes.len() > layout::ATTRIBUTES {
            seal(&mut bytes);
        }
        let (offsets, _, next) = read(bytes, from);
        prop_assert!(offsets.is_sorted_by(|a, b| a < b));
        prop_assert!(offsets.iter().all(|offset| *offset >= from && *offset < next));
    }

    /// Offsets that a broker assigned are read as they are.
    #[test]
    fn assigned_offsets_are_read(base in 0..1_i64 << 40, count in 1..9_u8, skip in 0..9_i64) {
        let mut bytes = batch(0, count);
        assign_offsets(&mut bytes, Offset(base), message_model::LeaderEpoch(3));
        let end = base + i64::from(count);
        let from = (base + skip).min(end);
        prop_assert_eq!(read(bytes, from), ((from..end).collect(), None, end));
    }
}
