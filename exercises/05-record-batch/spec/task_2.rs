//! One record, read from bytes that a stranger sent.

use spec_harness::{case, expect, expect_eq};
use wire_protocol::{Malformed, Reader};

use super::part::{
    BatchError, BatchHeader, Header, Record, decode_record, decode_records, encode_record,
};
use super::{address_space_kib, batch};

/// Value "hi", nothing else. A varint doubles the number: length 9 is 0x12, 2 is 0x04, -1 is 0x01.
const HI: [u8; 9] = [
    0x10, // the record's length: 8
    0x00, // attributes
    0x00, // timestamp delta: 0
    0x00, // offset delta: 0
    0x01, // key length: -1, null
    0x04, b'h', b'i', // value length: 2, and the value
    0x00, // header count: 0
];

fn record<'a>(key: Option<&'a [u8]>, value: Option<&'a [u8]>) -> Record<'a> {
    Record {
        timestamp_delta: 0,
        offset_delta: 0,
        key,
        value,
        headers: vec![],
    }
}

fn header<'a>(key: &'a str, value: Option<&'a [u8]>) -> Header<'a> {
    Header { key, value }
}

/// A record with something in every field.
fn full_record() -> Record<'static> {
    Record {
        timestamp_delta: 86_400_000,
        offset_delta: 300,
        key: Some(b"fruit"),
        value: Some(
            b"a value of some length, longer than sixty-three bytes, so that its length takes two",
        ),
        headers: vec![header("trace", Some(b"abc")), header("empty", None)],
    }
}

fn encoded(record: &Record<'_>) -> Vec<u8> {
    let mut bytes = vec![];
    encode_record(&mut bytes, record);
    bytes
}

/// A record whose length fits, with `body` in it.
fn framed(body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![];
    wire_protocol::put::varint(&mut bytes, body.len().try_into().expect("a short body"));
    bytes.extend_from_slice(body);
    bytes
}

fn decode(bytes: &[u8]) -> Result<Record<'_>, BatchError> {
    decode_record(&mut Reader::new(bytes))
}

#[test]
fn a_small_record_is_read() {
    case!(
        "Nine bytes are a record with the value \"hi\", no key and no headers.",
        || expect_eq(
            "10 00 00 00 01 04 68 69 00",
            decode(&HI),
            Ok(record(None, Some(b"hi")))
        ),
    );
}

#[test]
fn every_field_is_read() {
    case!(
        "A record with all fields comes back as it was written.",
        || {
            let bytes = encoded(&full_record());
            expect_eq("the record", decode(&bytes), Ok(full_record()));
        }
    );
}

#[test]
fn null_is_not_empty() {
    case!(
        "A null key or value (length -1) differs from an empty one (length 0): a null value deletes its key in a compacted topic.",
        || {
            for key in [None, Some(b"".as_slice()), Some(b"k")] {
                for value in [None, Some(b"".as_slice()), Some(b"v")] {
                    let bytes = encoded(&record(key, value));
                    expect_eq("the record", decode(&bytes), Ok(record(key, value)));
                }
            }
        }
    );
}

#[test]
fn headers_keep_their_order_and_may_repeat() {
    case!(
        "Headers come in the order in which they were written; a name may occur twice, and a value may be null.",
        || {
            let written = Record {
                headers: vec![
                    header("b", Some(b"1")),
                    header("a", None),
                    header("b", Some(b"")),
                    header("", Some(b"2")),
                ],
                ..record(None, None)
            };
            let bytes = encoded(&written);
            expect_eq("the record", decode(&bytes), Ok(written));
        }
    );
}

#[test]
fn deltas_may_be_large_and_negative() {
    case!(
        "A timestamp delta has 64 bits, an offset delta 32, and both may be negative: producers stamp records out of order.",
        || {
            let deltas = [
                (-1, -1),
                (i64::MAX, i32::MAX),
                (i64::MIN, i32::MIN),
                (1 << 40, 1 << 20),
            ];
            for (timestamp_delta, offset_delta) in deltas {
                let written = Record {
                    timestamp_delta,
                    offset_delta,
                    ..record(None, None)
                };
                let bytes = encoded(&written);
                expect_eq("the record", decode(&bytes), Ok(written));
            }
        }
    );
}

