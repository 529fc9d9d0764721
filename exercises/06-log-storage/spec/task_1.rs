//! The sparse index.

use message_model::Offset;
use spec_harness::{case, expect, expect_bytes, expect_eq};

use super::part::{OffsetIndex, last_at_or_below};

/// What the file of [`index`] holds.
const FILE: [u8; 24] = [
    0, 0, 0, 0, 0, 0, 0, 0, // offset 100 + 0 at 0
    0, 0, 0, 10, 0, 0, 16, 0, // offset 100 + 10 at 4096
    0, 0, 0, 20, 0, 0, 32, 0, // offset 100 + 20 at 8192
];

/// Its layout, for failures.
const FIELDS: &[(&str, usize, usize)] = &[
    ("relative offset 0", 0, 4),
    ("position 0", 4, 4),
    ("relative offset 1", 8, 4),
    ("position 1", 12, 4),
    ("relative offset 2", 16, 4),
    ("position 2", 20, 4),
];

/// Offsets 100, 110, 120 at positions 0, 4096, 8192.
fn index() -> OffsetIndex {
    let mut index = OffsetIndex::from_bytes(Offset(100), vec![]);
    for step in 0..3_u8 {
        index.push(Offset(100 + 10 * i64::from(step)), 4096 * u32::from(step));
    }
    index
}

/// Looks `offset` up in [`index`].
fn expect_at(offset: i64, position: u32) {
    let what = format!("lookup({offset}) in 100 -> 0, 110 -> 4096, 120 -> 8192");
    expect_eq(&what, index().lookup(Offset(offset)), position);
}

#[test]
fn an_indexed_offset_is_found_exactly() {
    case!(
        "An offset that has an entry is found at that entry.",
        || {
            expect_at(110, 4096);
        }
    );
}

#[test]
fn between_two_entries() {
    case!(
        "An offset between two entries starts at the lower one: the reader scans forward.",
        || expect_at(119, 4096),
    );
}

#[test]
fn behind_the_last_entry() {
    case!(
        "An offset behind the last entry starts at the last one, however far behind it is.",
        || {
            for far in [121, 100 + (1 << 31), 100 + (1 << 32) + 5, i64::MAX] {
                expect_at(far, 8192);
            }
        }
    );
}

#[test]
fn an_empty_index_answers_the_start() {
    case!(
        "Without entries the reader starts at the segment's start.",
        || {
            let index = OffsetIndex::from_bytes(Offset(100), vec![]);
            expect_eq("lookup(107)", index.lookup(Offset(107)), 0);
        }
    );
}

#[test]
fn before_the_first_entry() {
    case!(
        "The first batches of a segment have no entry: an offset before the first entry starts at 0.",
        || {
            let mut index = OffsetIndex::from_bytes(Offset(100), vec![]);
            index.push(Offset(110), 4096);
            index.push(Offset(120), 8192);
            for offset in [109, 100, 99] {
                let what = format!("lookup({offset}) in 110 -> 4096, 120 -> 8192");
                expect_eq(&what, index.lookup(Offset(offset)), 0);
            }
        }
    );
}

#[test]
fn offsets_are_relative_to_the_segments_base() {
    case!(
        "Entries hold offsets relative to the segment's first one, so that they fit into 4 bytes.",
        || {
            let base = 7_000_000_000;
            let mut index = OffsetIndex::from_bytes(Offset(base), vec![]);
            index.push(Offset(base + 10), 500);
            index.push(Offset(base + 20), 900);
            expect_eq("lookup(base + 9)", index.lookup(Offset(base + 9)), 0);
            expect_eq("lookup(base + 10)", index.lookup(Offset(base + 10)), 500);
            expect_eq("lookup(base + 25)", index.lookup(Offset(base + 25)), 900);
        }
    );
}

#[test]
fn it_agrees_with_a_walk_over_all_entries() {
    case!(
        "For every offset it is the last entry at or below it.",
        || {
            let entries: Vec<(i64, u32)> = (1..40)
                .map(|step| (step * step, 61 + 97 * step))
                .map(|(offset, position)| (offset, u32::try_from(position).unwrap()))
                .collect();
            let mut index = OffsetIndex::from_bytes(Offset(0), vec![]);
            for (offset, position) in &entries {
                index.push(Offset(*offset), *position);
            }
            for target in 0..1700 {
                let at_or_below = entries.iter().rev().find(|(offset, _)| *offset <= target);
                let expected = at_or_below.map_or(0, |(_, position)| *position);
                expect_eq(
                    &format!("lookup({target})"),
                    index.lookup(Offset(target)),
                    expected,
                );
            }
        }
    );
}

