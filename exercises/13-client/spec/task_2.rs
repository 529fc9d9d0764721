//! Pauses under a deadline.

use std::time::Duration;

use message_model::Moment;
use spec_harness::{case, expect, expect_eq};

use super::at;
use super::part::{Attempts, Backoff};

const BACKOFF: Backoff = Backoff {
    first: Duration::from_millis(100),
    max: Duration::from_millis(1_000),
};

/// The whole pause.
const WHOLE: f64 = 1.0;

#[test]
fn the_first_pause() {
    case!(
        "After the first failure the pause is the first one.",
        || {
            let mut attempts = Attempts::new(BACKOFF, at(60_000));
            expect_eq(
                "failed at 0 ms",
                attempts.failed(at(0), WHOLE),
                Some(at(100)),
            );
        }
    );
}

#[test]
fn pauses_double_up_to_the_longest() {
    case!(
        "Each pause is twice as long as the one before, counted from the failure, until the longest one.",
        || {
            let mut attempts = Attempts::new(BACKOFF, at(60_000));
            let mut now = at(5);
            for pause in [100, 200, 400, 800, 1_000, 1_000, 1_000] {
                let next = attempts.failed(now, WHOLE);
                let expected = now.plus(Duration::from_millis(pause));
                expect_eq(&format!("failed at {now:?}"), next, Some(expected));
                now = expected.plus(Duration::from_millis(7));
            }
        }
    );
}

#[test]
fn pauses_double_however_far_the_longest_is() {
    case!(
        "Pauses double until the longest one, also if that takes 30 failures.",
        || {
            let backoff = Backoff {
                first: Duration::from_micros(1),
                max: Duration::from_secs(600),
            };
            let mut attempts = Attempts::new(backoff, at(3_600_000));
            for _ in 0..30 {
                attempts.failed(at(0), WHOLE);
            }
            expect_eq(
                "the 31st failure, at 0 ms",
                attempts.failed(at(0), WHOLE),
                Some(at(600_000)),
            );
        }
    );
}

#[test]
fn jitter_spreads_the_second_half() {
    case!(
        "Jitter 0 begins after half of the pause, jitter 1 after all of it: no client comes back at once, and none later than the longest pause.",
        || {
            for (jitter, first, second) in [
                (0.0, 50, 100),
                (0.25, 62, 125),
                (0.5, 75, 150),
                (1.0, 100, 200),
            ] {
                let mut attempts = Attempts::new(BACKOFF, at(60_000));
                for (failure, millis) in [("first", first), ("second", second)] {
                    let next = attempts
                        .failed(at(0), jitter)
                        .expect("far from the deadline");
                    let pause = next.since(Moment::START).as_millis();
                    expect_eq(
                        &format!("pause with jitter {jitter} after the {failure} failure"),
                        pause,
                        millis,
                    );
                }
            }
            let mut attempts = Attempts::new(BACKOFF, at(60_000));
            for _ in 0..20 {
                attempts.failed(at(0), 0.0);
            }
            let longest = attempts.failed(at(0), 0.0);
            expect_eq("jitter 0 after 21 failures", longest, Some(at(500)));
        }
    );
}

#[test]
fn no_attempt_begins_at_the_deadline() {
    case!(
        "The deadline is that of the call. A pause that would last until then is not begun: the call ends at once.",
        || {
            for (deadline, expected) in [(101, Some(at(100))), (100, None), (99, None)] {
                let mut attempts = Attempts::new(BACKOFF, at(deadline));
                let next = attempts.failed(at(0), WHOLE);
                expect_eq(
                    &format!("deadline {deadline} ms, pause 100 ms"),
                    next,
                    expected,
                );
            }
            let mut attempts = Attempts::new(BACKOFF, at(50));
            expect_eq(
                "failed behind the deadline",
                attempts.failed(at(70), 0.0),
                None,
            );
        }
    );
}

#[test]
fn the_deadline_does_not_move() {
    case!(
        "However often a call is tried again, its last attempt begins before the deadline that it began with.",
        || {
            let mut attempts = Attempts::new(BACKOFF, at(10_000));
            let mut now = at(0);
            let mut begun = 0;
            while let Some(next) = attempts.failed(now, WHOLE) {
                expect("the next attempt is later than the failure", next > now);
                expect("the next attempt is before the deadline", next < at(10_000));
                now = next;
                begun += 1;
                if begun == 100 {
                    break;
                }
            }
            // 100, 300, 700 and 1500 ms, and then one each second.
            expect_eq("attempts that were begun again", begun, 12);
            expect_eq("the deadline", attempts.deadline(), at(10_000));
        }
    );
}

#[test]
fn days_of_failures() {
    case!(
        "A client that fails for days does not overflow: 100,000 failures, pauses of up to a year, no deadline.",
        || {
            let year = Duration::from_secs(365 * 24 * 60 * 60);
            for max in [BACKOFF.max, year, Duration::MAX / 4] {
                let backoff = Backoff { max, ..BACKOFF };
                let forever = Moment::after_start(Duration::MAX);
                let mut attempts = Attempts::new(backoff, forever);
                for failure in 1..=100_000 {
                    let next = attempts.failed(at(0), 0.5);
                    let pause = next.map(|next| next.since(Moment::START));
                    let is_fine = pause.is_some_and(|pause| pause <= max && !pause.is_zero());
                    if !is_fine || failure == 100_000 {
                        expect(
                            &format!(
                                "failure {failure} with pauses of up to {max:?} has one: {pause:?}"
                            ),
                            is_fine,
                        );
                    }
                }
            }
        }
    );
}