/// Checks that the three records of a batch are found, each with its own offset and time.
fn expect_places_in_a_batch() {
    let batch = batch();
    let header = BatchHeader::read(&batch).expect("a batch of ours");
    let places = decode_records(&batch).map(|records| {
        let place = |record| (header.offset_of(record).0, header.timestamp_of(record).0);
        records.iter().map(place).collect::<Vec<_>>()
    });
    let expected = [
        (0, 1_700_000_000_000),
        (1, 1_700_000_000_040),
        (2, 1_700_000_000_080),
    ];
    let what = "offset and timestamp of the records of a batch";
    expect_eq(what, places, Ok(expected.to_vec()));
}

#[test]
fn the_reader_is_left_at_the_next_record() {
    case!(
        "Records lie one behind the other: reading one leaves the reader at the start of the next.",
        || {
            let mut bytes = HI.to_vec();
            bytes.extend_from_slice(&encoded(&full_record()));
            let mut input = Reader::new(&bytes);
            expect_eq(
                "the first",
                decode_record(&mut input),
                Ok(record(None, Some(b"hi"))),
            );
            expect_eq("the second", decode_record(&mut input), Ok(full_record()));
            expect_eq("how many bytes are left", input.remaining(), 0);
            expect_places_in_a_batch();
        }
    );
}

#[test]
fn a_record_that_is_cut_off_is_an_error() {
    case!(
        "However few of a record's bytes are there, the answer is an error, never a panic.",
        || {
            let whole = encoded(&full_record());
            for length in 0..whole.len() {
                let got = decode(&whole[..length]);
                expect(
                    &format!(
                        "the first {length} of {} bytes are no record; decode_record says {got:?}",
                        whole.len()
                    ),
                    got.is_err(),
                );
            }
        }
    );
}

#[test]
fn a_record_ends_where_its_length_says() {
    case!(
        "A length that is too small cuts a field off, and that is an error, although more bytes follow.",
        || {
            let whole = encoded(&full_record());
            let body = &whole[2..];
            for length in 0..body.len() {
                let mut bytes = framed(&body[..length]);
                bytes.extend_from_slice(&body[length..]);
                let got = decode(&bytes);
                expect(
                    &format!(
                        "a length of {length} for {} bytes of fields is wrong; decode_record says {got:?}",
                        body.len()
                    ),
                    got.is_err(),
                );
            }
        }
    );
}

#[test]
fn a_value_does_not_reach_into_the_next_record() {
    case!(
        "A value that claims more bytes than its record has left is cut off, even if the bytes behind the record would do.",
        || {
            // Value length 3 with one byte left in the record; four more follow behind it.
            let bytes = [0x0c, 0, 0, 0, 0x01, 0x06, b'h', b'i', 0, 0, 0];
            expect_eq(
                "0c 00 00 00 01 06 68 | 69 00 00 00",
                decode(&bytes),
                Err(BatchError::Record(Malformed::Truncated {
                    needed: 3,
                    remaining: 1,
                })),
            );
        }
    );
}

#[test]
fn bytes_behind_the_last_header_are_an_error() {
    case!(
        "A record whose length says more than its fields take is not one that we understand.",
        || {
            for (what, record) in [
                ("one byte too many", record(None, Some(b"hi"))),
                ("headers and one byte too many", full_record()),
            ] {
                let mut bytes = encoded(&record);
                bytes.push(0);
                // The length takes one byte below 64, and two below 8192.
                let length_size = if bytes.len() <= 65 { 1 } else { 2 };
                let bytes = framed(&bytes[length_size..]);
                let what = format!("a record with {what}");
                expect_eq(&what, decode(&bytes), Err(BatchError::RecordLength));
            }
        }
    );
}

#[test]
fn an_offset_delta_has_32_bits() {
    case!(
        "An offset delta that needs more than 32 bits is no offset delta, and no other number either.",
        || {
            let six_bytes = [0, 0, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01, 0x01, 0x01, 0x00];
            let sixteen = [0, 0, 0x80, 0x80, 0x80, 0x80, 0x10, 0x01, 0x01, 0x00];
            for (what, body) in [
                ("an offset delta of six bytes", &six_bytes[..]),
                ("an offset delta of five bytes with a 33rd bit", &sixteen),
            ] {
                let wrong = BatchError::Record(Malformed::VarintTooLong);
                expect_eq(what, decode(&framed(body)), Err(wrong));
            }
        }
    );
}

#[test]
fn the_attributes_mean_nothing() {
    case!(
        "A record's attributes are not used in this format: any value of them passes.",
        || {
            for attributes in [0x01, 0x09, 0x80, 0xff] {
                let mut bytes = HI;
                bytes[1] = attributes;
                let what = format!("a record with the attributes {attributes:#04x}");
                let hi = record(None, Some(b"hi"));
                expect_eq(&what, decode(&bytes), Ok(hi));
            }
        }
    );
}

