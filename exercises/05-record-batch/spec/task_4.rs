//! Whether every record of a batch can be read.

use message_model::Timestamp;
use spec_harness::{case, expect, expect_eq};
use wire_protocol::{Malformed, put};

use super::part::{
    BatchBuilder, BatchError, BatchHeader, Codec, Header, Record, RecordToSend, Walked,
    encode_record, layout, walk,
};
use super::{address_space_kib, batch, with};

/// The base timestamp of the batches here.
const BASE: i64 = 1_700_000_000_000;

/// Reads the header, and walks.
fn walk_it(batch: &[u8]) -> Result<Walked, BatchError> {
    let header = BatchHeader::read(batch).expect("a header of ours");
    walk(&header, batch)
}

fn walked(max_timestamp: i64, offset_delta: i32) -> Result<Walked, BatchError> {
    Ok(Walked {
        max_timestamp: Timestamp(max_timestamp),
        offset_delta,
    })
}

/// A batch of these timestamps, as a producer builds it.
fn batch_of(timestamps: &[i64]) -> Vec<u8> {
    let mut builder = BatchBuilder::new();
    for timestamp in timestamps {
        builder.push(&RecordToSend {
            timestamp: Timestamp(*timestamp),
            key: None,
            value: Some(b"value"),
            headers: vec![],
        });
    }
    builder.build()
}

/// A batch that announces `count` records and has these bytes for them.
fn batch_with(count: i32, records: &[u8]) -> Vec<u8> {
    let mut bytes = batch()[..layout::RECORDS].to_vec();
    bytes.extend_from_slice(records);
    let length = bytes.len() - layout::LENGTH_OVERHEAD;
    let length = i32::try_from(length).expect("a short batch").to_be_bytes();
    bytes[layout::BATCH_LENGTH..layout::PARTITION_LEADER_EPOCH].copy_from_slice(&length);
    let bytes = with(bytes, layout::LAST_OFFSET_DELTA, &(count - 1).to_be_bytes());
    with(bytes, layout::RECORD_COUNT, &count.to_be_bytes())
}

/// A record with this offset delta and a small value.
fn record(offset_delta: i32) -> Vec<u8> {
    let mut bytes = vec![];
    encode_record(
        &mut bytes,
        &Record {
            timestamp_delta: 0,
            offset_delta,
            key: None,
            value: Some(b"hi"),
            headers: vec![Header {
                key: "k",
                value: None,
            }],
        },
    );
    bytes
}

/// Records with these offset deltas.
fn records(offset_deltas: &[i32]) -> Vec<u8> {
    offset_deltas.iter().copied().flat_map(record).collect()
}

/// A record of which these are the bytes, its length in front.
fn framed(body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![];
    put::varint(&mut bytes, body.len().try_into().expect("a short body"));
    bytes.extend_from_slice(body);
    bytes
}

#[test]
fn a_good_batch_can_be_walked() {
    case!(
        "Of a good batch of three records, the newest is the last one.",
        || {
            let what = "walk of a batch whose records are 40 ms apart";
            expect_eq(what, walk_it(&batch()), walked(BASE + 80, 2));
            let what = "walk of a batch of one record";
            expect_eq(what, walk_it(&batch_of(&[BASE])), walked(BASE, 0));
        }
    );
}

#[test]
fn the_newest_need_not_be_the_last() {
    case!(
        "Records may be out of order in time: the largest timestamp counts, and the first record that has it.",
        || {
            for (steps, max, offset_delta) in [
                (vec![0, 50, 20], 50, 1),
                (vec![0, -50, -20], 0, 0),
                (vec![0, 7, 7, 7, 3], 7, 1),
                (vec![5, 5, 5], 5, 0),
            ] {
                let timestamps: Vec<i64> = steps.iter().map(|step| BASE + step).collect();
                let what = format!("walk of a batch of timestamps base + {steps:?}");
                let got = walk_it(&batch_of(&timestamps));
                expect_eq(&what, got, walked(BASE + max, offset_delta));
            }
        }
    );
}

#[test]
fn records_may_be_weeks_apart() {
    case!(
        "A timestamp delta has 64 bits: 30 days are more milliseconds than 31 bits can count.",
        || {
            let days = 24 * 60 * 60 * 1000;
            let what = "walk of a batch of two records that are 30 days apart";
            let got = walk_it(&batch_of(&[BASE, BASE + 30 * days]));
            expect_eq(what, got, walked(BASE + 30 * days, 1));
        }
    );
}

