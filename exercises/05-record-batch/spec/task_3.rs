//! What is let into a log.

use spec_harness::{case, expect, expect_eq};
use wire_protocol::ErrorCode;

use super::part::{BatchError, BatchHeader, TimestampType, layout, validate};
use super::{batch, computed_crc, stored_crc, with};

/// More than any batch here has.
const LIMIT: usize = 1_000_000;

/// What `validate` finds wrong, or nothing.
fn problem(bytes: &[u8]) -> Option<BatchError> {
    validate(bytes, LIMIT).err()
}

/// A batch whose record count and last offset delta are these, with a CRC that fits.
fn with_counts(count: i32, last_offset_delta: i32) -> Vec<u8> {
    let batch = with(batch(), layout::RECORD_COUNT, &count.to_be_bytes());
    with(
        batch,
        layout::LAST_OFFSET_DELTA,
        &last_offset_delta.to_be_bytes(),
    )
}

/// A batch with these attributes and a CRC that fits.
fn with_attributes(attributes: i16) -> Vec<u8> {
    with(batch(), layout::ATTRIBUTES, &attributes.to_be_bytes())
}

#[test]
fn a_good_batch_is_let_in() {
    case!(
        "A producer's batch passes, and its header comes back.",
        || {
            let header = validate(&batch(), LIMIT).map_err(|error| error.to_string());
            expect_eq(
                "the record count",
                header.clone().map(|header| header.record_count),
                Ok(3),
            );
            expect_eq(
                "the base sequence: -1, for no idempotent producer sent it",
                header.map(|header| header.base_sequence),
                Ok(-1),
            );
        }
    );
}

#[test]
fn bytes_behind_the_batch_do_not_matter() {
    case!(
        "Batches lie one behind the other: what follows is not part of this one, nor of its CRC.",
        || {
            let mut two = batch();
            two.extend_from_slice(&batch());
            expect_eq(
                "what is wrong with the first of two batches",
                problem(&two),
                None,
            );
        }
    );
}

#[test]
fn every_flipped_bit_is_caught_from_the_crc_on() {
    case!(
        "One bit that flips in the CRC or anywhere behind it, and the CRC no longer fits.",
        || {
            let good = batch();
            for position in layout::CRC..good.len() {
                for bit in 0..8 {
                    let mut bad = good.clone();
                    bad[position] ^= 1 << bit;
                    let expected = BatchError::Crc {
                        stored: stored_crc(&bad),
                        computed: computed_crc(&bad),
                    };
                    expect_eq(
                        &format!("bit {bit} of byte {position} flipped"),
                        problem(&bad),
                        Some(expected),
                    );
                }
            }
        }
    );
}

#[test]
fn the_brokers_fields_are_outside_of_the_crc() {
    case!(
        "Base offset and leader epoch are the broker's to change: any value of them passes.",
        || {
            for position in (layout::BASE_OFFSET..layout::BATCH_LENGTH)
                .chain(layout::PARTITION_LEADER_EPOCH..layout::MAGIC)
            {
                let mut changed = batch();
                changed[position] ^= 0x55;
                expect_eq(&format!("byte {position} changed"), problem(&changed), None);
            }
        }
    );
}

#[test]
fn a_cut_off_batch_says_what_it_needs() {
    case!(
        "Of a batch that is cut off, anywhere, the answer is how many bytes it needs and how many are there.",
        || {
            let whole = batch();
            for arrived in 0..whole.len() {
                let needed = if arrived < layout::RECORDS {
                    layout::RECORDS
                } else {
                    whole.len()
                };
                expect_eq(
                    &format!("the first {arrived} of {} bytes", whole.len()),
                    problem(&whole[..arrived]),
                    Some(BatchError::Truncated { needed, arrived }),
                );
            }
        }
    );
}

#[test]
fn the_limit_itself_is_allowed() {
    case!(
        "A batch of exactly the limit passes; one byte more does not.",
        || {
            let batch = batch();
            let size = batch.len();
            expect_eq("the limit is its size", validate(&batch, size).err(), None);
            expect_eq(
                "the limit is one byte less",
                validate(&batch, size - 1).err(),
                Some(BatchError::TooLarge {
                    size,
                    limit: size - 1,
                }),
            );
        }
    );
}

#[test]
fn a_limit_may_be_above_two_gigabytes() {
    case!(
        "The limit is a usize, and may be larger than any batch: then nothing is too large.",
        || {
            for limit in [2_147_483_647, 2_147_483_648, 4_294_967_296, usize::MAX] {
                let what = format!("a batch of 200 bytes, and a limit of {limit}");
                expect_eq(&what, validate(&batch(), limit).err(), None);
            }
        }
    );
}

