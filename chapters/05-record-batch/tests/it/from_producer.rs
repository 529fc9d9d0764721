//! What a log may hold and a producer must not send.

use message_model::{Offset, Timestamp};
use record_batch::{
    BatchError, BatchHeader, Codec, NotFromProducer, TimestampType, check_from_producer,
    decode_records, layout, validate, walk,
};
use wire_protocol::ErrorCode;

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
        Err(NotFromProducer::Control.into())
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
        Err(NotFromProducer::Sequence(-1).into())
    );
    let batch = with(batch, layout::BASE_SEQUENCE, &0_i32.to_be_bytes());
    assert_eq!(check_from_producer(&header(&batch)), Ok(()));
}

#[test]
fn offsets_are_the_brokers_to_assign() {
    let mut header = header(&three_records());
    header.base_offset = Offset(7);
    let refused = NotFromProducer::BaseOffset(Offset(7)).into();
    assert_eq!(check_from_producer(&header), Err(refused));
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

#[test]
fn a_header_without_a_maximum_has_the_time_of_its_first_record() {
    for (max, newest) in [
        (-1, 1_700_000_000_000),
        (1_800_000_000_000, 1_800_000_000_000),
    ] {
        let batch = with(
            three_records(),
            layout::MAX_TIMESTAMP,
            &i64::to_be_bytes(max),
        );
        assert_eq!(header(&batch).newest(), Timestamp(newest));
    }
}

/// What a producer is answered, from the first error that the checks find.
fn code(batch: &[u8]) -> ErrorCode {
    let checked = validate(batch, 1 << 20).and_then(|header| {
        check_from_producer(&header)?;
        walk(&header, batch)
    });
    checked.map_or_else(|error| error.error_code(), |_| ErrorCode::NONE)
}

/// Batches, and the code that each of them is refused with.
fn refused() -> Vec<(&'static str, Vec<u8>, ErrorCode)> {
    let good = three_records;
    let size = good().len();
    let magic = |magic: u8| with(good(), layout::MAGIC, &[magic]);
    let longer = [good(), vec![0]].concat();
    let length = i32::try_from(size + 1 - layout::LENGTH_OVERHEAD).expect("a short batch");
    let leftover = with(longer, layout::BATCH_LENGTH, &length.to_be_bytes());
    vec![
        ("a good batch", good(), ErrorCode::NONE),
        (
            "half a header",
            good()[..30].to_vec(),
            ErrorCode::CORRUPT_MESSAGE,
        ),
        (
            "a cut batch",
            good()[..size - 1].to_vec(),
            ErrorCode::INVALID_RECORD,
        ),
        ("magic 0", magic(0), ErrorCode::INVALID_RECORD),
        ("magic 1", magic(1), ErrorCode::INVALID_RECORD),
        ("magic 3", magic(3), ErrorCode::CORRUPT_MESSAGE),
        (
            "no length",
            with(good(), layout::BATCH_LENGTH, &[0; 4]),
            ErrorCode::CORRUPT_MESSAGE,
        ),
        (
            "base offset 1",
            with(good(), 7, &[1]),
            ErrorCode::INVALID_RECORD,
        ),
        (
            "a marker",
            with(good(), layout::ATTRIBUTES, &[0, 0x20]),
            ErrorCode::INVALID_RECORD,
        ),
        (
            "codec 7",
            with(good(), layout::ATTRIBUTES, &[0, 7]),
            ErrorCode::UNSUPPORTED_COMPRESSION_TYPE,
        ),
        (
            "a byte behind the records",
            leftover,
            ErrorCode::INVALID_RECORD,
        ),
        (
            "an offset delta of 5",
            with(good(), layout::RECORDS + 3, &[10]),
            ErrorCode::INVALID_RECORD,
        ),
        (
            "garbage for a record",
            with(good(), layout::RECORDS, &[0x7f; 9]),
            ErrorCode::INVALID_RECORD,
        ),
    ]
}

#[test]
fn errors_have_kafkas_codes() {
    for (what, batch, expected) in refused() {
        assert_eq!(code(&batch), expected, "{what}");
    }
    let mut flipped = three_records();
    let size = flipped.len();
    flipped[size - 1] ^= 1;
    assert_eq!(code(&flipped), ErrorCode::CORRUPT_MESSAGE);
    let large = validate(&three_records(), size - 1).map_err(|error| error.error_code());
    assert_eq!(large, Err(ErrorCode::MESSAGE_TOO_LARGE));
}
