//! Varints.

use spec_harness::{case, expect_bytes, expect_eq};

use super::expect_truncated;
use super::part::{Malformed, Reader, put};

/// Reads an unsigned varint, and says how many bytes it left.
fn unsigned(bytes: &[u8]) -> (Result<u32, Malformed>, usize) {
    let mut reader = Reader::new(bytes);
    (reader.unsigned_varint(), reader.remaining())
}

/// `bytes` in hex, for the text of a check.
fn of(name: &str, bytes: &[u8]) -> String {
    let hex: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{name} of {}", hex.join(" "))
}

#[test]
fn one_byte() {
    case!("A value below 128 is one byte: the value itself.", || {
        for value in 0..128_u8 {
            let what = of("the unsigned varint", &[value]);
            expect_eq(&what, unsigned(&[value]).0, Ok(u32::from(value)));
        }
    });
}

#[test]
fn lowest_bits_come_first() {
    case!(
        "The top bit of a byte says that another follows; the seven below it are the next higher ones.",
        || {
            let known: [(&[u8], u32); 5] = [
                (&[0x80, 0x01], 128),
                (&[0xac, 0x02], 300),
                (&[0xff, 0x7f], 16_383),
                (&[0x80, 0x80, 0x01], 16_384),
                (&[0x95, 0x9a, 0xef, 0x3a], 123_456_789),
            ];
            for (bytes, value) in known {
                let what = of("the unsigned varint", bytes);
                expect_eq(&what, unsigned(bytes).0, Ok(value));
            }
        }
    );
}

#[test]
fn it_reads_no_further_than_its_last_byte() {
    case!(
        "A varint ends with its first byte below 128; what follows belongs to the next field.",
        || {
            let bytes = [0xac, 0x02, 0x80, 0x01];
            let what = of("value and bytes left, for the unsigned varint", &bytes);
            expect_eq(&what, unsigned(&bytes), (Ok(300), 2));
        }
    );
}

#[test]
fn what_was_written_is_read() {
    case!(
        "Every value that is written is read back, up to the largest.",
        || {
            for bit in 0..u32::BITS {
                for value in [1 << bit, (1 << bit) - 1, u32::MAX >> bit] {
                    let mut bytes = Vec::new();
                    put::unsigned_varint(&mut bytes, value);
                    let what = of("value and bytes left, for the unsigned varint", &bytes);
                    expect_eq(&what, unsigned(&bytes), (Ok(value), 0));
                }
            }
        }
    );
}

#[test]
fn zigzag_has_both_ends() {
    case!(
        "Signed values, down to the smallest and up to the largest, need all bits of their type.",
        || {
            for value in [0, -1, 1, -2, 63, -64, 64, i32::MIN, i32::MAX] {
                let mut bytes = Vec::new();
                put::varint(&mut bytes, value);
                let what = of("the varint", &bytes);
                expect_eq(&what, Reader::new(&bytes).varint(), Ok(value));
            }
            for value in [0, -1, 1, 1 << 40, i64::MIN, i64::MAX, i64::MIN + 1] {
                let mut bytes = Vec::new();
                put::varlong(&mut bytes, value);
                let what = of("the varlong", &bytes);
                expect_eq(&what, Reader::new(&bytes).varlong(), Ok(value));
            }
        }
    );
}

#[test]
fn a_fifth_byte_has_four_bits() {
    case!(
        "32 bits are four times seven, and four: a fifth byte above 0f does not fit.",
        || {
            let largest = [0xff, 0xff, 0xff, 0xff, 0x0f];
            let what = of("the unsigned varint", &largest);
            expect_eq(&what, unsigned(&largest).0, Ok(u32::MAX));
            for last in [0x10, 0x1f, 0x20, 0x40, 0x7f] {
                let bytes = [0xff, 0xff, 0xff, 0xff, last];
                let what = of("the unsigned varint", &bytes);
                expect_eq(&what, unsigned(&bytes).0, Err(Malformed::VarintTooLong));
            }
        }
    );
}

#[test]
fn a_tenth_byte_has_one_bit() {
    case!(
        "64 bits are nine times seven, and one: a tenth byte above 01 does not fit.",
        || {
            let mut bytes = [0xff; 10];
            bytes[9] = 0x01;
            let what = of("the varlong", &bytes);
            expect_eq(&what, Reader::new(&bytes).varlong(), Ok(i64::MIN));
            for last in [0x02, 0x03, 0x40, 0x7f] {
                bytes[9] = last;
                let what = of("the varlong", &bytes);
                let got = Reader::new(&bytes).varlong();
                expect_eq(&what, got, Err(Malformed::VarintTooLong));
            }
        }
    );
}

