//! What a log may hold and a producer must not send.

use message_model::{Offset, Timestamp};
use record_batch::{
    BatchError, BatchHeader, Codec, TimestampType, check_from_producer, decode_records, layout,
    validate,
};

use crate::{OwnedRecord, build, with};

fn three_records() -> Vec<u8> {
    let record = OwnedRecord {
        timestamp: 1_700_000_000_000,
        key: None,
        value: Some(b"value".to_vec()),
        headers: vec![],
    };
    build(&[record.clone(), record.clone(), record])
}

/// The header of a batch that a log may hold.
fn header(batch: &[u8]) -> BatchHeader {
    validate(batch, 1 << 20).expect("a log may hold it")
}

#[test]
fn a_control_batch_is_the_brokers_to_write() {
    let batch = with(three_records(), layout::ATTRIBUTES, &[0, 0b11_0000]);
    assert!(header(&batch).is_control());
    assert!(header(&batch).is_transactional());
    assert_eq!(
        check_from_producer(&header(&batch)),
        Err(BatchError::Control)
    );
}

#[test]
fn gaps_are_compactions_to_make() {
    let batch = with(
        three_records(),
        layout::LAST_OFFSET_DELTA,
        &99_i32.to_be_bytes(),
    );
    assert_eq!(header(&batch).range().end, Offset(100));
    let refused = BatchError::Count {
        count: 3,
        last_offset_delta: 99,
    };
    assert_eq!(check_from_producer(&header(&batch)), Err(refused));
}

#[test]
fn the_extremes_of_the_counts_are_judged_without_overflow() {
    let mut header = header(&three_records());
    for (count, last_offset_delta, fits) in [
        (i32::MAX, i32::MAX - 1, true),
        (i32::MAX, i32::MAX, false),
        (i32::MIN, i32::MAX, false),
        (0, -1, false),
    ] {
        header.record_count = count;
        header.last_offset_delta = last_offset_delta;
        assert_eq!(
            check_from_producer(&header).is_ok(),
            fits,
            "{count} records"
        );
    }
}

#[test]
fn who_has_an_id_has_a_sequence() {
    let batch = with(three_records(), layout::PRODUCER_ID, &7_i64.to_be_bytes());
    assert_eq!(
        check_from_producer(&header(&batch)),
        Err(BatchError::Sequence(-1))
    );
    let batch = with(batch, layout::BASE_SEQUENCE, &0_i32.to_be_bytes());
    assert_eq!(check_from_producer(&header(&batch)), Ok(()));
}

#[test]
fn a_count_that_lies_is_found_when_the_batch_is_opened() {
    for (count, problem) in [
        (2, BatchError::RecordLength),
        (
            -1,
            BatchError::Record(wire_protocol::Malformed::NegativeLength),
        ),
    ] {
        let batch = with(
            three_records(),
            layout::RECORD_COUNT,
            &i32::to_be_bytes(count),
        );
        assert_eq!(decode_records(&batch), Err(problem), "{count} records");
    }
    let batch = with(
        three_records(),
        layout::RECORD_COUNT,
        &i32::MAX.to_be_bytes(),
    );
    assert!(matches!(decode_records(&batch), Err(BatchError::Record(_))));
}

#[test]
fn times_that_the_broker_sets_hold_for_all_records() {
    let batch = with(three_records(), layout::ATTRIBUTES, &[0, 0b1000]);
    let batch = with(batch, layout::MAX_TIMESTAMP, &5_i64.to_be_bytes());
    let header = header(&batch);
    assert_eq!(header.timestamp_type(), TimestampType::LogAppendTime);
    let records = decode_records(&batch).expect("three records");
    assert_eq!(header.timestamp_of(&records[0]), Timestamp(5));
}

#[test]
fn a_compressed_batch_stays_closed() {
    for (number, codec) in [
        (1, Codec::Gzip),
        (2, Codec::Snappy),
        (3, Codec::Lz4),
        (4, Codec::Zstd),
    ] {
        let batch = with(three_records(), layout::ATTRIBUTES, &[0, number]);
        assert_eq!(header(&batch).codec(), Ok(codec));
        assert_eq!(decode_records(&batch), Err(BatchError::Compressed(codec)));
    }
}
