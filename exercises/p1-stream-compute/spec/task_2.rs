//! Watermarks.

use std::time::Duration;

use message_model::{Moment, Timestamp};
use spec_harness::{case, expect_eq};

use super::part;
use super::part::{Lane, LowestWatermark, PartitionWatermarks, Progress};

/// After so many seconds a silent partition is idle.
const IDLE_AFTER: u64 = 10;

/// The moment so many seconds after the start.
fn at(seconds: u64) -> Moment {
    Moment::after_start(Duration::from_secs(seconds))
}

/// No partition is open. The bound is in milliseconds.
fn watermarks(bound: u64) -> PartitionWatermarks {
    let idle_after = Some(Duration::from_secs(IDLE_AFTER));
    PartitionWatermarks::new(Duration::from_millis(bound), idle_after)
}

/// The partitions 0, 1 and so on, open since the start.
fn opened(bound: u64, partitions: u32) -> PartitionWatermarks {
    let mut watermarks = watermarks(bound);
    for partition in 0..partitions {
        watermarks.open(at(0), partition, None);
    }
    watermarks
}

/// As text: `watermark 95`, `watermark 95, idle`, `no watermark, idle`.
fn text(progress: Progress) -> String {
    let watermark = match progress.watermark {
        None => "no watermark".to_owned(),
        Some(Timestamp(i64::MAX)) => "the end of time".to_owned(),
        Some(time) => format!("watermark {}", time.0),
    };
    let idle = if progress.idle { ", idle" } else { "" };
    format!("{watermark}{idle}")
}

fn expect_progress(what: &str, got: Progress, expected: &str) {
    if text(got) != expected {
        spec_harness::fail(what, expected, &text(got));
    }
}

/// Looks at a second.
fn look(what: &str, watermarks: &mut PartitionWatermarks, second: u64, expected: &str) {
    let got = watermarks.progress(at(second));
    expect_progress(&format!("at {second} s, {what}"), got, expected);
}

#[test]
fn one_partition() {
    case!(
        "With a bound of 5, a record of time 100 says that all below 95 have come.",
        || {
            let mut watermarks = opened(5, 1);
            watermarks.observe(at(1), 0, Timestamp(100));
            look(
                "a record of 100, bound 5",
                &mut watermarks,
                1,
                "watermark 95",
            );
            watermarks.observe(at(2), 0, Timestamp(108));
            look(
                "a record of 108 behind it",
                &mut watermarks,
                2,
                "watermark 103",
            );
        }
    );
}

#[test]
fn before_the_first_record() {
    case!(
        "Before the first record there is no watermark: nothing is known of event time.",
        || {
            let mut watermarks = opened(5, 1);
            look("no record yet", &mut watermarks, 1, "no watermark");
        }
    );
}

#[test]
fn an_older_record() {
    case!(
        "A record that is older than the latest one does not move the watermark back.",
        || {
            let mut watermarks = opened(5, 1);
            watermarks.observe(at(0), 0, Timestamp(100));
            watermarks.observe(at(0), 0, Timestamp(97));
            look("records of 100, 97", &mut watermarks, 0, "watermark 95");
            watermarks.observe(at(0), 0, Timestamp(40));
            look("one of 40 behind them", &mut watermarks, 0, "watermark 95");
            watermarks.observe(at(0), 0, Timestamp(101));
            look("one of 101 behind them", &mut watermarks, 0, "watermark 96");
            let expected = vec![(0, Timestamp(101))];
            expect_eq("latest()", watermarks.latest(), expected);
        }
    );
}

#[test]
fn the_slowest_partition_counts() {
    case!(
        "The watermark is that of the partition that has come least far.",
        || {
            let mut watermarks = opened(0, 3);
            for (partition, time) in [(0, 100), (1, 50), (2, 70)] {
                watermarks.observe(at(1), partition, Timestamp(time));
            }
            look("latest 100, 50, 70", &mut watermarks, 1, "watermark 50");
            watermarks.observe(at(1), 1, Timestamp(90));
            look("latest 100, 90, 70", &mut watermarks, 1, "watermark 70");
        }
    );
}

#[test]
fn a_partition_without_a_record() {
    case!(
        "A partition that has no record yet holds the watermark: its first one may be old.",
        || {
            let mut watermarks = opened(5, 2);
            watermarks.observe(at(1), 0, Timestamp(100));
            look("partition 1 has none", &mut watermarks, 1, "no watermark");
            watermarks.observe(at(2), 1, Timestamp(60));
            look("partition 1 has 60", &mut watermarks, 2, "watermark 55");
        }
    );
}

#[test]
fn a_partition_that_joins() {
    case!(
        "A partition that is opened later, and has older records, does not move it back.",
        || {
            let mut watermarks = opened(0, 1);
            watermarks.observe(at(1), 0, Timestamp(100));
            look("a record of 100", &mut watermarks, 1, "watermark 100");
            watermarks.open(at(1), 1, None);
            look("a new partition", &mut watermarks, 1, "watermark 100");
            watermarks.observe(at(2), 1, Timestamp(20));
            watermarks.observe(at(2), 0, Timestamp(200));
            look(
                "it has 20, the other 200",
                &mut watermarks,
                2,
                "watermark 100",
            );
            watermarks.observe(at(2), 1, Timestamp(150));
            look("it has 150", &mut watermarks, 2, "watermark 150");
        }
    );
}

