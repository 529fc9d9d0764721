//! Which segments may go.

use std::time::Duration;

use message_model::{Offset, Timestamp};
use spec_harness::{case, expect_eq};

use super::part::{RetentionLimits, SegmentSummary, expired};

const NOW: Timestamp = Timestamp(100_000);
/// Above all offsets: nobody needs anything.
const NOBODY: Offset = Offset(i64::MAX);

/// Segments of 10 offsets each, from their sizes and newest timestamps.
fn segments(segments: &[(u64, Option<i64>)]) -> Vec<SegmentSummary> {
    let numbered = segments.iter().zip(0..);
    let summary = |((size, newest), number): (&(u64, Option<i64>), i64)| SegmentSummary {
        base_offset: Offset(10 * number),
        end_offset: Offset(10 * number + 10),
        size: *size,
        newest: newest.map(Timestamp),
    };
    numbered.map(summary).collect()
}

fn older_than(millis: u64) -> RetentionLimits {
    RetentionLimits {
        age: Some(Duration::from_millis(millis)),
        bytes: None,
    }
}

fn larger_than(bytes: u64) -> RetentionLimits {
    RetentionLimits {
        age: None,
        bytes: Some(bytes),
    }
}

#[test]
fn by_age() {
    case!(
        "A segment goes when its newest record is older than the limit.",
        || {
            let log = segments(&[
                (5, Some(10_000)),
                (5, Some(20_000)),
                (5, Some(30_000)),
                (5, Some(90_000)),
            ]);
            let gone = |millis| expired(&log, older_than(millis), NOW, NOBODY);
            expect_eq("limit 95 s", gone(95_000), 0);
            expect_eq("limit 85 s", gone(85_000), 1);
            expect_eq("limit 75 s", gone(75_000), 2);
            expect_eq("limit 60 s", gone(60_000), 3);
        }
    );
}

#[test]
fn exactly_as_old_as_the_limit() {
    case!(
        "Older means older: a segment exactly as old as the limit stays.",
        || {
            let log = segments(&[(5, Some(10_000)), (5, Some(99_000))]);
            expect_eq(
                "limit 90 s",
                expired(&log, older_than(90_000), NOW, NOBODY),
                0,
            );
            expect_eq(
                "limit 89.999 s",
                expired(&log, older_than(89_999), NOW, NOBODY),
                1,
            );
        }
    );
}

#[test]
fn by_size() {
    case!(
        "The oldest segment goes as long as the others still have at least the limit.",
        || {
            let log = segments(&[(40, Some(1)), (30, Some(1)), (20, Some(1)), (10, Some(1))]);
            let gone = |bytes| expired(&log, larger_than(bytes), NOW, NOBODY);
            expect_eq("limit 101 of 100 bytes", gone(101), 0);
            expect_eq("limit 61: without the first there are 60", gone(61), 0);
            expect_eq("limit 60", gone(60), 1);
            expect_eq("limit 30", gone(30), 2);
            expect_eq("limit 10", gone(10), 3);
        }
    );
}

#[test]
fn either_limit_is_enough() {
    case!(
        "With both limits a segment goes when it is too old or one too many.",
        || {
            let log = segments(&[
                (10, Some(10_000)),
                (10, Some(99_000)),
                (10, Some(99_000)),
                (10, Some(99_000)),
            ]);
            let both = |millis, bytes| RetentionLimits {
                age: Some(Duration::from_millis(millis)),
                bytes: Some(bytes),
            };
            expect_eq(
                "old, not many",
                expired(&log, both(50_000, 1000), NOW, NOBODY),
                1,
            );
            expect_eq(
                "many, not old",
                expired(&log, both(95_000, 20), NOW, NOBODY),
                2,
            );
            expect_eq(
                "first old, then many",
                expired(&log, both(50_000, 20), NOW, NOBODY),
                2,
            );
            expect_eq("neither", expired(&log, both(95_000, 1000), NOW, NOBODY), 0);
        }
    );
}

#[test]
fn without_limits_nothing_goes() {
    case!("Without a limit everything is kept for ever.", || {
        let log = segments(&[(0, None), (u64::MAX / 4, Some(0)), (1, None), (1, Some(0))]);
        let forever = RetentionLimits {
            age: None,
            bytes: None,
        };
        expect_eq("expired", expired(&log, forever, NOW, NOBODY), 0);
    });
}

#[test]
fn first_too_many_then_too_old() {
    case!(
        "The limits take turns: a segment that is one too many may stand before one that is too old.",
        || {
            let log = segments(&[
                (50, Some(99_000)),
                (10, Some(10_000)),
                (10, Some(99_000)),
                (10, Some(99_000)),
            ]);
            let both = RetentionLimits {
                age: Some(Duration::from_secs(50)),
                bytes: Some(25),
            };
            expect_eq("expired", expired(&log, both, NOW, NOBODY), 2);
        }
    );
}

