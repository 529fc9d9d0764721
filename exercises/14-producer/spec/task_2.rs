//! Lost, late and repeated records.

use std::collections::BTreeSet;
use std::ops::Range;

use spec_harness::{case, expect, expect_eq, fail};

use super::part::{Detector, Seen};

fn missing(detector: &Detector) -> Vec<Range<u64>> {
    detector.missing().collect()
}

fn ranges(bounds: &[(u64, u64)]) -> Vec<Range<u64>> {
    bounds.iter().map(|(start, end)| *start..*end).collect()
}

fn given_up(detector: &Detector) -> Vec<Range<u64>> {
    detector.given_up().collect()
}

#[test]
fn nothing_is_lost() {
    case!(
        "Records in order: none is missing, late or repeated.",
        || {
            let mut detector = Detector::new(4);
            for number in 0..5 {
                expect_eq(
                    &format!("seen({number})"),
                    detector.seen(number),
                    Seen::Next,
                );
            }
            expect_eq("missing()", missing(&detector), vec![]);
            expect_eq("duplicates()", detector.duplicates(), 0);
            expect_eq("late()", detector.late(), 0);
        }
    );
}

#[test]
fn a_gap_names_the_numbers() {
    case!(
        "A number that comes too early names those that are missing.",
        || {
            let mut detector = Detector::new(4);
            detector.seen(0);
            expect_eq("seen(4) after 0", detector.seen(4), Seen::Ahead(1..4));
            expect_eq("seen(5)", detector.seen(5), Seen::Next);
            expect_eq("missing()", missing(&detector), ranges(&[(1, 4)]));
        }
    );
}

#[test]
fn the_first_ones_may_be_lost() {
    case!(
        "The first number is 0: without it something is missing.",
        || {
            let mut detector = Detector::new(4);
            expect_eq(
                "seen(2), the first one",
                detector.seen(2),
                Seen::Ahead(0..2),
            );
            expect_eq("missing()", missing(&detector), ranges(&[(0, 2)]));
        }
    );
}

#[test]
fn the_last_ones_may_be_lost() {
    case!(
        "What nothing came after is missing if the producer says that it was sent.",
        || {
            let mut detector = Detector::new(4);
            detector.seen(0);
            detector.seen(1);
            detector.sent(2);
            expect_eq("missing(), 2 were sent", missing(&detector), vec![]);
            detector.sent(5);
            expect_eq(
                "missing(), 5 were sent",
                missing(&detector),
                ranges(&[(2, 5)]),
            );
            expect_eq("seen(3)", detector.seen(3), Seen::Late);
            expect_eq("seen(7)", detector.seen(7), Seen::Ahead(5..7));
            expect_eq("missing()", missing(&detector), ranges(&[(2, 3), (4, 7)]));
        }
    );
}

#[test]
fn a_repetition_is_a_duplicate() {
    case!(
        "A number that was seen is a duplicate, once for each repetition.",
        || {
            let mut detector = Detector::new(4);
            for number in [0, 1, 3] {
                detector.seen(number);
            }
            for number in [0, 3, 3] {
                let got = detector.seen(number);
                expect_eq(&format!("seen({number}) again"), got, Seen::Duplicate);
            }
            expect_eq("duplicates()", detector.duplicates(), 3);
            expect_eq("missing()", missing(&detector), ranges(&[(2, 3)]));
        }
    );
}

#[test]
fn what_was_late_is_not_missing() {
    case!(
        "A missing number that comes late is late once, then a duplicate.",
        || {
            let mut detector = Detector::new(4);
            detector.seen(5);
            for number in [2, 0, 4, 1, 3] {
                expect_eq(
                    &format!("seen({number})"),
                    detector.seen(number),
                    Seen::Late,
                );
            }
            expect_eq("missing()", missing(&detector), vec![]);
            expect_eq("seen(2) again", detector.seen(2), Seen::Duplicate);
            expect_eq("late()", detector.late(), 5);
            expect_eq("duplicates()", detector.duplicates(), 1);
        }
    );
}

#[test]
fn a_range_is_cut_in_two() {
    case!(
        "A number from the middle of a range leaves those before and behind it.",
        || {
            let mut detector = Detector::new(4);
            detector.seen(9);
            detector.seen(4);
            expect_eq("missing()", missing(&detector), ranges(&[(0, 4), (5, 9)]));
            detector.seen(8);
            detector.seen(0);
            expect_eq("missing()", missing(&detector), ranges(&[(1, 4), (5, 8)]));
        }
    );
}

