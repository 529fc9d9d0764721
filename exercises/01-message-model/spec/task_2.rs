//! What a token bucket grants, and when.

use std::num::NonZeroU32;
use std::time::Duration;

use spec_harness::{case, expect_eq, fail};

use super::part::{Moment, TokenBucket};

const SECOND: u64 = 1_000_000_000;
const MILLISECOND: u64 = 1_000_000;

fn at(nanos: u64) -> Moment {
    Moment::after_start(Duration::from_nanos(nanos))
}

/// A full bucket at time 0.
fn bucket(rate: u32, capacity: u32) -> TokenBucket {
    let rate = NonZeroU32::new(rate).expect("a rate above 0");
    TokenBucket::new(Moment::START, rate, capacity)
}

/// A bucket from which everything was taken at time 0.
fn empty(rate: u32, capacity: u32) -> TokenBucket {
    let mut bucket = bucket(rate, capacity);
    expect_eq(
        &format!("a full bucket for {capacity}: try_take(0 s, {capacity})"),
        bucket.try_take(Moment::START, capacity),
        true,
    );
    bucket
}

/// How many single tokens are granted at one moment, one call each.
fn drain(bucket: &mut TokenBucket, nanos: u64, calls: u32) -> u32 {
    let granted = (0..calls).filter(|_| bucket.try_take(at(nanos), 1));
    u32::try_from(granted.count()).expect("at most `calls`")
}

#[test]
fn a_burst_gets_the_capacity_and_no_more() {
    case!(
        "A bucket for 5 tokens lets 5 calls pass at once; the sixth at the same moment is refused.",
        || {
            let mut bucket = bucket(10, 5);
            let answers: Vec<_> = (0..6).map(|_| bucket.try_take(at(0), 1)).collect();
            expect_eq(
                "six times try_take(0 s, 1)",
                answers,
                vec![true, true, true, true, true, false],
            );
        }
    );
}

#[test]
fn time_brings_tokens() {
    case!(
        "At 10 tokens a second, an empty bucket has one token after 100 ms, and not a nanosecond earlier.",
        || {
            let mut bucket = empty(10, 5);
            expect_eq(
                "try_take(100 ms - 1 ns, 1)",
                bucket.try_take(at(100 * MILLISECOND - 1), 1),
                false,
            );
            expect_eq(
                "try_take(100 ms, 1)",
                bucket.try_take(at(100 * MILLISECOND), 1),
                true,
            );
            expect_eq(
                "the next one at the same moment",
                bucket.try_take(at(100 * MILLISECOND), 1),
                false,
            );
        }
    );
}

#[test]
fn a_long_rest_saves_up_the_capacity_at_most() {
    case!(
        "An hour without a call fills the bucket, and not more than that: what does not fit is lost.",
        || {
            let mut bucket = empty(10, 5);
            expect_eq(
                "how many of 100 calls after an hour are granted",
                drain(&mut bucket, 3600 * SECOND, 100),
                5,
            );
        }
    );
}

#[test]
fn several_tokens_are_granted_together_or_not_at_all() {
    case!(
        "A call for 4 tokens where 3 are gets none, and the 3 are still there for others.",
        || {
            let mut bucket = bucket(10, 3);
            expect_eq("try_take(0 s, 4)", bucket.try_take(at(0), 4), false);
            expect_eq("try_take(0 s, 3)", bucket.try_take(at(0), 3), true);
        }
    );
}

#[test]
fn a_refused_call_costs_nothing() {
    case!(
        "Calls that are refused take nothing, neither tokens nor time: an impatient caller gets as much as a patient one.",
        || {
            let mut bucket = empty(10, 5);
            for step in 1..100 {
                expect_eq(
                    &format!("try_take({step} ms, 1): the bucket has less than a token"),
                    bucket.try_take(at(step * MILLISECOND), 1),
                    false,
                );
            }
            expect_eq(
                "try_take(100 ms, 1), after 99 refused calls",
                bucket.try_take(at(100 * MILLISECOND), 1),
                true,
            );
        }
    );
}