#[test]
fn a_silent_partition() {
    case!(
        "A partition that has been silent for 10 s is idle, and nothing waits for it.",
        || {
            let mut watermarks = opened(5, 2);
            watermarks.observe(at(0), 1, Timestamp(20));
            watermarks.observe(at(9), 0, Timestamp(100));
            look(
                "the last of partition 1 came at 0 s",
                &mut watermarks,
                9,
                "watermark 15",
            );
            look(
                "the last of partition 1 came at 0 s",
                &mut watermarks,
                10,
                "watermark 95",
            );
        }
    );
}

#[test]
fn a_partition_that_was_never_heard() {
    case!(
        "A partition from which nothing has ever come is idle 10 s after it was opened.",
        || {
            let mut watermarks = watermarks(0);
            watermarks.open(at(3), 0, None);
            watermarks.open(at(8), 1, None);
            watermarks.observe(at(12), 1, Timestamp(70));
            look(
                "partition 0 is open since 3 s",
                &mut watermarks,
                12,
                "no watermark",
            );
            look(
                "partition 0 is open since 3 s",
                &mut watermarks,
                13,
                "watermark 70",
            );
        }
    );
}

#[test]
fn an_old_record_is_heard_too() {
    case!(
        "A partition that sends is not idle, however old its records are.",
        || {
            let mut watermarks = opened(0, 2);
            watermarks.observe(at(0), 0, Timestamp(50));
            watermarks.observe(at(9), 0, Timestamp(30));
            watermarks.observe(at(12), 1, Timestamp(100));
            look(
                "partition 0 sent 30 at 9 s",
                &mut watermarks,
                12,
                "watermark 50",
            );
            look(
                "partition 0 sent 30 at 9 s",
                &mut watermarks,
                18,
                "watermark 50",
            );
            look(
                "partition 0 sent 30 at 9 s",
                &mut watermarks,
                19,
                "watermark 100",
            );
        }
    );
}

#[test]
fn it_speaks_again() {
    case!(
        "An idle partition that speaks again is waited for; the watermark does not go back.",
        || {
            let mut watermarks = opened(5, 2);
            watermarks.observe(at(0), 1, Timestamp(20));
            watermarks.observe(at(10), 0, Timestamp(100));
            look("partition 1 is idle", &mut watermarks, 10, "watermark 95");
            watermarks.observe(at(11), 1, Timestamp(30));
            watermarks.observe(at(11), 0, Timestamp(200));
            look(
                "partition 1 has 30, 0 has 200",
                &mut watermarks,
                11,
                "watermark 95",
            );
            watermarks.observe(at(12), 1, Timestamp(110));
            look("partition 1 has 110", &mut watermarks, 12, "watermark 105");
        }
    );
}

#[test]
fn all_are_silent() {
    case!(
        "If all partitions are silent, the watermark stays where it is, and the progress is idle.",
        || {
            let mut watermarks = opened(0, 2);
            watermarks.observe(at(0), 0, Timestamp(7));
            watermarks.observe(at(0), 1, Timestamp(9));
            look("both have sent at 0 s", &mut watermarks, 9, "watermark 7");
            look(
                "both have sent at 0 s",
                &mut watermarks,
                10,
                "watermark 7, idle",
            );
            watermarks.observe(at(30), 1, Timestamp(20));
            look(
                "partition 1 has sent 20",
                &mut watermarks,
                30,
                "watermark 20",
            );
        }
    );
}

#[test]
fn nothing_is_ever_idle() {
    case!(
        "Without a time for it no partition is ever idle: a job may wait for its slowest one.",
        || {
            let mut watermarks = PartitionWatermarks::new(Duration::ZERO, None);
            watermarks.open(at(0), 0, None);
            watermarks.open(at(0), 1, None);
            watermarks.observe(at(1), 0, Timestamp(100));
            look(
                "partition 1 is silent",
                &mut watermarks,
                1_000_000,
                "no watermark",
            );
            watermarks.observe(at(1), 1, Timestamp(20));
            look(
                "both are silent",
                &mut watermarks,
                1_000_000,
                "watermark 20",
            );
        }
    );
}

#[test]
fn one_has_ended() {
    case!(
        "A partition that has ended holds nothing back: no record of it can be late.",
        || {
            let mut watermarks = opened(0, 2);
            watermarks.observe(at(0), 0, Timestamp(30));
            watermarks.observe(at(0), 1, Timestamp(80));
            watermarks.end(0);
            look("0 has ended at 30", &mut watermarks, 0, "watermark 80");
            watermarks.end(1);
            look("both have ended", &mut watermarks, 0, "the end of time");
            look("both have ended", &mut watermarks, 100, "the end of time");
        }
    );
}