#[test]
fn it_remembers_a_bounded_number_of_ranges() {
    case!(
        "With one range too many the lowest is given up, and stays named.",
        || {
            let mut detector = Detector::new(2);
            for number in [1, 3, 5] {
                detector.seen(number);
            }
            expect_eq("missing()", missing(&detector), ranges(&[(2, 3), (4, 5)]));
            expect_eq("given_up()", given_up(&detector), ranges(&[(0, 1)]));
            expect_eq("seen(0)", detector.seen(0), Seen::Unknown);
            expect_eq("given_up()", given_up(&detector), ranges(&[(0, 1)]));
            expect_eq("late()", detector.late(), 0);
            expect_eq("duplicates()", detector.duplicates(), 0);
        }
    );
}

#[test]
fn a_cut_may_be_one_range_too_many() {
    case!("A range that is cut in two counts as two.", || {
        let mut detector = Detector::new(2);
        detector.seen(1);
        detector.seen(9);
        detector.seen(5);
        expect_eq("missing()", missing(&detector), ranges(&[(2, 5), (6, 9)]));
        expect_eq("given_up()", given_up(&detector), ranges(&[(0, 1)]));
    });
}

#[test]
fn what_is_given_up_is_bounded_too() {
    case!(
        "Ranges that were given up become one, and no loss is forgotten.",
        || {
            let mut detector = Detector::new(2);
            for number in [1, 3, 5, 7, 9] {
                detector.seen(number);
            }
            expect_eq("missing()", missing(&detector), ranges(&[(6, 7), (8, 9)]));
            expect_eq("given_up()", given_up(&detector), ranges(&[(0, 3), (4, 5)]));
            expect_eq("seen(1)", detector.seen(1), Seen::Unknown);
            expect_eq("seen(3)", detector.seen(3), Seen::Duplicate);
        }
    );
}

#[test]
fn the_largest_number() {
    case!("A number from a broken record ends nothing.", || {
        let mut detector = Detector::new(2);
        let expected = Seen::Ahead(0..u64::MAX);
        expect_eq("seen(the largest u64)", detector.seen(u64::MAX), expected);
        expect_eq("seen(7)", detector.seen(7), Seen::Late);
    });
}

#[test]
fn every_short_history() {
    case!(
        "Every history of five records out of six, beside a model.",
        || {
            let mut numbers = [0_u64; 5];
            for history in 0..6_u32.pow(5) {
                let mut rest = history;
                for number in &mut numbers {
                    *number = u64::from(rest % 6);
                    rest /= 6;
                }
                for ranges_max in 1..4 {
                    compare(&numbers, ranges_max);
                }
            }
        }
    );
}

/// Plays a history beside a model that remembers everything.
fn compare(numbers: &[u64], ranges_max: usize) {
    let mut detector = Detector::new(ranges_max);
    let mut seen = BTreeSet::new();
    let within = |ranges: &[Range<u64>], number| ranges.iter().any(|one| one.contains(&number));
    for (step, number) in numbers.iter().enumerate() {
        let history = format!("{:?} with {ranges_max} ranges", &numbers[..=step]);
        let due = seen.last().map_or(0, |last| last + 1);
        let was_given_up = within(&given_up(&detector), *number);
        let expected = match number {
            number if *number == due => Seen::Next,
            number if *number > due => Seen::Ahead(due..*number),
            _ if was_given_up => Seen::Unknown,
            number if seen.contains(number) => Seen::Duplicate,
            _ => Seen::Late,
        };
        let got = detector.seen(*number);
        if got != expected {
            fail(&history, &format!("{expected:?}"), &format!("{got:?}"));
        }
        seen.insert(*number);
        let end = seen.last().map_or(0, |last| last + 1);
        let (missing, given_up) = (missing(&detector), given_up(&detector));
        for number in 0..end {
            let is_missing = within(&missing, number);
            let is_named = is_missing || within(&given_up, number);
            if is_missing == seen.contains(&number) && (is_missing || !is_named) {
                let got = format!("missing {missing:?}, given up {given_up:?}");
                fail(&history, &format!("{number} is seen, or named"), &got);
            }
        }
        let longest = missing.len().max(given_up.len());
        expect(
            &format!("{history}: {longest} ranges"),
            longest <= ranges_max,
        );
    }
}
