//! Calls that wait for a reply.

use std::collections::BTreeSet;
use std::time::Duration;

use message_model::Moment;
use spec_harness::{case, expect, expect_eq, fail};

use super::part::{CallId, Effect, Ended, Event, InFlight};

/// Waiters are names here.
type Calls = InFlight<&'static str>;

/// The moment `millis` after the start.
fn at(millis: u64) -> Moment {
    Moment::after_start(Duration::from_millis(millis))
}

/// Makes a call at the start, which must be sent; its id.
fn sent(calls: &mut Calls, waiter: &'static str, deadline: Moment) -> CallId {
    let effects = calls.step(Moment::START, Event::Call { deadline, waiter });
    match effects[..] {
        [Effect::Send(id)] => id,
        _ => fail(
            &format!("a call by {waiter:?} with room for it"),
            "one effect, Send with an id",
            &format!("{effects:?}"),
        ),
    }
}

fn ends(waiter: &'static str, how: Ended) -> Vec<Effect<&'static str>> {
    vec![Effect::End(waiter, how)]
}

#[test]
fn a_reply_ends_its_call() {
    case!(
        "A call is sent with an id, and the reply with this id ends it.",
        || {
            let mut calls = Calls::new(10);
            let id = sent(&mut calls, "ann", at(100));
            expect_eq("calls in flight after it is sent", calls.len(), 1);
            expect_eq("is_empty() after it is sent", calls.is_empty(), false);
            let effects = calls.step(at(1), Event::Reply(id));
            expect_eq("the reply", effects, ends("ann", Ended::Replied));
            expect_eq("calls in flight after its reply", calls.len(), 0);
            expect_eq("is_empty() after its reply", calls.is_empty(), true);
        }
    );
}

#[test]
fn replies_in_any_order_find_their_calls() {
    case!(
        "A reply belongs to the call with its id, whatever the order in which replies come.",
        || {
            let mut calls = Calls::new(10);
            let ann = sent(&mut calls, "ann", at(100));
            let bob = sent(&mut calls, "bob", at(100));
            let cid = sent(&mut calls, "cid", at(100));
            for (id, name) in [(cid, "cid"), (ann, "ann"), (bob, "bob")] {
                let effects = calls.step(at(1), Event::Reply(id));
                let what = format!("the reply to {name}'s call");
                expect_eq(&what, effects, ends(name, Ended::Replied));
            }
        }
    );
}

#[test]
fn a_reply_that_nobody_waits_for_changes_nothing() {
    case!(
        "A peer may answer twice, or what was never asked: that ends no call.",
        || {
            let mut calls = Calls::new(10);
            let ann = sent(&mut calls, "ann", at(100));
            let bob = sent(&mut calls, "bob", at(100));
            calls.step(at(1), Event::Reply(ann));
            expect_eq(
                "the same reply again",
                calls.step(at(2), Event::Reply(ann)),
                vec![],
            );
            let unasked = CallId(ann.0.wrapping_add(1_000));
            expect_eq(
                "an id never sent",
                calls.step(at(3), Event::Reply(unasked)),
                vec![],
            );
            let effects = calls.step(at(4), Event::Reply(bob));
            expect_eq(
                "bob's reply after that",
                effects,
                ends("bob", Ended::Replied),
            );
        }
    );
}

#[test]
fn ids_in_flight_differ() {
    case!(
        "No two calls in flight have the same id, also when earlier ones have ended.",
        || {
            let mut calls = Calls::new(1_000);
            let mut ids = BTreeSet::new();
            for number in 0..300 {
                let id = sent(&mut calls, "somebody", at(100));
                expect(&format!("{id:?} is not in flight already"), ids.insert(id));
                if number % 3 == 0 {
                    let oldest = ids.pop_first().expect("one is in flight");
                    calls.step(at(1), Event::Reply(oldest));
                }
            }
            expect_eq("calls in flight", calls.len(), ids.len());
        }
    );
}

#[test]
fn ids_wrap_around() {
    case!(
        "After the id i32::MAX comes 0: a connection may live longer than its ids.",
        || {
            let mut calls = Calls::starting_at(CallId(i32::MAX), 10);
            let last = sent(&mut calls, "last", at(100));
            expect_eq("the first id", last, CallId(i32::MAX));
            let first = sent(&mut calls, "first", at(100));
            expect_eq("the id behind it", first, CallId(0));
            let effects = calls.step(at(1), Event::Reply(last));
            expect_eq(
                "the reply to i32::MAX",
                effects,
                ends("last", Ended::Replied),
            );
        }
    );
}

#[test]
fn a_call_ends_at_its_deadline() {
    case!(
        "When its deadline is reached the waiter comes out: a call that is only forgotten leaves its caller waiting for ever.",
        || {
            let mut calls = Calls::new(10);
            sent(&mut calls, "ann", at(100));
            expect_eq("a tick at 99 ms", calls.step(at(99), Event::Tick), vec![]);
            let effects = calls.step(at(100), Event::Tick);
            let what = "a tick at 100 ms, which is ann's deadline";
            expect_eq(what, effects, ends("ann", Ended::DeadlinePassed));
            expect_eq("calls in flight", calls.len(), 0);
        }
    );
}

#[test]
fn a_late_reply_is_dropped() {
    case!(
        "The reply to a call whose deadline has passed changes nothing.",
        || {
            let mut calls = Calls::new(10);
            let id = sent(&mut calls, "ann", at(100));
            calls.step(at(150), Event::Tick);
            expect_eq(
                "ann's reply at 200 ms",
                calls.step(at(200), Event::Reply(id)),
                vec![],
            );
        }
    );
}

#[test]
fn only_a_tick_looks_at_deadlines() {
    case!(
        "A call and a reply change their own call only: what is overdue ends at the next tick, in one place.",
        || {
            let mut calls = Calls::new(10);
            let ann = sent(&mut calls, "ann", at(100));
            sent(&mut calls, "bob", at(100));
            let (deadline, waiter) = (at(150), "cid");
            let effects = calls.step(at(200), Event::Call { deadline, waiter });
            let is_sent = matches!(effects[..], [Effect::Send(_)]);
            if !is_sent {
                let what = "a call at 200 ms whose deadline was at 150 ms";
                fail(what, "one effect, Send with an id", &format!("{effects:?}"));
            }
            let what = "ann's reply at 200 ms, before a tick";
            let effects = calls.step(at(200), Event::Reply(ann));
            expect_eq(what, effects, ends("ann", Ended::Replied));
            let overdue = ["bob", "cid"].map(|name| Effect::End(name, Ended::DeadlinePassed));
            expect_eq(
                "a tick then",
                calls.step(at(200), Event::Tick),
                overdue.into(),
            );
        }
    );
}

#[test]
fn a_tick_ends_what_is_overdue_and_no_other() {
    case!(
        "A tick ends every call that is overdue, the earliest deadline first, and leaves the others.",
        || {
            let mut calls = Calls::new(10);
            sent(&mut calls, "second", at(200));
            sent(&mut calls, "last", at(900));
            sent(&mut calls, "first", at(100));
            let overdue = ["first", "second"].map(|name| Effect::End(name, Ended::DeadlinePassed));
            let effects = calls.step(at(500), Event::Tick);
            expect_eq("a tick at 500 ms", effects, overdue.into());
            expect_eq("calls in flight after it", calls.len(), 1);
        }
    );
}

#[test]
fn an_answered_call_has_no_deadline_left() {
    case!(
        "Nobody is woken for a call that has ended: its timer goes with it.",
        || {
            let mut calls = Calls::new(10);
            let ann = sent(&mut calls, "ann", at(100));
            let bob = sent(&mut calls, "bob", at(300));
            let cid = sent(&mut calls, "cid", at(200));
            expect_eq("next_deadline()", calls.next_deadline(), Some(at(100)));
            calls.step(at(1), Event::Reply(ann));
            let what = "next_deadline() after ann's reply";
            expect_eq(what, calls.next_deadline(), Some(at(200)));
            calls.step(at(2), Event::Cancel(cid));
            let what = "next_deadline() after cid's call was cancelled";
            expect_eq(what, calls.next_deadline(), Some(at(300)));
            calls.step(at(3), Event::Reply(bob));
            expect_eq(
                "next_deadline() with no call left",
                calls.next_deadline(),
                None,
            );
        }
    );
}

#[test]
fn a_cancelled_call_is_gone() {
    case!(
        "A caller that goes away takes its call back: its waiter comes out, and a late reply is dropped.",
        || {
            let mut calls = Calls::new(1);
            let id = sent(&mut calls, "ann", at(100));
            let effects = calls.step(at(1), Event::Cancel(id));
            expect_eq(
                "taking ann's call back",
                effects,
                ends("ann", Ended::Cancelled),
            );
            expect_eq(
                "the same again",
                calls.step(at(2), Event::Cancel(id)),
                vec![],
            );
            expect_eq(
                "ann's late reply",
                calls.step(at(3), Event::Reply(id)),
                vec![],
            );
            sent(&mut calls, "bob, who has her place", at(100));
        }
    );
}

#[test]
fn too_many_calls_are_refused() {
    case!(
        "Above the limit a call is refused and not sent; it ends at once, so its waiter does not wait.",
        || {
            let mut calls = Calls::new(2);
            let ann = sent(&mut calls, "ann", at(100));
            sent(&mut calls, "bob", at(100));
            let third = Event::Call {
                deadline: at(100),
                waiter: "cid",
            };
            let effects = calls.step(at(1), third);
            let what = "a third call with a limit of 2";
            expect_eq(what, effects, ends("cid", Ended::Refused));
            expect_eq("calls in flight", calls.len(), 2);
            calls.step(at(2), Event::Reply(ann));
            sent(&mut calls, "dan, once ann has her reply", at(100));
        }
    );
}

#[test]
fn a_closed_connection_ends_every_call() {
    case!(
        "When the connection closes, every waiter comes out; no reply will ever come.",
        || {
            let mut calls = Calls::new(10);
            for name in ["ann", "bob", "cid"] {
                sent(&mut calls, name, at(100));
            }
            let mut told: Vec<_> = calls
                .step(at(1), Event::Close)
                .into_iter()
                .map(|effect| match effect {
                    Effect::End(waiter, how) => (waiter, how),
                    Effect::Send(id) => fail("the close", "only ends", &format!("Send({id:?})")),
                })
                .collect();
            told.sort_by_key(|(waiter, _)| *waiter);
            let all = ["ann", "bob", "cid"].map(|name| (name, Ended::Closed));
            expect_eq("which caller is told how", told, all.to_vec());
            expect_eq("calls in flight", calls.len(), 0);
            expect_eq("next_deadline()", calls.next_deadline(), None);
        }
    );
}

#[test]
fn a_call_on_a_closed_connection_ends_at_once() {
    case!(
        "Calls that come after the close end as closed and are not sent.",
        || {
            let mut calls = Calls::new(10);
            calls.step(at(1), Event::Close);
            let call = Event::Call {
                deadline: at(100),
                waiter: "ann",
            };
            let effects = calls.step(at(2), call);
            expect_eq(
                "a call after the close",
                effects,
                ends("ann", Ended::Closed),
            );
            expect_eq("calls in flight", calls.len(), 0);
        }
    );
}

#[test]
fn every_waiter_comes_out_exactly_once() {
    case!(
        "Whatever happens in whatever order, each waiter that goes in comes out exactly once.",
        || {
            for seed in 0..20 {
                let mut random = fastrand::Rng::with_seed(seed);
                let mut calls = InFlight::new(8);
                let mut ended = vec![0; 400];
                for waiter in 0..400 {
                    let now = at(waiter);
                    let deadline = now.plus(Duration::from_millis(random.u64(..40)));
                    let id = CallId(i32::try_from(random.u64(..waiter + 2)).expect("small"));
                    let events = [
                        Event::Call { deadline, waiter },
                        match random.u8(..4) {
                            0 => Event::Tick,
                            1 => Event::Cancel(id),
                            _ => Event::Reply(id),
                        },
                    ];
                    for event in events {
                        count(&mut ended, calls.step(now, event));
                    }
                    expect("at most 8 calls are in flight", calls.len() <= 8);
                }
                count(&mut ended, calls.step(at(400), Event::Close));
                for (waiter, times) in ended.into_iter().enumerate() {
                    let what = format!("how often waiter {waiter} came out (seed {seed})");
                    expect_eq(&what, times, 1);
                }
            }
        }
    );
}

fn count(ended: &mut [u32], effects: Vec<Effect<u64>>) {
    for effect in effects {
        if let Effect::End(waiter, _) = effect {
            ended[usize::try_from(waiter).expect("small")] += 1;
        }
    }
}