#[test]
fn an_ended_one_beside_an_idle_one() {
    case!(
        "An idle partition may go on, so beside ended ones it holds the watermark.",
        || {
            let mut watermarks = opened(0, 2);
            watermarks.observe(at(0), 0, Timestamp(30));
            watermarks.observe(at(0), 1, Timestamp(20));
            look("latest 30, 20", &mut watermarks, 0, "watermark 20");
            watermarks.end(0);
            look(
                "0 has ended, 1 is idle",
                &mut watermarks,
                10,
                "watermark 20, idle",
            );
            watermarks.observe(at(11), 1, Timestamp(25));
            look("1 has sent 25", &mut watermarks, 11, "watermark 25");
            watermarks.end(1);
            look("both have ended", &mut watermarks, 11, "the end of time");
        }
    );
}

#[test]
fn the_end_needs_no_record() {
    case!(
        "An empty partition that has ended holds nothing back either.",
        || {
            let mut watermarks = opened(0, 2);
            watermarks.end(0);
            look(
                "0 has ended, 1 has none",
                &mut watermarks,
                0,
                "no watermark",
            );
            watermarks.observe(at(1), 1, Timestamp(5));
            look("0 has ended, 1 has 5", &mut watermarks, 1, "watermark 5");
        }
    );
}

#[test]
fn no_partition() {
    case!(
        "A subtask without partitions is idle, or the others would wait for it.",
        || {
            look("none is open", &mut watermarks(5), 0, "no watermark, idle");
        }
    );
}

#[test]
fn a_partition_that_is_not_open() {
    case!(
        "A record of a partition that is not open changes nothing.",
        || {
            let mut watermarks = opened(0, 1);
            watermarks.observe(at(0), 7, Timestamp(5));
            watermarks.observe(at(0), 0, Timestamp(100));
            look(
                "partition 7 is not open",
                &mut watermarks,
                0,
                "watermark 100",
            );
            expect_eq("latest()", watermarks.latest(), vec![(0, Timestamp(100))]);
        }
    );
}

#[test]
fn a_record_behind_the_end() {
    case!(
        "A partition that has ended is open still: a record moves its latest time, and nothing else.",
        || {
            let mut watermarks = opened(0, 2);
            watermarks.observe(at(0), 0, Timestamp(30));
            watermarks.observe(at(0), 1, Timestamp(80));
            watermarks.end(0);
            watermarks.observe(at(1), 0, Timestamp(40));
            look("0 has ended, then 40", &mut watermarks, 1, "watermark 80");
            let expected = vec![(0, Timestamp(40)), (1, Timestamp(80))];
            expect_eq("latest()", watermarks.latest(), expected);
        }
    );
}

#[test]
fn silent_to_the_nanosecond() {
    case!(
        "How long a partition is silent is compared exactly, be it a microsecond or fifty days.",
        || {
            let second = Duration::from_secs(1);
            let fifty_days = Duration::from_millis(1 << 32);
            let nanosecond = Duration::from_nanos(1);
            for after in [
                second * 3 / 2,
                second / 2,
                second / 3_000,
                nanosecond,
                fifty_days,
                fifty_days + second,
                Duration::from_millis(1 << 63),
            ] {
                for (silent, idle) in [
                    (Duration::ZERO, false),
                    (after * 2 / 3, false),
                    (after - nanosecond, false),
                    (after, true),
                    (after + fifty_days, true),
                ] {
                    let mut watermarks = PartitionWatermarks::new(Duration::ZERO, Some(after));
                    watermarks.open(at(5), 0, None);
                    let got = watermarks.progress(at(5).plus(silent));
                    let what = format!("idle after {after:?}, and silent for {silent:?}");
                    let expected = if idle {
                        "no watermark, idle"
                    } else {
                        "no watermark"
                    };
                    expect_progress(&what, got, expected);
                }
            }
        }
    );
}

#[test]
fn a_resumed_partition() {
    case!(
        "A resumed partition is as far as it was: a late record stays late over a restart.",
        || {
            let mut watermarks = watermarks(5);
            watermarks.open(at(0), 3, Some(Timestamp(70)));
            look("resumed at 70", &mut watermarks, 0, "watermark 65");
            watermarks.observe(at(0), 3, Timestamp(60));
            look(
                "a record of 60 has come",
                &mut watermarks,
                0,
                "watermark 65",
            );
        }
    );
}

#[test]
fn a_bound_without_end() {
    case!(
        "Times before 1970 and the longest bound there is: nothing overflows.",
        || {
            let mut watermarks = PartitionWatermarks::new(Duration::MAX, None);
            watermarks.open(at(0), 0, None);
            watermarks.observe(at(0), 0, Timestamp(-500));
            let expected = format!("watermark {}", i64::MIN);
            look("a record of -500", &mut watermarks, 0, &expected);
            let mut watermarks = opened(5, 1);
            watermarks.observe(at(0), 0, Timestamp(-500));
            look(
                "a record of -500, bound 5",
                &mut watermarks,
                0,
                "watermark -505",
            );
        }
    );
}

// Behind the simple cases, because a learner sees the first one that fails.
mod lanes;

mod histories;