#[test]
fn a_call_does_not_bring_tokens() {
    case!(
        "The same time counts once: calls at one moment, or refused ones, do not fill the bucket.",
        || {
            let mut bucket = empty(10, 5);
            let granted: u32 = (1..=10)
                .map(|step| drain(&mut bucket, step * 100 * MILLISECOND, 7))
                .sum();
            expect_eq(
                "grants in the first second, at 7 calls each 100 ms",
                granted,
                10,
            );
        }
    );
}

#[test]
fn a_clock_read_too_early_brings_nothing() {
    case!(
        "A `now` before the last one (two threads, in the other order) is no time passed, and no time to be passed again.",
        || {
            let mut bucket = empty(10, 5);
            expect_eq(
                "grants at 1 s, which fills the bucket",
                drain(&mut bucket, SECOND, 9),
                5,
            );
            expect_eq(
                "try_take(0.5 s, 1)",
                bucket.try_take(at(SECOND / 2), 1),
                false,
            );
            expect_eq(
                "try_take(1 s, 1): the half second up to here was counted before",
                bucket.try_take(at(SECOND), 1),
                false,
            );
            let mut bucket = self::bucket(10, 5);
            expect_eq(
                "a full bucket: try_take(1 s, 2)",
                bucket.try_take(at(SECOND), 2),
                true,
            );
            expect_eq(
                "try_take(0.5 s, 3): the 3 are there, whatever the time is",
                bucket.try_take(at(SECOND / 2), 3),
                true,
            );
        }
    );
}

#[test]
fn no_nanosecond_is_rounded_away() {
    case!(
        "Nothing is rounded: 3 tokens a second, asked every 7 ms for an hour, are 3 × 3600 tokens and the capacity.",
        || {
            let mut bucket = bucket(3, 2);
            let granted: u64 = (0..=3600 * SECOND / (7 * MILLISECOND))
                .map(|step| u64::from(bucket.try_take(at(step * 7 * MILLISECOND), 1)))
                .sum();
            expect_eq("grants in 3600 s", granted, 3 * 3600 + 1);
        }
    );
}

#[test]
fn whole_numbers_come_out_whole() {
    case!(
        "What is due is there, to the nanosecond, for every number of tokens; a float cannot say that.",
        || {
            for rate in [10, 100, 1000] {
                for tokens in 1..=rate {
                    let nanos = u64::from(tokens) * SECOND / u64::from(rate);
                    let mut bucket = empty(rate, rate);
                    expect_eq(
                        &format!("rate {rate}, empty at 0 s: try_take({nanos} ns, {tokens})"),
                        bucket.try_take(at(nanos), tokens),
                        true,
                    );
                    expect_eq(
                        "one more at the same moment",
                        bucket.try_take(at(nanos), 1),
                        false,
                    );
                }
            }
        }
    );
}

#[test]
fn no_tokens_are_always_granted() {
    case!(
        "0 tokens are granted by a full bucket, by an empty one, and by one that never holds any; and they cost nothing.",
        || {
            let mut full = bucket(10, 5);
            expect_eq("full: try_take(0 s, 0)", full.try_take(at(0), 0), true);
            expect_eq("full: try_take(0 s, 5)", full.try_take(at(0), 5), true);
            expect_eq("empty: try_take(0 s, 0)", full.try_take(at(0), 0), true);
            let mut none = bucket(10, 0);
            expect_eq(
                "capacity 0: try_take(1 h, 0)",
                none.try_take(at(3600 * SECOND), 0),
                true,
            );
            expect_eq(
                "capacity 0: try_take(1 h, 1)",
                none.try_take(at(3600 * SECOND), 1),
                false,
            );
        }
    );
}

#[test]
fn weeks_at_the_highest_rate() {
    case!(
        "At the highest rate the largest bucket is full after a second, after five, and after a year of weeks without a call.",
        || {
            let week = 7 * 24 * 3600;
            for seconds in (1..100).chain([3600, week, 4 * week, 52 * week]) {
                let mut bucket = empty(u32::MAX, u32::MAX);
                expect_eq(
                    &format!("empty at 0 s: try_take({seconds} s, u32::MAX)"),
                    bucket.try_take(at(seconds * SECOND), u32::MAX),
                    true,
                );
                expect_eq(
                    "one more at the same moment",
                    bucket.try_take(at(seconds * SECOND), 1),
                    false,
                );
            }
        }
    );
}