#[test]
fn who_asks_for_too_much_is_not_waited_for() {
    case!(
        "A header that announces 2 GiB is refused for its size at once, not held until the bytes arrive.",
        || {
            let mut header = batch()[..layout::RECORDS].to_vec();
            header[layout::BATCH_LENGTH..layout::PARTITION_LEADER_EPOCH]
                .copy_from_slice(&i32::MAX.to_be_bytes());
            let size = 2_147_483_647 + layout::LENGTH_OVERHEAD;
            expect_eq(
                "a header with a batch length of i32::MAX",
                problem(&header),
                Some(BatchError::TooLarge { size, limit: LIMIT }),
            );
        }
    );
}

#[test]
fn a_length_below_a_header_is_no_batch() {
    case!(
        "A batch length that has no room for the header is refused.",
        || {
            for length in [i32::MIN, -1, 0, 48] {
                let mut bad = batch();
                bad[layout::BATCH_LENGTH..layout::PARTITION_LEADER_EPOCH]
                    .copy_from_slice(&length.to_be_bytes());
                expect_eq(
                    &format!("batch length {length}"),
                    problem(&bad),
                    Some(BatchError::LengthTooSmall(length)),
                );
            }
            let mut header_only = batch()[..layout::RECORDS].to_vec();
            header_only[layout::BATCH_LENGTH..layout::PARTITION_LEADER_EPOCH]
                .copy_from_slice(&49_i32.to_be_bytes());
            let got = problem(&with(header_only, layout::BASE_OFFSET, &[0; 8]));
            expect_eq("batch length 49, just the header", got, None);
        }
    );
}

#[test]
fn old_formats_are_named() {
    case!(
        "Message formats 0 and 1 are refused by their magic byte, however short the message is.",
        || {
            for magic in [0_i8, 1, 3, -1] {
                let mut old = batch();
                old[layout::MAGIC] = magic.to_be_bytes()[0];
                for length in [layout::MAGIC + 1, 34, old.len()] {
                    expect_eq(
                        &format!("{length} bytes with magic {magic}"),
                        problem(&old[..length]),
                        Some(BatchError::Magic(magic)),
                    );
                }
            }
        }
    );
}

#[test]
fn the_codec_must_exist() {
    case!(
        "Codecs 0 to 4 pass, compressed or not, for nobody opens the batch; 5 to 7 do not exist, and nobody could ever read them.",
        || {
            for codec in 0..=4_i16 {
                expect_eq(
                    &format!("codec {codec}"),
                    problem(&with_attributes(codec)),
                    None,
                );
            }
            for codec in 5..=7_u8 {
                let attributes = i16::from(codec);
                expect_eq(
                    &format!("codec {codec}"),
                    problem(&with_attributes(attributes)),
                    Some(BatchError::UnknownCodec(codec)),
                );
            }
        }
    );
}

/// What a header with these attributes says of them.
fn flags(attributes: i16) -> [bool; 3] {
    let header = BatchHeader::read(&with_attributes(attributes)).expect("a batch of ours");
    [
        header.timestamp_type() == TimestampType::LogAppendTime,
        header.is_transactional(),
        header.is_control(),
    ]
}

#[test]
fn other_attributes_pass() {
    case!(
        "Whether a batch is stamped by the broker, transactional or a marker is not asked here: a log holds all of them.",
        || {
            for attributes in [1 << 3, 1 << 4, 1 << 4 | 1 << 5, 1 << 6] {
                expect_eq(
                    &format!("attributes {attributes:#x}"),
                    problem(&with_attributes(attributes)),
                    None,
                );
                expect_eq(
                    &format!("by the broker, transactional, marker: attributes {attributes:#x}"),
                    flags(attributes),
                    [1 << 3, 1 << 4, 1 << 5].map(|flag| attributes & flag != 0),
                );
            }
        }
    );
}

#[test]
fn a_count_is_not_negative() {
    case!(
        "A record count below 0 is refused, even the lowest that there is.",
        || {
            for count in [-1, -2, i32::MIN] {
                for last_offset_delta in [count.wrapping_sub(1), 0, 2, i32::MAX] {
                    expect_eq(
                        &format!("{count} records, last offset delta {last_offset_delta}"),
                        problem(&with_counts(count, last_offset_delta)),
                        Some(BatchError::Count {
                            count,
                            last_offset_delta,
                        }),
                    );
                }
            }
        }
    );
}

