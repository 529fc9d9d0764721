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