#[test]
fn a_token_a_second_for_a_year() {
    case!(
        "The lowest rate, asked once a week for a year, and then after a year: each time the tokens of that time are there, and no more.",
        || {
            let week = 7 * 24 * 3600;
            let mut bucket = empty(1, u32::MAX);
            for number in 1..=52_u32 {
                let now = at(u64::from(number) * u64::from(week) * SECOND);
                expect_eq(
                    &format!("week {number}: try_take of {week} tokens"),
                    bucket.try_take(now, week),
                    true,
                );
                expect_eq(
                    "one more at the same moment",
                    bucket.try_take(now, 1),
                    false,
                );
            }
            let next_year = at(2 * 52 * u64::from(week) * SECOND);
            expect_eq(
                "a year later: try_take of the tokens of a year",
                bucket.try_take(next_year, 52 * week),
                true,
            );
            expect_eq(
                "one more at the same moment",
                bucket.try_take(next_year, 1),
                false,
            );
        }
    );
}

#[test]
fn nothing_overflows() {
    case!(
        "The highest rate, the largest bucket, and 500 billion years between two calls: no overflow.",
        || {
            let mut bucket = empty(u32::MAX, u32::MAX);
            let end = Moment::START.plus(Duration::MAX);
            expect_eq(
                "try_take(the last moment, u32::MAX)",
                bucket.try_take(end, u32::MAX),
                true,
            );
            expect_eq("one more", bucket.try_take(end, 1), false);
            let mut bucket = empty(1, 5);
            let nanos_end = Duration::from_nanos(u64::MAX) + Duration::from_nanos(1);
            expect_eq(
                "1 a second: try_take(2^64 ns, which are 585 years, 5)",
                bucket.try_take(Moment::after_start(nanos_end), 5),
                true,
            );
        }
    );
}

#[test]
fn ready_at_tells_the_first_moment() {
    case!(
        "`ready_at` (given) returns the first moment at which the tokens are granted: not one nanosecond earlier.",
        || {
            for rate in [1, 3, 7, 1000, 999_999_937] {
                let mut bucket = bucket(rate, 4);
                bucket.try_take(at(5), 3);
                let ready = bucket.ready_at(3).expect("3 fit into a bucket for 4");
                let earlier =
                    Moment::after_start(ready.since(Moment::START) - Duration::from_nanos(1));
                expect_eq(
                    &format!("rate {rate}: a nanosecond before ready_at(3)"),
                    bucket.clone().try_take(earlier, 3),
                    false,
                );
                expect_eq(
                    &format!("rate {rate}: at ready_at(3)"),
                    bucket.try_take(ready, 3),
                    true,
                );
                expect_eq(
                    "ready_at(4) of a bucket for 4: whether it is some time",
                    bucket.ready_at(4).is_some(),
                    true,
                );
                expect_eq("ready_at(5) of a bucket for 4", bucket.ready_at(5), None);
            }
        }
    );
}

#[test]
fn in_any_span_of_time() {
    case!(
        "In any span of time, at most rate × span + capacity tokens are granted, whatever the calls are.",
        || {
            for seed in 1..=40 {
                any_span(seed);
            }
        }
    );
}

fn any_span(seed: u64) {
    let mut random = fastrand::Rng::with_seed(seed);
    let rate = 1 + random.u32(..50);
    let capacity = 1 + random.u32(..8);
    let mut bucket = bucket(rate, capacity);
    let mut now = 0;
    let mut grants: Vec<(u64, u64)> = Vec::new();
    for _ in 0..150 {
        now += random.u64(..60) * random.u64(..3) * MILLISECOND + random.u64(..1000);
        let tokens = random.u32(..4);
        if bucket.try_take(at(now), tokens) {
            grants.push((now, u64::from(tokens)));
        }
    }
    for first in 0..grants.len() {
        let mut sum = 0;
        for (time, tokens) in &grants[first..] {
            sum += tokens;
            let span = time - grants[first].0;
            let most = u64::from(rate) * span + u64::from(capacity) * SECOND;
            if sum * SECOND > most {
                let what = format!(
                    "seed {seed}, a bucket for {capacity} with {rate} a second: granted in a span of {span} ns"
                );
                fail(
                    &what,
                    &format!("at most {}", most / SECOND),
                    &sum.to_string(),
                );
            }
        }
    }
}