#[test]
fn any_offset_can_be_looked_up() {
    case!(
        "The ends of i64 are offsets too: the subtraction must not overflow.",
        || {
            expect_at(i64::MIN, 0);
            expect_at(i64::MAX, 8192);
            let mut index = OffsetIndex::from_bytes(Offset(i64::MAX - 10), vec![]);
            index.push(Offset(i64::MAX - 3), 500);
            let what = "lookup(i64::MIN) in a segment at the far end";
            expect_eq(what, index.lookup(Offset(i64::MIN)), 0);
            expect_eq(
                "lookup(i64::MAX) there",
                index.lookup(Offset(i64::MAX)),
                500,
            );
        }
    );
}

#[test]
fn few_entries_are_read() {
    case!(
        "Of n entries about log n are read, wherever the target is.",
        || {
            for (count, reads_max) in [(0, 0), (1, 1), (2, 2), (1000, 11), (262_144, 19)] {
                let end = 3 * i64::try_from(count).expect("it is small");
                for target in [-1, 0, 1, end / 2, end - 4, end - 3, end, i64::MAX] {
                    let mut reads = 0;
                    let found = last_at_or_below(count, target, |number| {
                        reads += 1;
                        3 * i64::try_from(number).expect("it is small")
                    });
                    let below = usize::try_from(target.div_euclid(3)).ok();
                    let last = count.checked_sub(1);
                    let expected = below.and_then(|below| last.map(|last| last.min(below)));
                    let what = format!("{target} in {count} entries 0, 3, 6, …");
                    expect_eq(&format!("the last at or below {what}"), found, expected);
                    let what = format!("{reads} reads to find {what}: at most {reads_max}");
                    expect(&what, reads <= reads_max);
                }
            }
        }
    );
}

#[test]
fn a_torn_last_entry_is_not_read() {
    case!(
        "A crash may cut the index file anywhere: what is left of its last entry is none.",
        || {
            let whole = index().as_bytes().to_vec();
            expect_bytes("an index of 3 entries", &whole, &FILE, FIELDS);
            for length in 0..=whole.len() {
                let mut index = OffsetIndex::from_bytes(Offset(100), whole[..length].to_vec());
                let expected = match length / 8 {
                    0 | 1 => 0,
                    2 => 4096,
                    _ => 8192,
                };
                let what = format!("lookup(125) in the first {length} of 24 bytes");
                expect_eq(&what, index.lookup(Offset(125)), expected);
                index.push(Offset(130), 9000);
                let what = format!("lookup(131), 130 pushed behind the first {length} of 24 bytes");
                expect_eq(&what, index.lookup(Offset(131)), 9000);
            }
        }
    );
}

#[test]
fn what_would_break_the_order_is_left_out() {
    case!(
        "Entries ascend in both columns, so a look-up can halve: `push` leaves out what would not.",
        || {
            let mut index = index();
            for (offset, position) in [(120, 9000), (119, 9000), (130, 8192), (99, 9000)] {
                let pushed = index.push(Offset(offset), position);
                expect_eq(&format!("push({offset}, {position})"), pushed, false);
            }
            let mut young = OffsetIndex::from_bytes(Offset(100), vec![]);
            for (offset, position) in [(99, 5), (100 + (1 << 31), 5), (101, 1 << 31)] {
                let pushed = young.push(Offset(offset), position);
                expect_eq(&format!("push({offset}, {position})"), pushed, false);
            }
            expect_eq("lookup(130)", index.lookup(Offset(130)), 8192);
            expect_eq("push(121, 8193)", index.push(Offset(121), 8193), true);
            expect_eq("lookup(130)", index.lookup(Offset(130)), 8193);
        }
    );
}

#[test]
fn an_index_that_cannot_be_right_is_not_sane() {
    case!(
        "An index whose entries go back, or point behind the segment, is made again and not looked up in.",
        || {
            let sane = |entries: &[(i32, i32)]| {
                let bytes = entries.iter().flat_map(|(offset, position)| {
                    [offset.to_be_bytes(), position.to_be_bytes()].concat()
                });
                let index = OffsetIndex::from_bytes(Offset(100), bytes.collect());
                index.is_sane(9000)
            };
            expect_eq("is_sane of no entries", sane(&[]), true);
            expect_eq(
                "is_sane of (0, 0), (1, 8999)",
                sane(&[(0, 0), (1, 8999)]),
                true,
            );
            for wrong in [
                [(-1, 0), (1, 10)],
                [(0, -1), (1, 10)],
                [(1, 10), (1, 20)],
                [(2, 10), (1, 20)],
                [(1, 20), (2, 20)],
                [(1, 30), (2, 20)],
                [(1, 30), (2, 9000)],
                [(0, 0), (0, 0)],
            ] {
                expect_eq(&format!("is_sane of {wrong:?}"), sane(&wrong), false);
            }
            expect_eq("lookup(119)", index().lookup(Offset(119)), 4096);
        }
    );
}