#[test]
fn only_the_count_says_how_many_there_are() {
    case!(
        "Base offset and last offset delta are not asked: a broker may have written the one, and other checks look at both.",
        || {
            let placed = with(batch(), layout::BASE_OFFSET, &1000_i64.to_be_bytes());
            let what = "walk of a batch at offset 1000";
            expect_eq(what, walk_it(&placed), walked(BASE + 80, 2));
            for delta in [0, 1, 99, -1, i32::MAX] {
                let bytes = with(batch(), layout::LAST_OFFSET_DELTA, &delta.to_be_bytes());
                let what = format!("walk of a batch whose last offset delta is {delta}");
                expect_eq(&what, walk_it(&bytes), walked(BASE + 80, 2));
            }
        }
    );
}

#[test]
fn times_before_1970_are_times() {
    case!(
        "A timestamp may be negative: the largest of three negative ones is negative, too, and -1 says that there is none.",
        || {
            let what = "walk of a batch of timestamps -500, -300, -400";
            let got = walk_it(&batch_of(&[-500, -300, -400]));
            expect_eq(what, got, walked(-300, 1));
            let what = "walk of a batch without timestamps";
            expect_eq(what, walk_it(&batch_of(&[-1, -1])), walked(-1, 0));
            let what = "walk of a batch of timestamp i64::MIN";
            let got = walk_it(&batch_of(&[i64::MIN]));
            expect_eq(what, got, walked(i64::MIN, 0));
        }
    );
}

#[test]
fn the_header_may_lie_about_the_newest() {
    case!(
        "A client may leave the header's max timestamp at -1, or write any other: the records count.",
        || {
            for claimed in [-1, 0, BASE + 1_000_000, i64::MAX, i64::MIN] {
                let bytes = with(batch(), layout::MAX_TIMESTAMP, &claimed.to_be_bytes());
                let what = format!("walk of a batch whose header says {claimed}");
                expect_eq(&what, walk_it(&bytes), walked(BASE + 80, 2));
                let stamped = with(bytes, layout::ATTRIBUTES, &[0, 1 << 3]);
                let what = format!("the same, and that the broker has stamped it ({claimed})");
                expect_eq(&what, walk_it(&stamped), walked(BASE + 80, 2));
            }
        }
    );
}

#[test]
fn sums_of_times_stay_in_range() {
    case!(
        "A timestamp that would be beyond the last or the first of an i64 is that last or first one.",
        || {
            let far = with(
                batch(),
                layout::BASE_TIMESTAMP,
                &(i64::MAX - 40).to_be_bytes(),
            );
            let what = "walk of a batch with base timestamp i64::MAX - 40, and deltas 0, 40, 80";
            expect_eq(what, walk_it(&far), walked(i64::MAX, 1));
            let early = batch_of(&[0, -80]);
            let early = with(early, layout::BASE_TIMESTAMP, &i64::MIN.to_be_bytes());
            let what = "walk of a batch with base timestamp i64::MIN, and deltas 0, -80";
            expect_eq(what, walk_it(&early), walked(i64::MIN, 0));
        }
    );
}

#[test]
fn offset_deltas_count_from_0() {
    case!(
        "The offset deltas are 0, 1, 2 …: else two records have one offset, or an offset has no record.",
        || {
            for (deltas, index) in [
                (vec![0, 2, 2], 1),
                (vec![0, 0, 2], 1),
                (vec![1, 2, 3], 0),
                (vec![0, 1, 1], 2),
                (vec![2, 1, 0], 0),
                (vec![0, -1, 2], 1),
                (vec![0, 1, i32::MAX], 2),
            ] {
                let count = i32::try_from(deltas.len()).expect("a few");
                let what = format!("walk of a batch with offset deltas {deltas:?}");
                let offset_delta = deltas[usize::try_from(index).expect("an index")];
                let wrong = BatchError::OffsetDelta {
                    index,
                    offset_delta,
                };
                let got = walk_it(&batch_with(count, &records(&deltas)));
                expect_eq(&what, got, Err(wrong));
            }
        }
    );
}