#[test]
fn records_cannot_share_offsets() {
    case!(
        "Three records need three offsets: a last offset delta below 2 would give two of them the same.",
        || {
            for (count, last_offset_delta) in [
                (3, 1),
                (3, 0),
                (3, -1),
                (1, -1),
                (0, -1),
                (0, i32::MIN),
                (3, i32::MIN),
                (i32::MAX, i32::MAX - 2),
                (i32::MAX, 2),
            ] {
                expect_eq(
                    &format!("{count} records, last offset delta {last_offset_delta}"),
                    problem(&with_counts(count, last_offset_delta)),
                    Some(BatchError::Count {
                        count,
                        last_offset_delta,
                    }),
                );
            }
        }
    );
}

#[test]
fn gaps_are_allowed() {
    case!(
        "A compacted log keeps 3 records out of 100 offsets, so a last offset delta above 2 passes. Of other batches it keeps no record, only the header.",
        || {
            for (count, last_offset_delta) in [
                (3, 2),
                (3, 99),
                (1, 0),
                (3, i32::MAX),
                (i32::MAX, i32::MAX - 1),
                (i32::MAX, i32::MAX),
                (0, 0),
                (0, 99),
            ] {
                expect_eq(
                    &format!("{count} records, last offset delta {last_offset_delta}"),
                    problem(&with_counts(count, last_offset_delta)),
                    None,
                );
            }
        }
    );
}

#[test]
fn a_crc_of_zero_is_a_crc() {
    case!("A CRC of 0 does not say that there is none.", || {
        let mut bad = batch();
        bad[layout::CRC..layout::ATTRIBUTES].fill(0);
        let expected = BatchError::Crc {
            stored: 0,
            computed: computed_crc(&bad),
        };
        expect_eq("a batch whose CRC is zeroed", problem(&bad), Some(expected));
    });
}

#[test]
fn the_codec_is_judged_before_the_counts() {
    case!(
        "With a codec that does not exist and a negative count, the answer is the codec.",
        || {
            let bad = with(with_counts(-1, 0), layout::ATTRIBUTES, &7_i16.to_be_bytes());
            let what = "codec 7, -1 records";
            expect_eq(what, problem(&bad), Some(BatchError::UnknownCodec(7)));
        }
    );
}

#[test]
fn the_crc_is_judged_before_what_it_covers() {
    case!(
        "With a wrong CRC, the codec and the counts may be the damage: the answer is the CRC.",
        || {
            // With a codec that exists as well: the CRC is not about what is inside.
            for mut bad in [
                with_attributes(7),
                with_counts(-1, 0),
                with_attributes(1),
                with_attributes(4),
                with_attributes(1 << 5),
            ] {
                bad[layout::CRC] ^= 1;
                let got = problem(&bad);
                expect(
                    &format!("the CRC is named; validate says {got:?}"),
                    matches!(got, Some(BatchError::Crc { .. })),
                );
            }
        }
    );
}

#[test]
fn a_producer_gets_the_code_that_kafka_gives() {
    case!(
        "What is wrong decides what the producer is told (`error_code` knows the code): a batch without a whole header is corrupt, one without all its records invalid.",
        || {
            let good = batch();
            let codes = [
                ("60 bytes", good[..60].to_vec(), ErrorCode::CORRUPT_MESSAGE),
                ("61 bytes", good[..61].to_vec(), ErrorCode::INVALID_RECORD),
                ("62 bytes", good[..62].to_vec(), ErrorCode::INVALID_RECORD),
                (
                    "a CRC that does not fit",
                    flipped_behind_the_crc(),
                    ErrorCode::CORRUPT_MESSAGE,
                ),
                (
                    "message format 1",
                    with(batch(), layout::MAGIC, &[1]),
                    ErrorCode::INVALID_RECORD,
                ),
                (
                    "message format 3",
                    with(batch(), layout::MAGIC, &[3]),
                    ErrorCode::CORRUPT_MESSAGE,
                ),
                (
                    "codec 7",
                    with_attributes(7),
                    ErrorCode::UNSUPPORTED_COMPRESSION_TYPE,
                ),
                ("-1 records", with_counts(-1, 0), ErrorCode::INVALID_RECORD),
            ];
            for (what, bytes, code) in codes {
                let got = problem(&bytes).map(|error| error.error_code());
                expect_eq(what, got, Some(code));
            }
            let large = validate(&good, good.len() - 1).map_err(|error| error.error_code());
            let code = ErrorCode::MESSAGE_TOO_LARGE;
            expect_eq("one byte above the limit", large.err(), Some(code));
        }
    );
}

fn flipped_behind_the_crc() -> Vec<u8> {
    let mut batch = batch();
    batch[layout::ATTRIBUTES] ^= 1;
    batch
}
