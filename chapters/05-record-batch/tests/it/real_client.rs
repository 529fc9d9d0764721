//! Bytes that kafka-python 3.0.12 made (its `MemoryRecordsBuilder`, magic 2).

use message_model::{ProducerEpoch, ProducerId, Timestamp};
use record_batch::{BatchError, Codec, check_from_producer, decode_records, validate, walk};

use crate::{OwnedRecord, build};

/// Three records; the second has no key, the third no value.
const PLAIN: &str = "0000000000000000000000680000000002de1401e00000000000020000018bcfe56800\
    0000018bcfe56828ffffffffffffffffffffffffffff00000003320000000a66727569740a6170706c65020a7472\
    6163650401021400500201087065617200220013040a66727569740104026100026101";

/// Twenty times the value "GET /index.html 200", gzip, from an idempotent producer.
const GZIP: &str = "00000000000000000000009b0000000002033f414b0001000000130000018bcfe568000000018bcfe5680000\
    00000000000fa000010000001e000000141f8b0800f83b036b02ff75c9410a40501440d1479224499224fda4\
    3fe4f7f6201bb0048ac2c8c0f26dc03dd3a322e2d9795acc78dcebf60efb739d469d1315f171029c1027c289\
    71129c1427c3c9710a9c12a7c2a9711a9c16c7e074383d8efd9f0faec796ae08020000";

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits
        .chunks(2)
        .map(|pair| {
            let pair = std::str::from_utf8(pair).expect("two digits");
            u8::from_str_radix(pair, 16).expect("hex")
        })
        .collect()
}

/// What the client was asked to write.
fn written() -> Vec<OwnedRecord> {
    let record = |timestamp,
                  key: Option<&str>,
                  value: Option<&str>,
                  headers: &[(&str, Option<&[u8]>)]| OwnedRecord {
        timestamp,
        key: key.map(|key| key.as_bytes().to_vec()),
        value: value.map(|value| value.as_bytes().to_vec()),
        headers: headers
            .iter()
            .map(|(key, value)| ((*key).to_owned(), value.map(<[u8]>::to_vec)))
            .collect(),
    };
    vec![
        record(
            1_700_000_000_000,
            Some("fruit"),
            Some("apple"),
            &[("trace", Some(&[1, 2]))],
        ),
        record(1_700_000_000_040, None, Some("pear"), &[]),
        record(
            1_699_999_999_990,
            Some("fruit"),
            None,
            &[("a", Some(&[])), ("a", None)],
        ),
    ]
}

#[test]
fn its_batch_is_read() {
    let batch = bytes(PLAIN);
    let header = validate(&batch, 1 << 20).expect("a valid batch");
    assert_eq!(check_from_producer(&header), Ok(()));
    let walked = walk(&header, &batch).expect("three records");
    assert_eq!(
        (walked.max_timestamp, walked.offset_delta),
        (header.newest(), 1)
    );
    let records = decode_records(&batch).expect("three records");
    assert_eq!(records.len(), 3);
    assert_eq!(records[0].key, Some(b"fruit".as_slice()));
    assert_eq!(records[1].key, None);
    assert_eq!(records[2].value, None);
    assert_eq!(records[2].headers[1].value, None);
    assert_eq!(
        header.timestamp_of(&records[2]),
        Timestamp(1_699_999_999_990)
    );
}

/// The same records make the same bytes, CRC included.
#[test]
fn ours_has_the_same_bytes() {
    assert_eq!(build(&written()), bytes(PLAIN));
}

#[test]
fn its_compressed_batch_is_valid_and_stays_closed() {
    let batch = bytes(GZIP);
    let header = validate(&batch, 1 << 20).expect("a valid batch");
    assert_eq!(check_from_producer(&header), Ok(()));
    assert_eq!(header.codec(), Ok(Codec::Gzip));
    let closed = Err(BatchError::Compressed(Codec::Gzip));
    assert_eq!(walk(&header, &batch), closed);
    assert_eq!(header.record_count, 20);
    assert_eq!(header.producer_id, ProducerId(4000));
    assert_eq!(header.producer_epoch, ProducerEpoch(1));
    assert_eq!(header.base_sequence, 30);
    assert_eq!(
        decode_records(&batch),
        Err(BatchError::Compressed(Codec::Gzip))
    );
}
