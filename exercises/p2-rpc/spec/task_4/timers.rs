//! A timer for each slot, and not for each call.

use message_model::Moment;
use spec_harness::{case, expect, expect_eq};

use super::open::{
    Path, at, begin, call, expect_nothing, expect_reply, expired, open, open_after, reply,
};
use super::part::CallId;

/// A call with this deadline, which gets its reply. Returns the alarm that came with the call.
fn call_and_reply(path: &mut Path, deadline: Moment) -> Option<Moment> {
    let id = begin(path, call(deadline, 1));
    expect_reply("its reply", path, id, 1);
    path.alarm
}

#[test]
fn the_example_of_the_page() {
    case!(
        "The worked example of the page: eight slots, and call 13 in slot 5 behind call 5.",
        || {
            let mut path = open_after(CallId(4), 4);
            expect_eq(
                "the first id",
                begin(&mut path, call(at(100), 5)),
                CallId(5),
            );
            expect_eq("its alarm", path.alarm, Some(at(100)));
            expect_reply("at 20 ms, its reply", &mut path, CallId(5), 5);
            expect_nothing("at 30 ms, the same reply", &mut path, reply(CallId(5)));
            for number in 6..=12 {
                let id = begin(&mut path, call(at(200), number));
                expect_eq("at 40 ms, one more id", id, CallId(number));
                expect_reply("its reply", &mut path, id, number);
            }
            let id = begin(&mut path, call(at(150), 13));
            expect_eq("at 50 ms, the next id", id, CallId(13));
            expect_eq("its alarm: the slot has a timer, at 100", path.alarm, None);
            expect_nothing("at 60 ms, reply 5 once more", &mut path, reply(CallId(5)));
            expect_eq("what ends at 100 ms", expired(&mut path, at(100)), vec![]);
            let next = path.next_deadline();
            expect_eq("next_deadline() then", next, Some(at(150)));
            let ended = vec![(CallId(13), 13)];
            expect_eq("what ends at 150 ms", expired(&mut path, at(150)), ended);
        }
    );
}

#[test]
fn a_timer_that_is_early_enough() {
    case!(
        "A timer stays in its slot. A call that is due with it or behind it makes no other one.",
        || {
            for later in [100, 101, 5000] {
                let mut path = open(1);
                for call in 1..=2 {
                    let alarm = call_and_reply(&mut path, at(100));
                    if call == 1 {
                        expect_eq("the first alarm", alarm, Some(at(100)));
                    }
                }
                // There are two slots, and each of them has its timer now.
                for number in 3..20 {
                    let what = format!("the alarm of call {number}, which has until {later} ms");
                    expect_eq(&what, call_and_reply(&mut path, at(later)), None);
                }
            }
        }
    );
}

#[test]
fn a_timer_that_is_replaced() {
    case!(
        "A slot has one timer. When an earlier one replaces it, nothing is left of the later one.",
        || {
            let mut path = open(1);
            // The first call and the third one have one slot.
            for deadline in [900, 100, 100] {
                call_and_reply(&mut path, at(deadline));
            }
            expect_eq("what ends at 100 ms", expired(&mut path, at(100)), vec![]);
            let what = "next_deadline() then: the timer of 900 ms was replaced";
            expect_eq(what, path.next_deadline(), None);
        }
    );
}

#[test]
fn timers_do_not_pile_up() {
    case!(
        "A thousand calls that get their replies leave a timer in each slot, not a thousand.",
        || {
            let mut path = open(1);
            for number in 1..=1000 {
                call_and_reply(&mut path, at(1000 + number));
            }
            let mut looks = 0;
            while let Some(next) = path.next_deadline() {
                looks += 1;
                let what = "with two slots, expire is due twice, and then never again";
                expect(what, looks <= 2);
                expect_eq("what ends", expired(&mut path, next), vec![]);
            }
        }
    );
}
