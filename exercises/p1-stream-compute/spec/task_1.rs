//! The window assigner.

use std::time::Duration;

use message_model::Timestamp;
use spec_harness::{case, expect_eq};

use super::part::Windows;
use super::shown::{expect_list, shown, window};

fn ms(millis: i64) -> Duration {
    Duration::from_millis(millis.unsigned_abs())
}

/// Checks which windows a time is in. `cut` says how the windows are.
fn expect_assigned(cut: &str, windows: Windows, time: i64, expected: &[(i64, i64)]) {
    // An iterator without an end must not fill the memory.
    let assigned = windows.assign(Timestamp(time)).take(expected.len() + 5);
    let got: Vec<String> = assigned.map(shown).collect();
    let expected: Vec<String> = expected
        .iter()
        .map(|(start, end)| shown(window(*start, *end)))
        .collect();
    expect_list(&format!("{cut}, the time {time}"), &got, &expected);
}

fn tumbling(size: i64, time: i64, expected: (i64, i64)) {
    let cut = format!("tumbling windows of {size}");
    expect_assigned(&cut, Windows::tumbling(ms(size)), time, &[expected]);
}

fn sliding((size, step): (i64, i64), time: i64, expected: &[(i64, i64)]) {
    let cut = format!("windows of {size}, one every {step}");
    expect_assigned(&cut, Windows::sliding(ms(size), ms(step)), time, expected);
}

fn session(gap: i64, time: i64, expected: (i64, i64)) {
    let cut = format!("sessions with a gap of {gap}");
    expect_assigned(&cut, Windows::session(ms(gap)), time, &[expected]);
}

#[test]
fn a_time_in_the_middle() {
    case!(
        "Tumbling windows lie side by side from 1970 on: 7 is in the one from 5 to 10.",
        || {
            tumbling(5, 7, (5, 10));
            tumbling(5, 23, (20, 25));
            tumbling(
                5_000,
                1_700_000_003_210,
                (1_700_000_000_000, 1_700_000_005_000),
            );
        }
    );
}

#[test]
fn the_start_is_inside_and_the_end_is_not() {
    case!(
        "A window's start is the first time in it, and its end the first one behind it.",
        || {
            tumbling(5, 5, (5, 10));
            tumbling(5, 9, (5, 10));
            tumbling(5, 10, (10, 15));
            tumbling(5, 0, (0, 5));
        }
    );
}

#[test]
fn the_shortest_windows() {
    case!("Windows of one millisecond have one time each.", || {
        for time in [-1, 0, 1, 12_345] {
            tumbling(1, time, (time, time + 1));
        }
    });
}

#[test]
fn before_1970() {
    case!(
        "Before 1970 windows lie as after it: the time -1 is in the one from -5 to 0.",
        || {
            tumbling(5, -1, (-5, 0));
            tumbling(5, -5, (-5, 0));
            tumbling(5, -6, (-10, -5));
            sliding((10, 5), -1, &[(-10, 0), (-5, 5)]);
        }
    );
}

#[test]
fn windows_that_overlap() {
    case!(
        "Sliding windows: each that has the time in it, the one that starts first at first.",
        || {
            sliding((10, 5), 12, &[(5, 15), (10, 20)]);
            sliding(
                (10, 2),
                12,
                &[(4, 14), (6, 16), (8, 18), (10, 20), (12, 22)],
            );
        }
    );
}

#[test]
fn a_size_that_is_no_multiple_of_the_step() {
    case!(
        "If the step does not divide the size, some times are in one window more than others.",
        || {
            sliding((10, 4), 12, &[(4, 14), (8, 18), (12, 22)]);
            sliding((10, 4), 13, &[(4, 14), (8, 18), (12, 22)]);
            sliding((10, 4), 14, &[(8, 18), (12, 22)]);
            sliding((10, 4), 15, &[(8, 18), (12, 22)]);
        }
    );
}

