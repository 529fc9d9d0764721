//! The sparse index.

use message_model::Offset;
use spec_harness::{case, expect_eq};

use super::part::OffsetIndex;

/// Offsets 100, 110, 120 at positions 0, 4096, 8192.
fn index() -> OffsetIndex {
    let mut index = OffsetIndex::from_bytes(Offset(100), vec![]);
    for step in 0..3_u8 {
        index.push(Offset(100 + 10 * i64::from(step)), 4096 * u32::from(step));
    }
    index
}

#[test]
fn an_indexed_offset_is_found_exactly() {
    case!(
        "An offset that has an entry is found at that entry.",
        || {
            expect_eq("lookup(110)", index().lookup(Offset(110)), 4096);
        }
    );
}

#[test]
fn between_two_entries() {
    case!(
        "An offset between two entries starts at the lower one: the reader scans forward.",
        || expect_eq("lookup(119)", index().lookup(Offset(119)), 4096),
    );
}

#[test]
fn behind_the_last_entry() {
    case!(
        "An offset behind the last entry starts at the last one, however far behind it is.",
        || {
            expect_eq("lookup(121)", index().lookup(Offset(121)), 8192);
            for far in [100 + (1 << 31), 100 + (1 << 32) + 5, i64::MAX] {
                expect_eq(&format!("lookup({far})"), index().lookup(Offset(far)), 8192);
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
            expect_eq("lookup(109)", index.lookup(Offset(109)), 0);
            expect_eq("lookup(100)", index.lookup(Offset(100)), 0);
            expect_eq("lookup(99)", index.lookup(Offset(99)), 0);
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
