//! At most so many calls at a time.

use spec_harness::{case, expect_eq};

use super::open::{
    at, begin, begin_all, call, expect_nothing, expect_refused, expect_reply, expired, open, reply,
};
use super::part::{Error, Received, Side, ToClient};

#[test]
fn no_more_than_the_limit() {
    case!(
        "With as many calls in flight as may be, a further one is refused, with its waiter.",
        || {
            for limit in [1, 2, 3, 10] {
                let mut path = open(limit as usize);
                let ids = begin_all(&mut path, limit);
                let what = format!("one call more than {limit}");
                expect_refused(&what, &mut path, 99, Error::Overloaded);
                expect_refused("and once more", &mut path, 100, Error::Overloaded);
                expect_eq("calls in flight then", path.in_flight(), limit as usize);
                expect_reply("the reply to call 1", &mut path, ids[0], 1);
            }
        }
    );
}

#[test]
fn every_end_frees_a_place() {
    case!(
        "A reply, a cancellation and a deadline free one place each, and no message frees two.",
        || {
            let mut path = open(3);
            let ids = begin_all(&mut path, 3);
            expect_reply("the reply to call 1", &mut path, ids[0], 1);
            expect_nothing("the same reply again", &mut path, reply(ids[0]));
            begin(&mut path, call(at(5000), 4));
            expect_refused(
                "a fifth call, with three in flight",
                &mut path,
                5,
                Error::Overloaded,
            );
            expect_eq("cancel call 2", path.end(ids[1]), Some(2));
            expect_eq("cancel it again", path.end(ids[1]), None);
            begin(&mut path, call(at(5000), 6));
            expect_refused(
                "a seventh call, with three in flight",
                &mut path,
                7,
                Error::Overloaded,
            );
            expect_eq(
                "at 1000 ms",
                expired(&mut path, at(1000)),
                vec![(ids[2], 3)],
            );
            begin(&mut path, call(at(5000), 8));
            expect_refused(
                "a ninth call, with three in flight",
                &mut path,
                9,
                Error::Overloaded,
            );
        }
    );
}

#[test]
fn an_error_frees_its_place() {
    case!(
        "A reply that is an error ends its call as any other, and frees its place.",
        || {
            let ends = [
                Err(Error::Overloaded),
                Err(Error::NoMethod),
                Err(Error::DeadlinePassed),
                Ok(Side::Error),
            ];
            for ended in ends {
                let mut path = open(1);
                for number in 1..=3 {
                    let id = begin(&mut path, call(at(1000), number));
                    let got = path.receive(ToClient::Reply(id, ended));
                    let what = format!("the reply to call {number}, {ended:?}");
                    expect_eq(&what, got, Received::Reply(number, ended));
                    let what = format!("calls in flight after {what}");
                    expect_eq(&what, path.in_flight(), 0);
                }
            }
        }
    );
}

#[test]
fn a_thousand_times_full() {
    case!(
        "Places come back for ever: a thousand times full, a thousand times empty.",
        || {
            let mut path = open(4);
            for round in 0..1000_u32 {
                let deadline = at(u64::from(round) * 10 + 10);
                let ids: Vec<_> = (0..4)
                    .map(|number| begin(&mut path, call(deadline, number)))
                    .collect();
                expect_refused("a fifth call", &mut path, 4, Error::Overloaded);
                expect_reply("the reply to one", &mut path, ids[0], 0);
                expect_eq("the cancelled one", path.end(ids[1]), Some(1));
                let left = vec![(ids[2], 2), (ids[3], 3)];
                let what = format!(
                    "what ends at {} ms, the deadline of all four",
                    (round + 1) * 10
                );
                expect_eq(&what, expired(&mut path, deadline), left);
                expect_eq("calls in flight", path.in_flight(), 0);
            }
        }
    );
}
