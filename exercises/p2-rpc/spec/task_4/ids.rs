//! Ids.

use std::collections::BTreeSet;

use spec_harness::{case, expect, expect_eq, fail};

use super::open::{
    at, begin, call, expect_nothing, expect_refused, expect_reply, expired, item, open, open_after,
    reply,
};
use super::part::{CallId, Error};

#[test]
fn no_two_calls_have_one_id() {
    case!(
        "No two of ten thousand calls have the same id, and none has that of a one-way call.",
        || {
            for (limit, start) in [(1, 0), (3, u32::MAX - 5000), (100, 7), (64, u32::MAX)] {
                let mut path = open_after(CallId(start), limit);
                let mut seen = BTreeSet::new();
                let mut open = Vec::new();
                for number in 0..10_000 {
                    let id = begin(&mut path, call(at(1000), number));
                    let what = format!("the id of call {number}, at most {limit} in flight");
                    if id == CallId::ONE_WAY {
                        fail(&what, "any but 0, which is for one-way calls", "0");
                    }
                    if !seen.insert(id) {
                        fail(&what, "one that no call had before", &format!("{id:?}"));
                    }
                    open.push((id, number));
                    if open.len() == limit {
                        // Neither the oldest one nor the newest one.
                        let (id, number) = open.swap_remove(limit / 2);
                        expect_eq("cancel", path.end(id), Some(number));
                    }
                }
            }
        }
    );
}

#[test]
fn ids_count_up() {
    case!(
        "Ids count up by one from the one behind `last`, without 0. A refused call uses none up.",
        || {
            for last in [4, u32::MAX - 2, u32::MAX] {
                let mut path = open_after(CallId(last), 1);
                let mut expected = last;
                for number in 0..20 {
                    expected = expected.checked_add(1).unwrap_or(1);
                    let id = begin(&mut path, call(at(1000), number));
                    let what = format!("the id of call {number}, `last` was {last}");
                    expect_eq(&what, id, CallId(expected));
                    expect_refused("a second call", &mut path, 99, Error::Overloaded);
                    expect_reply("the reply", &mut path, id, number);
                }
            }
        }
    );
}

#[test]
fn a_late_reply_ends_no_other_call() {
    case!(
        "A reply that comes late finds no call, however many calls there were since.",
        || {
            for limit in [1, 2, 5] {
                let mut path = open(limit);
                let mut old = Vec::new();
                for number in 0..200 {
                    let id = begin(&mut path, call(at(1000), number));
                    for late in &old {
                        let what = format!("call {number} is in flight, {late:?} is over");
                        expect_nothing(&format!("a reply, {what}"), &mut path, reply(*late));
                        expect_nothing(&format!("an item, {what}"), &mut path, item(*late));
                        expect_eq(&format!("cancel, {what}"), path.end(*late), None);
                    }
                    expect_reply("the reply in time", &mut path, id, number);
                    old.push(id);
                }
            }
        }
    );
}

#[test]
fn a_call_that_outlives_others() {
    case!(
        "A long call is not disturbed by a thousand short ones beside it.",
        || {
            let mut path = open(3);
            let long = begin(&mut path, call(at(60_000), 7));
            for number in 100..1100 {
                let id = begin(&mut path, call(at(1000), number));
                expect("a short call has another id than the long one", id != long);
                expect_reply("the reply to a short call", &mut path, id, number);
            }
            expect_eq("calls in flight", path.in_flight(), 1);
            expect_reply("the reply to the long call", &mut path, long, 7);
        }
    );
}

#[test]
fn two_long_calls_where_ids_begin_again() {
    case!(
        "Behind the largest id the ids begin again: with 1, and past those that are in flight.",
        || {
            let mut path = open_after(CallId(u32::MAX - 3), 4);
            let long = [1, 2].map(|number| begin(&mut path, call(at(60_000), number)));
            for number in 100..200 {
                let id = begin(&mut path, call(at(1000), number));
                expect("its id is not 0", id != CallId::ONE_WAY);
                expect("it has another id than the long calls", !long.contains(&id));
                expect_reply("the reply to a short call", &mut path, id, number);
            }
            let expected = vec![(long[0], 1), (long[1], 2)];
            expect_eq(
                "at their deadline",
                expired(&mut path, at(60_000)),
                expected,
            );
        }
    );
}
