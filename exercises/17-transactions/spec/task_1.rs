//! When a half message is asked about.

use std::time::Duration;

use message_model::Timestamp;
use spec_harness::{case, expect_eq};

use super::part::{Due, Open, Schedule, Step};

const SCHEDULE: Schedule = Schedule {
    first: Duration::from_secs(6),
    longest: Duration::from_secs(30),
    checks_max: 4,
};

fn next(schedule: &Schedule, since: i64, checks: u32) -> Due {
    let since = Timestamp(since);
    schedule.next(&Open { since, checks })
}

fn due(at: i64, step: Step) -> Due {
    let at = Timestamp(at);
    Due { at, step }
}

#[test]
fn the_first_check() {
    case!(
        "The first check comes a wait after the half message was sent.",
        || {
            let got = next(&SCHEDULE, 1_000, 0);
            expect_eq("sent at 1000, no check yet", got, due(7_000, Step::Check));
        }
    );
}

#[test]
fn waits_double() {
    case!("With each check the wait for the next one doubles.", || {
        for (checks, wait) in [(0, 6_000), (1, 12_000), (2, 24_000)] {
            let got = next(&SCHEDULE, 500, checks);
            let what = format!("{checks} checks, the last one at 500");
            expect_eq(&what, got, due(500 + wait, Step::Check));
        }
    });
}

#[test]
fn no_wait_is_longer_than_the_longest() {
    case!("No wait is longer than the longest one.", || {
        let got = next(&SCHEDULE, 0, 3);
        expect_eq("3 checks: 48 s would be", got, due(30_000, Step::Check));
        let short = Schedule {
            longest: Duration::from_secs(2),
            ..SCHEDULE
        };
        let got = next(&short, 0, 0);
        expect_eq(
            "the longest is 2 s, no check yet",
            got,
            due(2_000, Step::Check),
        );
    });
}

#[test]
fn the_last_check_is_waited_for() {
    case!(
        "After the last check there is one more wait: the answer may be on its way.",
        || {
            let got = next(&SCHEDULE, 0, 4);
            expect_eq("4 checks of 4", got, due(30_000, Step::SetAside));
            let two = Schedule {
                checks_max: 2,
                ..SCHEDULE
            };
            expect_eq("1 check of 2", next(&two, 0, 1), due(12_000, Step::Check));
            expect_eq(
                "2 checks of 2",
                next(&two, 0, 2),
                due(24_000, Step::SetAside),
            );
            expect_eq(
                "5 checks of 2",
                next(&two, 0, 5),
                due(30_000, Step::SetAside),
            );
        }
    );
}

#[test]
fn without_checks() {
    case!(
        "Where nobody may be asked, a half message is set aside after the first wait.",
        || {
            let none = Schedule {
                checks_max: 0,
                ..SCHEDULE
            };
            expect_eq(
                "0 checks of 0",
                next(&none, 10, 0),
                due(6_010, Step::SetAside),
            );
        }
    );
}

#[test]
fn nothing_overflows() {
    case!(
        "No number of checks and no wait is too large: what would be later is at the end of time.",
        || {
            let often = Schedule {
                checks_max: u32::MAX,
                ..SCHEDULE
            };
            for checks in [31, 32, 33, 64, u32::MAX - 1] {
                let got = next(&often, 0, checks);
                expect_eq(&format!("{checks} checks"), got, due(30_000, Step::Check));
            }
            let long = Schedule {
                first: Duration::MAX,
                longest: Duration::MAX,
                checks_max: 9,
            };
            let got = next(&long, 5, 3);
            expect_eq("a wait without end", got, due(i64::MAX, Step::Check));
            let got = next(&SCHEDULE, i64::MAX - 1, 0);
            expect_eq("since nearly the end", got, due(i64::MAX, Step::Check));
        }
    );
}