#[test]
fn it_does_not_go_on_for_ever() {
    case!(
        "A fifth byte (a tenth, of 64 bits) that says that another follows is refused at once.",
        || {
            for size in [5, 6, 20] {
                let bytes = vec![0x80; size];
                let what = of("the unsigned varint", &bytes);
                expect_eq(&what, unsigned(&bytes).0, Err(Malformed::VarintTooLong));
            }
            for size in [10, 11, 20] {
                let bytes = vec![0x80; size];
                let what = of("the varlong", &bytes);
                let got = Reader::new(&bytes).varlong();
                expect_eq(&what, got, Err(Malformed::VarintTooLong));
            }
        }
    );
}

#[test]
fn zeros_on_top_are_allowed() {
    case!(
        "A varint may be longer than it need be, within the limit: 80 00 is 0, as in Kafka's own reader.",
        || {
            let padded: [(&[u8], u32); 3] = [
                (&[0x80, 0x00], 0),
                (&[0x81, 0x80, 0x00], 1),
                (&[0xff, 0x80, 0x80, 0x80, 0x00], 127),
            ];
            for (bytes, value) in padded {
                let what = of("the unsigned varint", bytes);
                expect_eq(&what, unsigned(bytes).0, Ok(value));
            }
        }
    );
}

#[test]
fn cut_off_at_any_byte() {
    case!(
        "A varint whose last byte has not arrived is truncated, wherever it was cut.",
        || {
            let whole = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
            for cut in 0..whole.len() {
                let what = of("the varlong", &whole[..cut]);
                let got = Reader::new(&whole[..cut]).varlong();
                expect_truncated(&what, &got);
            }
            for cut in 0..=4 {
                let what = of("the unsigned varint", &whole[..cut]);
                let got = unsigned(&whole[..cut]).0;
                expect_truncated(&what, &got);
            }
        }
    );
}

/// One field of every other type, then a varint, and what each of them is.
const FIELDS: &[(&str, usize, usize)] = &[
    ("bool", 0, 1),
    ("bool", 1, 1),
    ("i8", 2, 1),
    ("i16", 3, 2),
    ("i32", 5, 4),
    ("u32", 9, 4),
    ("i64", 13, 8),
    ("string", 21, 4),
    ("null string", 25, 2),
    ("bytes", 27, 6),
    ("null bytes", 33, 4),
    ("compact bytes", 37, 3),
    ("null compact bytes", 40, 1),
    ("varint", 41, 1),
    ("no tagged fields", 42, 1),
];

/// Each number with different bytes, so that a wrong order of them is seen.
fn every_type() -> Vec<u8> {
    let mut out = vec![2, 0, 0xfe];
    out.extend_from_slice(&[0x81, 0x02]);
    out.extend_from_slice(&[0x83, 0x04, 0x05, 0x06]);
    out.extend_from_slice(&[0x87, 0x08, 0x09, 0x0a]);
    out.extend_from_slice(&[0x8b, 0x0c, 0x0d, 0x0e, 0x0f, 0x10, 0x11, 0x12]);
    put::nullable_string(&mut out, Some("hi"));
    put::nullable_string(&mut out, None);
    put::length(&mut out, Some(2));
    out.extend_from_slice(b"by");
    put::length(&mut out, None);
    put::compact_length(&mut out, Some(2));
    out.extend_from_slice(b"te");
    put::compact_length(&mut out, None);
    put::unsigned_varint(&mut out, 5);
    put::tagged_fields(&mut out, [].iter());
    out
}

#[test]
fn it_stands_among_fields_of_other_types() {
    case!(
        "A message is one field behind the other: a varint is read where the field before it ends.",
        || {
            let bytes = every_type();
            let tail = b"\0\x02hi\xff\xff\0\0\0\x02by\xff\xff\xff\xff\x03te\0\x05\0";
            expect_bytes(
                "the message",
                &bytes,
                &[&bytes[..21], tail].concat(),
                FIELDS,
            );
            let mut reader = Reader::new(&bytes);
            expect_eq("the bool of 02", reader.bool(), Ok(true));
            expect_eq("the bool of 00", reader.bool(), Ok(false));
            expect_eq("the i8", reader.i8(), Ok(-2));
            expect_eq("the i16", reader.i16(), Ok(-0x7efe));
            expect_eq("the i32", reader.i32(), Ok(-0x7cfb_fafa));
            expect_eq("the u32", reader.u32(), Ok(0x8708_090a));
            expect_eq("the i64", reader.i64(), Ok(-0x74f3_f2f1_f0ef_eeee));
            expect_eq("the string", reader.nullable_string(), Ok(Some("hi")));
            expect_eq("the null string", reader.nullable_string(), Ok(None));
            expect_eq("the bytes", reader.nullable_bytes(), Ok(Some(&b"by"[..])));
            expect_eq("the null bytes", reader.nullable_bytes(), Ok(None));
            let compact = reader.compact_nullable_bytes();
            expect_eq("the compact bytes", compact, Ok(Some(&b"te"[..])));
            expect_eq("the null ones", reader.compact_nullable_bytes(), Ok(None));
            expect_eq("the varint", reader.unsigned_varint(), Ok(5));
            expect_eq("how many bytes are left", reader.remaining(), 1);
        }
    );
}
