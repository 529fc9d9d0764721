//! Deadlines.

use std::time::Duration;

use spec_harness::{case, expect_eq};

use super::open::{
    Path, at, begin, begin_all, call, expect_nothing, expect_reply, expired, open, reply,
};

#[test]
fn a_call_ends_at_its_deadline() {
    case!(
        "A call ends at its very deadline, not a nanosecond before it, and once.",
        || {
            let mut path = open(10);
            let deadline = at(50);
            let id = begin(&mut path, call(deadline, 1));
            let before = super::open::at(49).plus(Duration::from_nanos(999_999));
            expect_eq("1 ns before", expired(&mut path, before), vec![]);
            expect_eq("at 50 ms", expired(&mut path, deadline), vec![(id, 1)]);
            expect_eq("at 50 ms again", expired(&mut path, deadline), vec![]);
            expect_eq("calls in flight then", path.in_flight(), 0);
            expect_nothing("the reply, which is late", &mut path, reply(id));
        }
    );
}

#[test]
fn what_is_overdue_ends() {
    case!(
        "If nothing looked for a minute, all calls that are overdue end, and no others.",
        || {
            let mut path = open(10);
            let deadlines = [10, 70_000, 500, 10, 59_000, 60_001, 60_000];
            let ids: Vec<_> = deadlines
                .into_iter()
                .zip(1..)
                .map(|(millis, number)| begin(&mut path, call(at(millis), number)))
                .collect();
            let overdue = [1, 3, 4, 5, 7_u32];
            let expected: Vec<_> = overdue
                .map(|number| (ids[number as usize - 1], number))
                .into();
            expect_eq("at 60 s", expired(&mut path, at(60_000)), expected);
            let rest = vec![(ids[1], 2), (ids[5], 6)];
            expect_eq("at 100 s", expired(&mut path, at(100_000)), rest);
        }
    );
}

#[test]
fn a_call_that_has_ended_does_not_expire() {
    case!(
        "A call with a reply, or that was cancelled, has had its end: it does not expire as well.",
        || {
            let mut path = open(10);
            let ids = begin_all(&mut path, 3);
            expect_reply("the reply to call 1", &mut path, ids[0], 1);
            expect_eq("cancel call 2", path.end(ids[1]), Some(2));
            expect_eq(
                "at the deadline",
                expired(&mut path, at(1000)),
                vec![(ids[2], 3)],
            );
        }
    );
}

#[test]
fn a_deadline_that_has_passed() {
    case!(
        "A call may begin when its deadline has passed already. It ends at the next look.",
        || {
            let mut path = open(10);
            expect_eq(
                "at 1 s, without calls",
                expired(&mut path, at(1000)),
                vec![],
            );
            let id = begin(&mut path, call(at(900), 1));
            let is_due = path.wakes_at.is_some_and(|moment| moment <= at(1000));
            expect_eq("whether a look is due at 1 s", is_due, true);
            expect_eq("at 1 s", expired(&mut path, at(1000)), vec![(id, 1)]);
        }
    );
}

#[test]
fn an_earlier_deadline_comes_up() {
    case!(
        "The connection sleeps until the next deadline; an earlier one comes up, and wakes it.",
        || {
            let mut path = open(10);
            begin(&mut path, call(at(5000), 1));
            begin(&mut path, call(at(300), 2));
            begin(&mut path, call(at(400), 3));
            begin(&mut path, call(at(100), 4));
            begin(&mut path, call(at(200), 5));
            let expected = [(100, 4), (200, 5), (300, 2), (400, 3), (5000, 1)];
            let expected = expected
                .map(|(millis, number)| (at(millis), number))
                .to_vec();
            let got = path.sleep(at(10_000));
            expect_eq("which calls end, and when", got, expected);
        }
    );
}

#[test]
fn a_shorter_call_behind_a_longer_one() {
    case!(
        "What a call leaves behind when it ends does not make the next one end late.",
        || {
            for limit in [1, 2, 8] {
                let mut path = open(limit);
                calls_with_replies(&mut path, 60_000);
                for number in 0..20_u32 {
                    let deadline = at(100 + u64::from(number));
                    begin(&mut path, call(deadline, number));
                    let got = path.sleep(deadline);
                    expect_eq("a short call ends", got, vec![(deadline, number)]);
                }
            }
        }
    );
}

/// Twenty calls with so many milliseconds each, one after the other, at the start. All get
/// their replies.
fn calls_with_replies(path: &mut Path, millis: u64) {
    for number in 1000..1020 {
        let id = begin(path, call(at(millis), number));
        expect_reply("the reply", path, id, number);
    }
}

#[test]
fn a_longer_call_behind_a_shorter_one() {
    case!(
        "What a call leaves behind when it ends does not make the next one end early.",
        || {
            for limit in [1_u32, 2, 8] {
                let mut path = open(limit as usize);
                calls_with_replies(&mut path, 10);
                let calls = (1..=limit).map(|number| (at(500 + u64::from(number)), number));
                for (deadline, number) in calls.clone() {
                    begin(&mut path, call(deadline, number));
                }
                expect_eq("until 500 ms", path.sleep(at(500)), vec![]);
                let got = path.sleep(at(1000));
                expect_eq("until 1000 ms", got, calls.collect());
            }
        }
    );
}

#[test]
fn calls_one_after_the_other() {
    case!(
        "A hundred calls one after the other, of which each third has no reply: that one ends in time.",
        || {
            let mut path = open(2);
            let mut now = 0;
            for number in 0..100_u32 {
                let deadline = now + 50;
                let id = begin(&mut path, call(at(deadline), number));
                let ended = if number % 3 == 0 {
                    now = deadline;
                    vec![(at(deadline), number)]
                } else {
                    now += 7;
                    expect_eq("until its reply", path.sleep(at(now)), vec![]);
                    expect_reply("the reply", &mut path, id, number);
                    vec![]
                };
                let what = format!("what expires up to {now} ms");
                expect_eq(&what, path.sleep(at(now)), ended);
            }
        }
    );
}