#[test]
fn more_records_than_there_are() {
    case!(
        "A header that announces more records than there are is found out, even if it announces two billion.",
        || {
            for count in [4, 5, 1000, i32::MAX] {
                let got = walk_it(&batch_with(count, &records(&[0, 1, 2])));
                let what = format!("walk of a batch of 3 records that announces {count}");
                let truncated = Malformed::Truncated {
                    needed: 1,
                    remaining: 0,
                };
                expect_eq(&what, got, Err(BatchError::Record(truncated)));
            }
        }
    );
}

#[test]
fn fewer_records_than_there_are() {
    case!(
        "Behind the last record that the header announces, nothing may follow: not a record, and not a byte.",
        || {
            let all = records(&[0, 1, 2]);
            for count in [1, 2] {
                let what = format!("walk of a batch of 3 records that announces {count}");
                let got = walk_it(&batch_with(count, &all));
                expect_eq(&what, got, Err(BatchError::RecordLength));
            }
            let longer = [&all[..], &[0]].concat();
            let what = "walk of a batch with a byte behind its last record";
            let got = walk_it(&batch_with(3, &longer));
            expect_eq(what, got, Err(BatchError::RecordLength));
        }
    );
}

#[test]
fn a_record_ends_where_its_length_says() {
    case!(
        "A record whose length is above what its fields take, or below, cannot be read; with a header or without.",
        || {
            let plain = [0, 0, 0, 0x01, 0x04, b'h', b'i', 0x00].to_vec();
            let with_header = [
                0, 0, 0, 0x01, 0x04, b'h', b'i', 0x02, 0x02, b'k', 0x02, b'v',
            ]
            .to_vec();
            for body in [plain, with_header] {
                let good = batch_with(1, &framed(&body));
                expect_eq("walk of a good record", walk_it(&good), walked(BASE, 0));
                let longer = [&body[..], &[0]].concat();
                let what = "walk of a record with one byte too many";
                let got = walk_it(&batch_with(1, &framed(&longer)));
                expect_eq(what, got, Err(BatchError::RecordLength));
                for length in 0..body.len() {
                    // The bytes that the length leaves out follow: a reader that
                    // ignores the length would find them.
                    let short = [&framed(&body[..length]), &body[length..]].concat();
                    let got = walk_it(&batch_with(1, &short));
                    let what = format!(
                        "a record of {} bytes whose length says {length} is refused; walk says {got:?}",
                        body.len()
                    );
                    expect(&what, matches!(got, Err(BatchError::Record(_))));
                }
            }
        }
    );
}

#[test]
fn some_things_cannot_be_null_or_negative() {
    case!(
        "A record and a header's name cannot be null, no length is below -1, and no count below 0.",
        || {
            let null = Malformed::UnexpectedNull;
            let negative = Malformed::NegativeLength;
            let framed_cases: [(&str, &[u8], Malformed); 6] = [
                ("key length -2", &[0, 0, 0, 0x03, 0x01, 0x00], negative),
                ("value length -3", &[0, 0, 0, 0x01, 0x05, 0x00], negative),
                ("header count -1", &[0, 0, 0, 0x01, 0x01, 0x01], negative),
                ("a null name", &[0, 0, 0, 1, 1, 0x02, 0x01, 0x01], null),
                ("name length -2", &[0, 0, 0, 1, 1, 0x02, 0x03, 1], negative),
                (
                    "header value length -2",
                    &[0, 0, 0, 1, 1, 0x02, 0x02, b'k', 0x03],
                    negative,
                ),
            ];
            for (what, body, malformed) in framed_cases {
                let got = walk_it(&batch_with(1, &framed(body)));
                expect_eq(what, got, Err(BatchError::Record(malformed)));
            }
            let got = walk_it(&batch_with(1, &[0x01]));
            expect_eq("record length -1", got, Err(BatchError::Record(null)));
            let got = walk_it(&batch_with(1, &[0x03]));
            expect_eq("record length -2", got, Err(BatchError::Record(negative)));
        }
    );
}

#[test]
fn null_and_empty_are_fine() {
    case!(
        "Keys, values and headers' values may be null or empty, and a record's attributes may be anything.",
        || {
            for body in [
                [0, 0, 0, 0x01, 0x01, 0x00].to_vec(),
                [0, 0, 0, 0x00, 0x00, 0x00].to_vec(),
                [0xff, 0, 0, 0x02, b'k', 0x01, 0x00].to_vec(),
                [9, 0, 0, 0x01, 0x01, 0x04, 0x00, 0x01, 0x00, 0x00].to_vec(),
            ] {
                let what = format!("walk of a record of the bytes {body:02x?}");
                let got = walk_it(&batch_with(1, &framed(&body)));
                expect_eq(&what, got, walked(BASE, 0));
            }
        }
    );
}

