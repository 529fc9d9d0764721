//! Compact strings.

use spec_harness::{case, expect_eq};

use super::expect_truncated;
use super::part::{Malformed, Reader, put};

/// Reads a compact string, and says how many bytes it left.
fn string(bytes: &[u8]) -> (Result<Option<&str>, Malformed>, usize) {
    let mut reader = Reader::new(bytes);
    (reader.compact_nullable_string(), reader.remaining())
}

#[test]
fn the_length_is_one_more() {
    case!(
        "The varint in front says length + 1: 03 announces two bytes.",
        || {
            let bytes = [0x03, b'h', b'i'];
            expect_eq(
                "string and bytes left, of 03 h i",
                string(&bytes),
                (Ok(Some("hi")), 0),
            );
        }
    );
}

#[test]
fn it_leaves_the_next_field_alone() {
    case!("A string takes its own bytes and no more.", || {
        let bytes = [0x03, b'h', b'i', 0x02, b'!'];
        let what = "string and bytes left, of 03 h i 02 !";
        expect_eq(what, string(&bytes), (Ok(Some("hi")), 2));
    });
}

#[test]
fn zero_is_null() {
    case!("0 says null: no string at all.", || {
        expect_eq("the string of 00", string(&[0x00]).0, Ok(None));
    });
}

#[test]
fn one_is_empty() {
    case!("1 says a string of length 0: there, and empty.", || {
        expect_eq("the string of 01", string(&[0x01]).0, Ok(Some("")));
    });
}

#[test]
fn a_long_string_has_a_longer_length() {
    case!(
        "The length is a varint: from 127 bytes on it takes two bytes.",
        || {
            for size in [126, 127, 128, 300, 20_000] {
                let text = "x".repeat(size);
                let mut bytes = Vec::new();
                put::compact_nullable_string(&mut bytes, Some(&text));
                let what = format!("the size of a string of {size} bytes");
                let got = string(&bytes).0.map(|text| text.map(str::len));
                expect_eq(&what, got, Ok(Some(size)));
            }
        }
    );
}

#[test]
fn a_string_of_70_kb() {
    case!(
        "The varint has 32 bits, so a string may be longer than the 32 KiB of older versions.",
        || {
            for size in [32_767, 32_768, 65_534, 65_535, 65_536, 70_000] {
                let text = "x".repeat(size);
                let mut bytes = Vec::new();
                put::compact_nullable_string(&mut bytes, Some(&text));
                let what = format!("the size of a string of {size} bytes");
                let got = string(&bytes).0.map(|text| text.map(str::len));
                expect_eq(&what, got, Ok(Some(size)));
            }
        }
    );
}

#[test]
fn the_length_counts_bytes() {
    case!("The length counts bytes, not letters: é has two.", || {
        let bytes = [0x03, 0xc3, 0xa9];
        expect_eq("the string of 03 c3 a9", string(&bytes).0, Ok(Some("é")));
    });
}

#[test]
fn cut_off_at_any_byte() {
    case!(
        "A string of which not all has arrived is truncated, wherever it was cut.",
        || {
            let whole = [0x06, b'k', b'a', b'f', b'k', b'a'];
            for cut in 0..whole.len() {
                let what = format!("the first {cut} bytes of 06 k a f k a");
                let got = string(&whole[..cut]).0;
                expect_truncated(&what, &got);
            }
        }
    );
}

#[test]
fn a_length_beyond_what_arrived() {
    case!(
        "A length of 4 GiB in front of two bytes is a lie, and no more than truncated.",
        || {
            let bytes = [0xff, 0xff, 0xff, 0xff, 0x0f, b'h', b'i'];
            let got = string(&bytes).0;
            let what = "the string of ff ff ff ff 0f h i";
            expect_truncated(what, &got);
        }
    );
}

#[test]
fn not_utf8() {
    case!("Bytes that are not UTF-8 are no string.", || {
        let got = string(&[0x02, 0xff]).0;
        expect_eq("the string of 02 ff", got, Err(Malformed::NotUtf8));
    });
}