#[test]
fn a_record_of_the_real_world() {
    case!(
        "A record may have a value of 70 KB, and more than a hundred headers.",
        || {
            let value = vec![b'v'; 70_000];
            let large = Record {
                headers: vec![header("trace", Some(b"abc")); 130],
                ..record(Some(&value[..66_000]), Some(&value))
            };
            let bytes = encoded(&large);
            let got = decode(&bytes).map(|record| {
                let size = |bytes: Option<&[u8]>| bytes.map(<[u8]>::len);
                (size(record.key), size(record.value), record.headers.len())
            });
            let what = "sizes of key and value, and how many headers there are";
            expect_eq(what, got, Ok((Some(66_000), Some(70_000), 130)));
        }
    );
}

#[test]
fn no_length_is_below_minus_one() {
    case!("-1 says null; a length below that says nothing.", || {
        for (what, body) in [
            ("key length -2", [0, 0, 0, 0x03, 0x01, 0x00].as_slice()),
            ("value length -3", &[0, 0, 0, 0x01, 0x05, 0x00]),
            (
                "header value length -2",
                &[0, 0, 0, 0x01, 0x01, 0x02, 0x02, b'k', 0x03],
            ),
            (
                "header key length -2",
                &[0, 0, 0, 0x01, 0x01, 0x02, 0x03, 0x01],
            ),
        ] {
            expect_eq(
                what,
                decode(&framed(body)),
                Err(BatchError::Record(Malformed::NegativeLength)),
            );
        }
        expect_eq(
            "record length -2",
            decode(&[0x03]),
            Err(BatchError::Record(Malformed::NegativeLength)),
        );
    });
}

#[test]
fn some_things_cannot_be_null() {
    case!(
        "A record and a header's name cannot be null, and a header count cannot be negative.",
        || {
            expect_eq(
                "record length -1",
                decode(&[0x01]),
                Err(BatchError::Record(Malformed::UnexpectedNull)),
            );
            let null_name = framed(&[0, 0, 0, 0x01, 0x01, 0x02, 0x01, 0x01]);
            expect_eq(
                "header key length -1",
                decode(&null_name),
                Err(BatchError::Record(Malformed::UnexpectedNull)),
            );
            for (what, count) in [
                ("-1", vec![0x01]),
                ("i32::MIN", vec![0xff, 0xff, 0xff, 0xff, 0x0f]),
            ] {
                let mut body = vec![0, 0, 0, 0x01, 0x01];
                body.extend_from_slice(&count);
                expect_eq(
                    &format!("header count {what}"),
                    decode(&framed(&body)),
                    Err(BatchError::Record(Malformed::NegativeLength)),
                );
            }
        }
    );
}

#[test]
fn a_headers_name_is_text() {
    case!(
        "A header's name is UTF-8, or the record is refused; its value may be any bytes.",
        || {
            let bad_name = framed(&[0, 0, 0, 0x01, 0x01, 0x02, 0x02, 0xff, 0x01]);
            expect_eq(
                "the name ff",
                decode(&bad_name),
                Err(BatchError::Record(Malformed::NotUtf8)),
            );
            let written = Record {
                headers: vec![header("地区 é", None)],
                ..record(None, None)
            };
            let bytes = encoded(&written);
            expect_eq("the name 地区 é", decode(&bytes), Ok(written));
            let any_value = framed(&[0, 0, 0, 0x01, 0x01, 0x02, 0x02, b'k', 0x02, 0xff]);
            let got = decode(&any_value).map(|record| record.headers);
            expect_eq("the value ff", got, Ok(vec![header("k", Some(&[0xff]))]));
        }
    );
}

#[test]
fn a_huge_header_count_is_an_error_at_once() {
    case!(
        "Ten bytes that announce 2,147,483,647 headers are refused without setting room aside for them.",
        || {
            let bytes = framed(&[0, 0, 0, 0x01, 0x01, 0xfe, 0xff, 0xff, 0xff, 0x0f]);
            let before = address_space_kib();
            let got = decode(&bytes);
            expect(
                &format!("this is no record; decode_record says {got:?}"),
                got.is_err(),
            );
            // Room for so many headers is 64 GiB; other threads take far less than half of that.
            let grown_kib = address_space_kib()
                .zip(before)
                .map(|(now, before)| now - before);
            expect(
                "no room is set aside for headers that are not there",
                grown_kib.is_none_or(|grown| grown < 32 * 1024 * 1024),
            );
        }
    );
}
