//! Arrays bounded by what arrived.

use spec_harness::{case, expect_eq};

use super::part::{Malformed, Reader};

/// The `i32` count in front of `behind` bytes, as elements of at least `size` bytes.
fn announced(count: i32, behind: usize, size: usize) -> Result<Option<usize>, Malformed> {
    let mut bytes = count.to_be_bytes().to_vec();
    bytes.resize(bytes.len() + behind, 0);
    Reader::new(&bytes).array_length(size)
}

fn too_long(count: usize, remaining: usize) -> Result<Option<usize>, Malformed> {
    Err(Malformed::ArrayTooLong { count, remaining })
}

#[test]
fn as_many_as_arrived() {
    case!(
        "A count is believed if the bytes behind it can hold that many elements.",
        || {
            for count in 0..=3 {
                let what = format!("{count} elements of 4 bytes announced, 12 bytes behind");
                let expected = usize::try_from(count).ok();
                expect_eq(&what, announced(count, 12, 4), Ok(expected));
            }
        }
    );
}

#[test]
fn one_more_than_arrived() {
    case!("A count of one more than fits is refused.", || {
        let got = announced(4, 12, 4);
        let what = "4 elements of 4 bytes announced, 12 bytes behind";
        expect_eq(what, got, too_long(4, 12));
    });
}

#[test]
fn a_part_of_an_element_is_none() {
    case!("11 bytes hold two elements of 4 bytes, not three.", || {
        let what = "2 elements of 4 bytes announced, 11 bytes behind";
        expect_eq(what, announced(2, 11, 4), Ok(Some(2)));
        let what = "3 elements of 4 bytes announced, 11 bytes behind";
        expect_eq(what, announced(3, 11, 4), too_long(3, 11));
    });
}

#[test]
fn an_empty_array_needs_nothing() {
    case!("No elements need no bytes.", || {
        let what = "0 elements announced, nothing behind";
        expect_eq(what, announced(0, 0, 8), Ok(Some(0)));
    });
}

#[test]
fn two_billion() {
    case!(
        "Two billion elements in front of four bytes are refused before anything is allocated for them.",
        || {
            let what = "7f ff ff ff announced, 4 bytes behind";
            let count = 2_147_483_647;
            expect_eq(what, announced(i32::MAX, 4, 2), too_long(count, 4));
        }
    );
}

#[test]
fn two_million_that_are_there() {
    case!(
        "A large count is fine if the bytes are there: what has arrived is the only limit.",
        || {
            let what = "2,000,000 elements of 2 bytes announced, 4,000,000 bytes behind";
            let count = 2_000_000;
            expect_eq(what, announced(count, 4_000_000, 2), Ok(Some(2_000_000)));
            let what = "2,000,001 elements of 2 bytes announced, 4,000,000 bytes behind";
            let got = announced(count + 1, 4_000_000, 2);
            expect_eq(what, got, too_long(2_000_001, 4_000_000));
        }
    );
}

#[test]
fn counts_that_need_more_than_32_bits_in_bytes() {
    case!(
        "2^29 + 1 elements of 8 bytes take 2^32 + 8 bytes, and not 8: the arithmetic must not wrap, whatever the sizes.",
        || {
            let what = "20 00 00 01 elements of 8 bytes announced, 8 bytes behind";
            let count = 0x2000_0001;
            expect_eq(what, announced(count, 8, 8), too_long(0x2000_0001, 8));
            let what = "40 00 00 01 elements of 4 bytes announced, 4 bytes behind";
            let count = 0x4000_0001;
            expect_eq(what, announced(count, 4, 4), too_long(0x4000_0001, 4));
            let what = "3 elements of half of all memory announced, 100 bytes behind";
            let half = usize::MAX / 2 + 1;
            expect_eq(what, announced(3, 100, half), too_long(3, 100));
        }
    );
}

#[test]
fn four_billion_in_a_compact_array() {
    case!(
        "The flexible versions' counts, which go up to four billion, are bounded the same way.",
        || {
            let bytes = [0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0];
            let got = Reader::new(&bytes).compact_array_length(1);
            let what = "ff ff ff ff 0f announced, 2 bytes behind";
            expect_eq(what, got, too_long(4_294_967_294, 2));
            let got = Reader::new(&[0x03, 0, 0]).compact_array_length(1);
            expect_eq("03 announced, 2 bytes behind", got, Ok(Some(2)));
        }
    );
}

#[test]
fn elements_without_bytes() {
    case!(
        "An element that may take no bytes at all counts as one byte: there is a bound, and no division by zero.",
        || {
            let what = "3 elements of 0 bytes announced, 3 bytes behind";
            expect_eq(what, announced(3, 3, 0), Ok(Some(3)));
            let what = "1000 elements of 0 bytes announced, 3 bytes behind";
            expect_eq(what, announced(1000, 3, 0), too_long(1000, 3));
        }
    );
}
