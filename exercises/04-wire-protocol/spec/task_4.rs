//! Tagged fields.

use spec_harness::{case, expect_eq};

use super::expect_truncated;
use super::part::{Malformed, Reader, put};

/// Skips tagged fields, and says how many bytes it left.
fn skip(bytes: &[u8]) -> (Result<(), Malformed>, usize) {
    let mut reader = Reader::new(bytes);
    (reader.skip_tagged_fields(), reader.remaining())
}

#[test]
fn none() {
    case!("A count of 0: there are no tagged fields.", || {
        let what = "result and bytes left, of 00 aa";
        expect_eq(what, skip(&[0x00, 0xaa]), (Ok(()), 1));
    });
}

#[test]
fn an_unknown_field_is_stepped_over() {
    case!(
        "A field is tag, size, and that many bytes: an old reader steps over what a newer writer added.",
        || {
            let bytes = [0x01, 0x00, 0x03, 0xa1, 0xa2, 0xa3, 0x7f];
            let what = "result and bytes left, of 01 | 00 03 a1 a2 a3 | 7f";
            expect_eq(what, skip(&bytes), (Ok(()), 1));
        }
    );
}

#[test]
fn several_fields() {
    case!(
        "As many fields as the count says; the count is the count, not one more.",
        || {
            let bytes = [
                0x03, 0x00, 0x01, 0xa1, 0x02, 0x00, 0x05, 0x02, 0xb1, 0xb2, 0x7f,
            ];
            let what = "result and bytes left, of 03 | 00 01 a1 | 02 00 | 05 02 b1 b2 | 7f";
            expect_eq(what, skip(&bytes), (Ok(()), 1));
        }
    );
}

#[test]
fn what_is_inside_does_not_matter() {
    case!(
        "The bytes of a field are nobody's business here, even if they look like fields.",
        || {
            let bytes = [0x01, 0x07, 0x04, 0x02, 0xff, 0xff, 0xff, 0x7f];
            let what = "result and bytes left, of 01 | 07 04 02 ff ff ff | 7f";
            expect_eq(what, skip(&bytes), (Ok(()), 1));
        }
    );
}

#[test]
fn large_tags_and_large_fields() {
    case!(
        "Tag and size are varints: both may take more than one byte.",
        || {
            let mut bytes = vec![0x02, 0x05, 0x00, 0xac, 0x02, 0xac, 0x02];
            bytes.resize(bytes.len() + 300, 0xee);
            bytes.push(0x7f);
            let what =
                "result and bytes left, of 02 | 05 00 | ac 02 (300), ac 02 (300), 300 bytes | 7f";
            expect_eq(what, skip(&bytes), (Ok(()), 1));
        }
    );
}

#[test]
fn tags_ascend() {
    case!("A tag below the one before it breaks the protocol.", || {
        let what = "02 | 05 00 | 01 00";
        expect_eq(
            what,
            skip(&[0x02, 0x05, 0x00, 0x01, 0x00]).0,
            Err(Malformed::TagOrder),
        );
    });
}

#[test]
fn each_tag_is_compared_with_the_one_before() {
    case!(
        "Tags ascend from field to field: 1, 5, 3 does not, although both are above the first.",
        || {
            let what = "03 | 01 00 | 05 00 | 03 00";
            let fields = [0x03, 0x01, 0x00, 0x05, 0x00, 0x03, 0x00];
            expect_eq(what, skip(&fields).0, Err(Malformed::TagOrder));
            let what = "03 | 01 00 | 05 00 | 05 00";
            let fields = [0x03, 0x01, 0x00, 0x05, 0x00, 0x05, 0x00];
            expect_eq(what, skip(&fields).0, Err(Malformed::TagOrder));
        }
    );
}

#[test]
fn more_than_a_hundred_fields() {
    case!(
        "The count is a varint as well: 130 fields are announced in two bytes.",
        || {
            for count in [127, 128, 130, 300] {
                let mut bytes = Vec::new();
                put::unsigned_varint(&mut bytes, count);
                for tag in 0..count {
                    put::unsigned_varint(&mut bytes, tag);
                    bytes.extend_from_slice(&[0x01, 0xee]);
                }
                bytes.push(0x7f);
                let what = format!("result and bytes left, of {count} fields of one byte | 7f");
                expect_eq(&what, skip(&bytes), (Ok(()), 1));
            }
        }
    );
}

#[test]
fn a_field_of_70_kb() {
    case!("A field may be longer than 64 KiB.", || {
        let mut bytes = vec![0x01, 0x00];
        put::unsigned_varint(&mut bytes, 70_000);
        bytes.resize(bytes.len() + 70_000, 0xee);
        bytes.push(0x7f);
        let what = "result and bytes left, of 01 | 00, 70,000 bytes | 7f";
        expect_eq(what, skip(&bytes), (Ok(()), 1));
    });
}

#[test]
fn the_last_tag_is_a_tag() {
    case!(
        "Tags go up to ff ff ff ff 0f: nothing is above the last one, and a first tag of 0 is fine.",
        || {
            let last = [0xff, 0xff, 0xff, 0xff, 0x0f];
            let bytes = [&[0x02, 0x00, 0x00][..], &last, &[0x00, 0x7f]].concat();
            let what = "result and bytes left, of 02 | 00 00 | ff ff ff ff 0f 00 | 7f";
            expect_eq(what, skip(&bytes), (Ok(()), 1));
            let bytes = [&[0x02][..], &last, &[0x00], &last, &[0x00]].concat();
            let what = "02 | ff ff ff ff 0f 00 | ff ff ff ff 0f 00";
            expect_eq(what, skip(&bytes).0, Err(Malformed::TagOrder));
        }
    );
}

#[test]
fn a_tag_comes_once() {
    case!("A tag that is there already breaks the protocol.", || {
        let what = "02 | 05 00 | 05 00";
        expect_eq(
            what,
            skip(&[0x02, 0x05, 0x00, 0x05, 0x00]).0,
            Err(Malformed::TagOrder),
        );
    });
}

#[test]
fn cut_off_at_any_byte() {
    case!(
        "Fields of which not all has arrived are truncated, wherever they were cut.",
        || {
            let whole = [0x02, 0x00, 0x01, 0xa1, 0x05, 0x02, 0xb1, 0xb2];
            for cut in 0..whole.len() {
                let what = format!("the first {cut} bytes of 02 | 00 01 a1 | 05 02 b1 b2");
                let got = skip(&whole[..cut]).0;
                expect_truncated(&what, &got);
            }
        }
    );
}

#[test]
fn four_billion_fields() {
    case!(
        "Four billion fields are announced and none arrived: it ends at the first one.",
        || {
            let got = skip(&[0xff, 0xff, 0xff, 0xff, 0x0f]).0;
            let what = "ff ff ff ff 0f";
            expect_truncated(what, &got);
        }
    );
}