#[test]
fn a_step_as_long_as_the_window() {
    case!(
        "Sliding windows whose step is their size are tumbling ones.",
        || {
            for time in -12..12 {
                let start = (-20..20).map(|n| n * 5).rfind(|start| *start <= time);
                let start = start.unwrap_or_default();
                sliding((5, 5), time, &[(start, start + 5)]);
            }
        }
    );
}

#[test]
fn every_size_and_step() {
    case!(
        "Whatever size and step: a time is in the windows that have it, and in no others.",
        || {
            for size in 1..=12 {
                for step in 1..=size {
                    let every = (-60..60).map(|n| (n * step, n * step + size));
                    for time in -30..=30 {
                        let having = every
                            .clone()
                            .filter(|(start, end)| *start <= time && time < *end);
                        sliding((size, step), time, &having.collect::<Vec<_>>());
                    }
                }
            }
        }
    );
}

#[test]
fn a_session_begins_with_its_record() {
    case!(
        "A session begins with its record and is as long as the gap, wherever that is.",
        || {
            session(10, 7, (7, 17));
            session(10, 20, (20, 30));
            session(10, -3, (-3, 7));
            session(1, 0, (0, 1));
        }
    );
}

#[test]
fn the_ends_of_time() {
    case!(
        "At the first and the last time that there is, windows are cut off; nothing overflows.",
        || {
            let (first, last) = (i64::MIN, i64::MAX);
            session(10, last - 1, (last - 1, last));
            session(10, first, (first, first + 10));
            // The last time is 807 above a multiple of 1000, the first one 808 below.
            tumbling(1_000, last, (last - 807, last));
            tumbling(1_000, first, (first, first + 808));
            sliding(
                (1_000, 500),
                last,
                &[(last - 807, last), (last - 307, last)],
            );
            sliding(
                (1_000, 500),
                first,
                &[(first, first + 308), (first, first + 808)],
            );
            tumbling(last, 5, (0, last));
            tumbling(last, -5, (-last, 0));
        }
    );
}

#[test]
fn windows_with_a_time_in_common() {
    case!(
        "Two windows overlap if a time is in both, also if one lies within the other.",
        || {
            for (one, other) in [
                ((0, 10), (5, 15)),
                ((0, 10), (3, 4)),
                ((0, 10), (0, 10)),
                ((0, 10), (9, 12)),
            ] {
                expect_overlap(one, other, true);
            }
        }
    );
}

#[test]
fn windows_that_touch() {
    case!(
        "Two windows that only touch do not overlap: the end of one is not in it.",
        || {
            expect_overlap((0, 10), (10, 20), false);
            expect_overlap((0, 10), (11, 20), false);
        }
    );
}

#[test]
fn windows_at_the_ends_of_time() {
    case!(
        "Windows at the two ends of time do not overlap, and one over all of time overlaps each.",
        || {
            let (first, last) = (i64::MIN, i64::MAX);
            let (early, late) = ((first, first + 10), (last - 10, last));
            expect_overlap(early, late, false);
            for other in [early, (0, 10), late] {
                expect_overlap((first, last), other, true);
            }
        }
    );
}

#[test]
fn every_two_short_windows() {
    case!(
        "Two windows overlap exactly if some time is in both.",
        || {
            let every = (-3..4).flat_map(|start| (start + 1..=4).map(move |end| (start, end)));
            for one in every.clone() {
                for other in every.clone() {
                    let is_in =
                        |time: &i64, (start, end): (i64, i64)| start <= *time && *time < end;
                    let common = (-3..4).any(|time| is_in(&time, one) && is_in(&time, other));
                    expect_overlap(one, other, common);
                }
            }
        }
    );
}

/// In both directions.
fn expect_overlap(one: (i64, i64), other: (i64, i64), expected: bool) {
    for (one, other) in [(one, other), (other, one)] {
        let (one, other) = (window(one.0, one.1), window(other.0, other.1));
        let what = format!("whether {} overlaps {}", shown(one), shown(other));
        expect_eq(&what, one.overlaps(&other), expected);
    }
}