#[test]
fn the_name_of_a_header_may_be_any_bytes() {
    case!(
        "Kafka stores headers whose names are not UTF-8; so a broker that refused them would lose clients.",
        || {
            let body = [0, 0, 0, 0x01, 0x01, 0x02, 0x04, 0xff, 0xfe, 0x01];
            let what = "walk of a record with a header named ff fe";
            let got = walk_it(&batch_with(1, &framed(&body)));
            expect_eq(what, got, walked(BASE, 0));
        }
    );
}

#[test]
fn a_compressed_batch_stays_closed() {
    case!(
        "The records of a compressed batch are not there to be walked: the answer is the codec, whatever the bytes are.",
        || {
            for (number, codec) in [
                (1, Codec::Gzip),
                (2, Codec::Snappy),
                (3, Codec::Lz4),
                (4, Codec::Zstd),
            ] {
                let bytes = batch_with(3, &[0xaa; 20]);
                let bytes = with(bytes, layout::ATTRIBUTES, &[0, number]);
                let what = format!("walk of a batch compressed with {codec:?}");
                expect_eq(&what, walk_it(&bytes), Err(BatchError::Compressed(codec)));
            }
            let bytes = with(batch(), layout::ATTRIBUTES, &[0, 0b1_1000]);
            let what = "walk of a batch that is transactional and stamped by a broker";
            expect_eq(what, walk_it(&bytes), walked(BASE + 80, 2));
        }
    );
}

#[test]
fn any_changed_byte_is_walked_or_refused() {
    case!(
        "Whatever a byte of the records is changed to, the answer is an answer: no panic, and no step outside of the batch.",
        || {
            let good = batch();
            for position in layout::RECORDS..good.len() {
                for byte in [0x00, 0x01, 0x02, 0x7f, 0x80, 0xfe, 0xff] {
                    let mut bytes = good.clone();
                    bytes[position] = byte;
                    if let Ok(found) = walk_it(&bytes) {
                        let what = format!(
                            "byte {position} changed to {byte:#x}: the newest is one of the three; walk says {found:?}"
                        );
                        expect(&what, (0..3).contains(&found.offset_delta));
                    }
                }
            }
        }
    );
}

#[test]
fn a_batch_of_twenty_thousand_records() {
    case!(
        "Large batches have offset deltas of two and three bytes.",
        || {
            let timestamps: Vec<i64> = (0..20_000).map(|number| BASE + number % 19_000).collect();
            let what = "walk of a batch of 20,000 records";
            let got = walk_it(&batch_of(&timestamps));
            expect_eq(what, got, walked(BASE + 18_999, 18_999));
        }
    );
}

#[test]
fn records_of_the_real_world() {
    case!(
        "A record may have a value of 70 KB and a hundred headers.",
        || {
            let value = vec![b'v'; 70_000];
            let mut builder = BatchBuilder::new();
            for step in 0..3 {
                let header = Header {
                    key: "trace",
                    value: Some(&value[..step]),
                };
                builder.push(&RecordToSend {
                    timestamp: Timestamp(BASE),
                    key: Some(&value[..66_000]),
                    value: Some(&value),
                    headers: vec![header; 100],
                });
            }
            let what = "walk of a batch of three such records";
            expect_eq(what, walk_it(&builder.build()), walked(BASE, 0));
        }
    );
}

#[test]
fn no_room_is_set_aside_for_what_is_announced() {
    case!(
        "Two billion headers that are announced and not there cost nothing: nothing is collected.",
        || {
            let body = [0, 0, 0, 0x01, 0x01, 0xfe, 0xff, 0xff, 0xff, 0x0f];
            let bytes = batch_with(i32::MAX, &framed(&body));
            let before = address_space_kib();
            let got = walk_it(&bytes);
            let what = format!("that is no record; walk says {got:?}");
            expect(&what, matches!(got, Err(BatchError::Record(_))));
            let grown = address_space_kib()
                .zip(before)
                .map(|(now, before)| now - before);
            expect(
                "no gigabytes are set aside",
                grown.is_none_or(|kib| kib < 16 * 1024 * 1024),
            );
        }
    );
}