#[test]
fn ages_are_exact_to_the_millisecond() {
    case!(
        "A limit of 90.2 s and an age of 90.5 s: nothing is rounded.",
        || {
            let log = segments(&[(5, Some(9_500)), (5, Some(99_000))]);
            let gone = |millis| expired(&log, older_than(millis), NOW, NOBODY);
            expect_eq("limit 90.2 s, age 90.5 s", gone(90_200), 1);
            expect_eq("limit 90.8 s, age 90.5 s", gone(90_800), 0);
        }
    );
}

#[test]
fn any_timestamp_has_an_age() {
    case!(
        "Timestamps come from producers: the ends of i64 must not overflow.",
        || {
            let log = segments(&[(5, Some(i64::MIN)), (5, Some(i64::MAX)), (5, Some(1))]);
            let gone = |now| expired(&log, older_than(1000), Timestamp(now), NOBODY);
            expect_eq("now 100,000", gone(100_000), 1);
            expect_eq("now i64::MAX", gone(i64::MAX), 1);
            expect_eq("now i64::MIN", gone(i64::MIN), 0);
        }
    );
}

#[test]
fn the_active_segment_stays() {
    case!(
        "The last segment is being written: it stays, however old and large.",
        || {
            let log = segments(&[(5, Some(1)), (500, Some(1))]);
            expect_eq("by age", expired(&log, older_than(1), NOW, NOBODY), 1);
            expect_eq("by size", expired(&log, larger_than(0), NOW, NOBODY), 1);
            expect_eq("alone", expired(&log[1..], older_than(1), NOW, NOBODY), 0);
            expect_eq("no segments", expired(&[], larger_than(0), NOW, NOBODY), 0);
        }
    );
}

#[test]
fn what_somebody_needs_stays() {
    case!(
        "A segment that holds an offset at or above `keep_from` stays.",
        || {
            let log = segments(&[(5, Some(1)), (5, Some(1)), (5, Some(1)), (5, Some(1))]);
            for (keep_from, count) in [
                (0, 0),
                (9, 0),
                (10, 1),
                (11, 1),
                (19, 1),
                (20, 2),
                (30, 3),
                (40, 3),
            ] {
                let keep_from = Offset(keep_from);
                let what =
                    |limit| format!("{limit}, keep_from {keep_from}, segments of 10 offsets");
                expect_eq(
                    &what("by age"),
                    expired(&log, older_than(1), NOW, keep_from),
                    count,
                );
                expect_eq(
                    &what("by size"),
                    expired(&log, larger_than(0), NOW, keep_from),
                    count,
                );
            }
        }
    );
}

#[test]
fn a_segment_ends_before_the_next_one_begins() {
    case!(
        "Offsets may have gaps: what counts is where a segment ends, not where the next one begins.",
        || {
            let mut log = segments(&[(5, Some(1)), (5, Some(1)), (5, Some(1))]);
            log[1].base_offset = Offset(15);
            let gone = |keep_from| expired(&log, older_than(1000), NOW, Offset(keep_from));
            expect_eq("0..10, 15..20, keep from 12", gone(12), 1);
            expect_eq("0..10, 15..20, keep from 10", gone(10), 1);
            expect_eq("0..10, 15..20, keep from 9", gone(9), 0);
        }
    );
}

#[test]
fn from_the_front_without_holes() {
    case!(
        "Timestamps may go back: an old segment behind a young one waits, for a log has no holes.",
        || {
            let log = segments(&[
                (5, Some(10_000)),
                (5, Some(99_000)),
                (5, Some(10_000)),
                (5, Some(99_000)),
            ]);
            expect_eq("expired", expired(&log, older_than(50_000), NOW, NOBODY), 1);
            expect_eq(
                "from the second on",
                expired(&log[1..], older_than(50_000), NOW, NOBODY),
                0,
            );
        }
    );
}

#[test]
fn a_segment_of_unknown_age_is_not_old() {
    case!(
        "Where no record has a timestamp the age limit says nothing: the segment stays, and what is behind it.",
        || {
            let log = segments(&[(5, None), (5, Some(1)), (5, Some(99_000))]);
            let gone = |limits| expired(&log, limits, NOW, NOBODY);
            expect_eq("by age", gone(older_than(50_000)), 0);
            expect_eq("by size", gone(larger_than(5)), 2);
        }
    );
}

#[test]
fn timestamps_ahead_of_the_clock_are_young() {
    case!(
        "A producer's clock may be ahead of ours: such a segment is not old.",
        || {
            let log = segments(&[(5, Some(900_000)), (5, Some(1))]);
            expect_eq("expired", expired(&log, older_than(0), NOW, NOBODY), 0);
        }
    );
}
