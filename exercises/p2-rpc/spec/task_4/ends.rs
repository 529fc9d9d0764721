//! The server stops, or the connection is gone.

use spec_harness::{case, expect, expect_eq};

use super::open::{
    at, begin, begin_all, expect_item, expect_nothing, expect_refused, expect_reply, expired, open,
    reply, stream,
};
use super::part::{Error, ToClient};

#[test]
fn a_server_that_stops() {
    case!(
        "A server that stops answers what it has: calls in flight go on to their ends.",
        || {
            let mut path = open(10);
            let ids = begin_all(&mut path, 3);
            let id = begin(&mut path, stream(at(2000), 4, 4));
            expect_nothing("go-away", &mut path, ToClient::GoAway);
            expect_eq("calls in flight", path.in_flight(), 4);
            expect_reply("the reply to call 1", &mut path, ids[0], 1);
            expect_item("an item for call 4", &mut path, id, 4);
            expect_eq("cancel call 2", path.end(ids[1]), Some(2));
            expect_eq(
                "at 1000 ms",
                expired(&mut path, at(1000)),
                vec![(ids[2], 3)],
            );
            expect_reply("the reply to call 4", &mut path, id, 4);
        }
    );
}

#[test]
fn no_call_behind_go_away() {
    case!(
        "Behind go-away no call is sent any more: it is certain that the server did not begin it.",
        || {
            let mut path = open(10);
            expect("calls are taken in before", path.refuses_with().is_none());
            begin_all(&mut path, 1);
            expect_nothing("go-away", &mut path, ToClient::GoAway);
            expect("further calls are refused", path.refuses_with().is_some());
            expect_refused("a call then", &mut path, 7, Error::Stopping);
            expect_nothing("go-away again", &mut path, ToClient::GoAway);
            expect_refused("another call", &mut path, 8, Error::Stopping);
            expect_eq("calls in flight", path.in_flight(), 1);
        }
    );
}

#[test]
fn full_and_stopping() {
    case!(
        "On a full connection whose server stops it is no use to wait for a place.",
        || {
            let mut path = open(2);
            begin_all(&mut path, 2);
            expect_nothing("go-away", &mut path, ToClient::GoAway);
            expect_refused("a third call", &mut path, 3, Error::Stopping);
        }
    );
}

#[test]
fn a_connection_that_is_gone() {
    case!(
        "When the connection is gone, every waiter is given back, and none twice.",
        || {
            let mut path = open(10);
            let ids = begin_all(&mut path, 6);
            expect_reply("the reply to call 2", &mut path, ids[1], 2);
            expect_eq("cancel call 5", path.end(ids[4]), Some(5));
            let mut waiters = path.close();
            waiters.sort_unstable();
            expect_eq("waiters", waiters, vec![1, 3, 4, 6]);
            expect_eq("calls in flight then", path.in_flight(), 0);
            expect_eq("close again", path.close(), vec![]);
            expect_eq("at the deadline", expired(&mut path, at(1000)), vec![]);
            expect_eq("cancel call 1", path.end(ids[0]), None);
            expect_nothing("the reply to call 3", &mut path, reply(ids[2]));
        }
    );
}

#[test]
fn no_call_behind_a_close() {
    case!(
        "A connection that is gone takes no call in, also if the server had been stopping.",
        || {
            for is_stopping in [false, true] {
                let mut path = open(2);
                begin_all(&mut path, 2);
                if is_stopping {
                    expect_nothing("go-away", &mut path, ToClient::GoAway);
                }
                path.close();
                expect("further calls are refused", path.refuses_with().is_some());
                expect_refused("a call then", &mut path, 3, Error::Closed);
                expect_eq("calls in flight", path.in_flight(), 0);
            }
        }
    );
}
