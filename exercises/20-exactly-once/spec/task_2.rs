//! Which aborted transactions a reader of a range must know.

use std::cell::Cell;

use message_model::{Offset, OffsetRange, ProducerId};
use spec_harness::{case, expect, expect_eq};

use super::part::{Aborted, aborted_in};

#[test]
fn inside_of_the_range() {
    case!("A transaction inside of the range must be known.", || {
        expect_found(&[entry(10, 20, 21)], 0, 100, &[10]);
    });
}

#[test]
fn around_the_range() {
    case!(
        "A transaction that begins before the range and ends behind it must be known.",
        || expect_found(&[entry(10, 90, 91)], 40, 50, &[10])
    );
}

#[test]
fn before_the_range() {
    case!(
        "A transaction whose marker is below the range has nothing in it.",
        || expect_found(&[entry(10, 20, 21)], 21, 50, &[])
    );
}

#[test]
fn the_marker_alone() {
    case!(
        "If only its marker is in the range, a reader that fetches at the marker must know it too: the marker ends it there.",
        || expect_found(&[entry(10, 20, 21)], 20, 50, &[10])
    );
}

#[test]
fn behind_the_range() {
    case!(
        "A transaction that begins at the end of the range has nothing in it.",
        || {
            expect_found(&[entry(50, 60, 61)], 0, 50, &[]);
            expect_found(&[entry(49, 60, 61)], 0, 50, &[49]);
        }
    );
}

#[test]
fn a_long_one_behind_a_short_one() {
    case!(
        "The first entry has nothing in the range, the second began before it: the index is in the order of the markers, not of the beginnings.",
        || {
            let index = [entry(60, 70, 10), entry(10, 80, 81)];
            expect_found(&index, 0, 50, &[10]);
        }
    );
}

#[test]
fn no_more_than_need_be() {
    case!(
        "If everything in the range had ended when an entry was made, no later entry has begun in it: a reader at the front of a long index reads one entry behind its range, not a million.",
        || {
            let read = Cell::new(0);
            let mut index = (0..1_000_000).map(|n| {
                read.set(read.get() + 1);
                entry(10 * n, 10 * n + 5, 10 * n + 6)
            });
            let found = aborted_in(&mut index, range(0, 25));
            expect_eq("how many are found", found.len(), 3);
            expect("at most 4 entries are read", read.get() <= 4);
        }
    );
}

#[test]
fn an_open_one_keeps_the_search_going() {
    case!(
        "While an older transaction was open, what is stable says nothing about the entries that follow: the search goes on to the one that it may become.",
        || {
            let many = (0..100).map(|n| entry(100 + 10 * n, 105 + 10 * n, 7));
            let index: Vec<Aborted> = many.chain([entry(7, 2_000, 2_001)]).collect();
            expect_found(&index, 0, 50, &[7]);
        }
    );
}

#[test]
fn every_range_of_a_small_index() {
    case!(
        "Every range of a small index: what is found is what has an offset in it.",
        || {
            let index = [
                entry(3, 5, 1),
                entry(1, 7, 8),
                entry(10, 11, 9),
                entry(9, 14, 15),
            ];
            for start in 0..17 {
                for end in start + 1..17 {
                    let has_one = |one: &&Aborted| one.last.0 >= start && one.first.0 < end;
                    let expected: Vec<i64> = index
                        .iter()
                        .filter(has_one)
                        .map(|one| one.first.0)
                        .collect();
                    expect_found(&index, start, end, &expected);
                }
            }
        }
    );
}

fn entry(first: i64, last: i64, last_stable: i64) -> Aborted {
    Aborted {
        producer: ProducerId(first),
        first: Offset(first),
        last: Offset(last),
        last_stable: Offset(last_stable),
    }
}

fn range(start: i64, end: i64) -> OffsetRange {
    OffsetRange {
        start: Offset(start),
        end: Offset(end),
    }
}

fn expect_found(index: &[Aborted], start: i64, end: i64, expected: &[i64]) {
    let found = aborted_in(&mut index.iter().copied(), range(start, end));
    let found: Vec<i64> = found.iter().map(|one| one.first.0).collect();
    let of: Vec<(i64, i64)> = index.iter().map(|one| (one.first.0, one.last.0)).collect();
    let what = format!("the first offsets of those in {start}..{end} of {of:?}");
    expect_eq(&what, found, expected.to_vec());
}
