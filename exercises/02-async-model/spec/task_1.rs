//! Handing out what is due.

use std::collections::BTreeMap;
use std::time::Duration;

use message_model::Moment;
use spec_harness::{case, expect_eq, fail};

use super::part::{TimerId, Timers};

/// A key is a name here.
type Names = Timers<&'static str>;

fn at(millis: u64) -> Moment {
    Moment::after_start(Duration::from_millis(millis))
}

fn at_micros(micros: u64) -> Moment {
    Moment::after_start(Duration::from_micros(micros))
}

/// Turns the wheel to `now` and checks what comes out.
fn expire(timers: &mut Names, now: u64, expected: &[&'static str]) {
    let what = format!("expire({now} ms)");
    expect_eq(&what, timers.expire(at(now)), expected.to_vec());
}

#[test]
fn a_key_comes_out_at_its_deadline() {
    case!("A key whose deadline is now comes out.", || {
        let mut timers = Names::new();
        timers.schedule(at(10), "fetch");
        expire(&mut timers, 10, &["fetch"]);
    });
}

#[test]
fn it_does_not_come_out_before() {
    case!(
        "One millisecond before its deadline a key is not due.",
        || {
            let mut timers = Names::new();
            timers.schedule(at(10), "fetch");
            expire(&mut timers, 9, &[]);
            expire(&mut timers, 10, &["fetch"]);
        }
    );
}

#[test]
fn late_is_not_never() {
    case!(
        "A key comes out however late the call is: the owner of the timers may have overslept.",
        || {
            let mut timers = Names::new();
            timers.schedule(at(10), "fetch");
            expire(&mut timers, 63, &["fetch"]);
        }
    );
}

#[test]
fn no_part_of_a_millisecond_too_early() {
    case!(
        "A slot is a millisecond wide, a deadline is not: 10.7 ms is not due at 10.2 ms, and 20.2 ms is due at 20.7 ms.",
        || {
            let mut timers = Names::new();
            timers.schedule(at_micros(10_700), "fetch");
            let what = "expire(10.2 ms)";
            expect_eq(what, timers.expire(at_micros(10_200)), vec![]);
            let what = "expire(10.7 ms)";
            expect_eq(what, timers.expire(at_micros(10_700)), vec!["fetch"]);
            timers.schedule(at_micros(20_200), "within the millisecond");
            let what = "expire(20.7 ms)";
            let due = timers.expire(at_micros(20_700));
            expect_eq(what, due, vec!["within the millisecond"]);
        }
    );
}

#[test]
fn a_key_comes_out_once() {
    case!("What has come out does not come out again.", || {
        let mut timers = Names::new();
        timers.schedule(at(10), "fetch");
        expire(&mut timers, 10, &["fetch"]);
        expire(&mut timers, 10, &[]);
        expire(&mut timers, 10_000, &[]);
    });
}

#[test]
fn the_rest_of_a_slot_waits() {
    case!(
        "A slot of level 1 is 64 ms wide: when it begins, some of its keys are due and the others wait on.",
        || {
            let mut timers = Names::new();
            timers.schedule(at(70), "a");
            timers.schedule(at(75), "b");
            timers.schedule(at(80), "c");
            expire(&mut timers, 70, &["a"]);
            expire(&mut timers, 74, &[]);
            expire(&mut timers, 75, &["b"]);
            expire(&mut timers, 80, &["c"]);
        }
    );
}

#[test]
fn a_far_deadline() {
    case!(
        "A deadline an hour away is met to the millisecond, whether `expire` is called often or not.",
        || {
            const HOUR: u64 = 3_600_000;
            let mut timers = Names::new();
            timers.schedule(at(HOUR), "far");
            for minute in 0..60 {
                expire(&mut timers, minute * 60_000, &[]);
            }
            expire(&mut timers, HOUR - 1, &[]);
            expire(&mut timers, HOUR, &["far"]);
        }
    );
}

#[test]
fn a_big_jump() {
    case!(
        "The machine slept for two days: everything that became due meanwhile comes out at once.",
        || {
            let mut timers = Names::new();
            timers.schedule(at(86_400_000), "a day");
            timers.schedule(at(100), "100 ms");
            timers.schedule(at(3_600_000), "an hour");
            timers.schedule(at(1), "1 ms");
            timers.schedule(at(5_000), "5 s");
            let everything = ["1 ms", "100 ms", "5 s", "an hour", "a day"];
            expire(&mut timers, 2 * 86_400_000, &everything);
            expect_eq("len()", timers.len(), 0);
        }
    );
}

#[test]
fn by_deadline() {
    case!(
        "Keys come out by deadline, not in the order in which they went in.",
        || {
            let mut timers = Names::new();
            timers.schedule(at(90), "third");
            timers.schedule(at(70), "first");
            timers.schedule(at(80), "second");
            expire(&mut timers, 100, &["first", "second", "third"]);
            timers.schedule(at_micros(110_700), "fourth, by half a millisecond");
            timers.schedule(at_micros(110_200), "third");
            let expected = ["third", "fourth, by half a millisecond"];
            expire(&mut timers, 111, &expected);
        }
    );
}

#[test]
fn equal_deadlines() {
    case!(
        "Keys with the same deadline come out in the order in which they went in.",
        || {
            let mut timers = Timers::new();
            for number in 0..20 {
                timers.schedule(at(70), number);
            }
            let expected: Vec<i32> = (0..20).collect();
            expect_eq("expire(70 ms)", timers.expire(at(70)), expected);
            for number in 0..10_000 {
                timers.schedule(at(80), number);
            }
            let due = timers.expire(at(80));
            let what = "expire(80 ms) of ten thousand keys: how many are returned";
            expect_eq(what, due.len(), 10_000);
            let what = "whether they are in the order in which they went in";
            expect_eq(what, due.is_sorted(), true);
        }
    );
}

#[test]
fn a_cancelled_key_does_not_come_out() {
    case!("What was cancelled does not come out.", || {
        let mut timers = Names::new();
        let reply_came = timers.schedule(at(10), "reply came");
        timers.schedule(at(10), "no reply");
        let what = "cancel(reply came)";
        expect_eq(what, timers.cancel(reply_came), Some("reply came"));
        expire(&mut timers, 10, &["no reply"]);
    });
}

#[test]
fn what_has_come_out_cannot_be_cancelled() {
    case!("What has come out cannot be taken back any more.", || {
        let mut timers = Names::new();
        let id = timers.schedule(at(10), "fetch");
        expire(&mut timers, 10, &["fetch"]);
        expect_eq("cancel(fetch)", timers.cancel(id), None);
        expect_eq("len()", timers.len(), 0);
    });
}

#[test]
fn a_key_that_was_put_back_can_be_cancelled() {
    case!(
        "After the wheel has turned, `cancel` still finds a key: it looks in the slot in which the key is now.",
        || {
            let mut timers = Names::new();
            let id = timers.schedule(at(100), "fetch");
            expire(&mut timers, 80, &[]);
            expect_eq("cancel(fetch)", timers.cancel(id), Some("fetch"));
            expect_eq("len()", timers.len(), 0);
            expire(&mut timers, 100, &[]);
        }
    );
}

#[test]
fn a_deadline_that_is_over() {
    case!("What is scheduled for the past comes out next.", || {
        let mut timers = Names::new();
        expire(&mut timers, 1_000, &[]);
        timers.schedule(at(50), "over");
        expire(&mut timers, 1_000, &["over"]);
    });
}

#[test]
fn scheduled_after_the_wheel_has_turned() {
    case!(
        "Deadlines that are scheduled late are met as the first ones are.",
        || {
            let mut timers = Names::new();
            expire(&mut timers, 1_000_000, &[]);
            timers.schedule(at(1_000_005), "near");
            timers.schedule(at(1_000_500), "far");
            expire(&mut timers, 1_000_004, &[]);
            expire(&mut timers, 1_000_005, &["near"]);
            expire(&mut timers, 1_000_499, &[]);
            expire(&mut timers, 1_000_500, &["far"]);
        }
    );
}

#[test]
fn an_earlier_now_does_no_harm() {
    case!(
        "Two threads may read the clock in one order and ask in the other: an earlier `now` turns nothing back.",
        || {
            let mut timers = Names::new();
            timers.schedule(at(200), "a");
            expire(&mut timers, 150, &[]);
            let id = timers.schedule(at(160), "b");
            timers.schedule(at(170), "c");
            expire(&mut timers, 20, &[]);
            expect_eq("cancel(b)", timers.cancel(id), Some("b"));
            timers.schedule(at(30), "d");
            expire(&mut timers, 30, &["d"]);
            expire(&mut timers, 170, &["c"]);
            expire(&mut timers, 200, &["a"]);
        }
    );
}

#[test]
fn an_earlier_now_makes_nothing_due() {
    case!(
        "What is not due at `now` stays, though the wheel has turned beyond it: only the next `now` at or after its deadline brings it.",
        || {
            let mut timers = Names::new();
            expire(&mut timers, 100, &[]);
            timers.schedule(at(50), "over");
            timers.schedule(at(10), "long over");
            expire(&mut timers, 20, &["long over"]);
            expect_eq("len()", timers.len(), 1);
            expire(&mut timers, 50, &["over"]);
        }
    );
}

#[test]
fn it_counts_the_keys_that_wait() {
    case!(
        "`len` counts the keys that wait, and `is_empty` says whether there are none.",
        || {
            let mut timers = Names::new();
            for deadline in [10, 20, 70, 75, 9_000] {
                timers.schedule(at(deadline), "key");
            }
            expire(&mut timers, 72, &["key"; 3]);
            expect_eq("len()", timers.len(), 2);
            expect_eq("is_empty()", timers.is_empty(), false);
            expire(&mut timers, 9_000, &["key"; 2]);
            expect_eq("len()", timers.len(), 0);
            expect_eq("is_empty()", timers.is_empty(), true);
            expect_eq("next_deadline()", timers.next_deadline(), None);
        }
    );
}

#[test]
fn the_owner_sleeps_until_the_next() {
    case!(
        "The owner sleeps until the earliest deadline of those that wait. When all have come out or were cancelled, there is none.",
        || {
            let mut timers = Names::new();
            let sleeps_until = |timers: &Names, keys: &str, expected: Option<u64>| {
                let what = format!("next_deadline() of {keys}");
                expect_eq(&what, timers.next_deadline(), expected.map(at));
            };
            sleeps_until(&timers, "no keys", None);
            timers.schedule(at(70), "a");
            let b = timers.schedule(at(80), "b");
            let d = timers.schedule(at(210), "d");
            let c = timers.schedule(at(200), "c");
            sleeps_until(&timers, "a, b, c and d", Some(70));
            expire(&mut timers, 70, &["a"]);
            sleeps_until(&timers, "b, c and d", Some(80));
            timers.cancel(b);
            sleeps_until(&timers, "c and d", Some(200));
            timers.cancel(c);
            timers.cancel(d);
            sleeps_until(&timers, "no keys, all cancelled", None);
        }
    );
}

#[test]
fn the_owner_does_not_spin() {
    case!(
        "After `expire(now)` the next deadline is after `now`: else the owner would not sleep.",
        || {
            let mut timers = Names::new();
            let early = timers.schedule(at(70), "early");
            timers.schedule(at(75), "late");
            timers.cancel(early);
            expire(&mut timers, 70, &[]);
            let next = timers.next_deadline();
            expect_eq("next_deadline() after expire(70 ms)", next, Some(at(75)));
        }
    );
}

#[test]
fn a_far_key_is_moved_once_per_level() {
    case!(
        "A key is put into a slot when it is scheduled, and again when its slot begins: not at each call of `expire`.",
        || {
            const HOUR: u64 = 3_600_000;
            let mut timers = Names::new();
            timers.schedule(at(HOUR), "far");
            timers.schedule(at(HOUR), "as far");
            expect_eq("moves() after two calls of schedule", timers.moves(), 2);
            for now in (0..HOUR).step_by(1_000) {
                expire(&mut timers, now, &[]);
            }
            let moves = timers.moves();
            if moves > 8 {
                let what =
                    "moves() of two keys after 3600 calls of expire: once per level, so 4 for each";
                fail(what, "at most 8", &moves.to_string());
            }
        }
    );
}

#[test]
fn ten_thousand_keys_over_four_weeks() {
    case!(
        "Ten thousand keys, due in the course of four weeks, and a call each hour: all come out in time, and each is moved once per level at most.",
        || {
            const KEYS: u64 = 10_000;
            const HOUR: u64 = 3_600_000;
            const FOUR_WEEKS: u64 = 4 * 7 * 24 * HOUR;
            let mut random = fastrand::Rng::with_seed(1);
            let mut timers = Timers::new();
            let mut deadlines: Vec<u64> = (0..KEYS).map(|_| random.u64(..FOUR_WEEKS)).collect();
            for deadline in &deadlines {
                timers.schedule(at(*deadline), *deadline);
            }
            deadlines.sort_unstable();
            let mut rest = deadlines.as_slice();
            for now in (0..=FOUR_WEEKS).step_by(usize::try_from(HOUR).expect("it is small")) {
                let (due, later) = rest.split_at(rest.partition_point(|deadline| *deadline <= now));
                rest = later;
                let came = timers.expire(at(now));
                let what = format!("expire({now} ms)");
                expect_eq(&what, came, due.to_vec());
            }
            expect_eq("len()", timers.len(), 0);
            let moves = timers.moves();
            if moves > 6 * KEYS {
                let what = format!("moves() of {KEYS} keys; four weeks are six levels");
                fail(&what, &format!("at most {}", 6 * KEYS), &moves.to_string());
            }
        }
    );
}

#[test]
fn never_is_far() {
    case!(
        "The last moment that there is may be a deadline too, for a wait without end.",
        || {
            let mut timers = Names::new();
            let never = Moment::after_start(Duration::MAX);
            let id = timers.schedule(never, "never");
            timers.schedule(never, "never, again");
            timers.schedule(at(100), "soon");
            expire(&mut timers, 3_000_000_000_000, &["soon"]);
            expect_eq("cancel(never)", timers.cancel(id), Some("never"));
            let what = "expire(the last moment)";
            expect_eq(what, timers.expire(never), vec!["never, again"]);
            timers.schedule(never, "once more");
            expect_eq(what, timers.expire(never), vec!["once more"]);
        }
    );
}

#[test]
fn as_an_ordered_map_would() {
    case!(
        "Whatever is scheduled, cancelled and expired: the wheel answers as an ordered map of deadlines does.",
        || {
            for seed in 0..40 {
                answers_as_a_map(seed);
            }
        }
    );
}

fn answers_as_a_map(seed: u64) {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut timers = Timers::new();
    let mut map: BTreeMap<(u64, u64), TimerId> = BTreeMap::new();
    let mut now = 0;
    for step in 0..60 {
        let bits = random.u32(..24);
        let stretch = random.u64(..1 << bits);
        match random.u8(..4) {
            0 | 1 => {
                let id = timers.schedule(at(now + stretch), step);
                map.insert((now + stretch, step), id);
            }
            2 => {
                if let Some((&key, &id)) = map.range((now + stretch, 0)..).next() {
                    map.remove(&key);
                    let what = format!("seed {seed}, step {step}: cancel({} ms)", key.0);
                    expect_eq(&what, timers.cancel(id), Some(key.1));
                }
            }
            _ => {
                now += stretch;
                let waits = map.split_off(&(now, u64::MAX));
                let due: Vec<u64> = map.into_keys().map(|(_, step)| step).collect();
                map = waits;
                let what = format!("seed {seed}, step {step}: expire({now} ms)");
                expect_eq(&what, timers.expire(at(now)), due);
            }
        }
    }
    let rest: Vec<u64> = map.into_keys().map(|(_, step)| step).collect();
    let what = format!("seed {seed}: expire(at last)");
    expect_eq(&what, timers.expire(at(now + (1 << 30))), rest);
}
