//! Replies and other messages.

use spec_harness::{case, expect_eq};

use super::open::{
    HELLO, Path, at, begin, begin_all, call, expect_nothing, expect_reply, expired, item, open,
    reply, silent,
};
use super::part::{CallId, Error, Hello, Received, Side, ToClient};

#[test]
fn a_reply_ends_its_call() {
    case!(
        "A reply ends its call: the waiter is given back, with what the server says of the end.",
        || {
            let mut path = open(10);
            let id = begin(&mut path, call(at(1000), 1));
            expect_eq("calls in flight", path.in_flight(), 1);
            expect_reply("the reply to call 1", &mut path, id, 1);
            expect_eq("calls in flight then", path.in_flight(), 0);
            let ends = [
                Ok(Side::Error),
                Err(Error::NoMethod),
                Err(Error::Overloaded),
            ];
            for (ended, number) in ends.into_iter().zip(2..) {
                let id = begin(&mut path, call(at(1000), number));
                let got = path.receive(ToClient::Reply(id, ended));
                let what = format!("the reply to call {number}");
                expect_eq(&what, got, Received::Reply(number, ended));
            }
        }
    );
}

#[test]
fn replies_in_any_order() {
    case!(
        "Replies come in any order, and each ends the call that has its id.",
        || {
            let mut path = open(10);
            let ids = begin_all(&mut path, 10);
            for number in [4_u32, 1, 10, 7, 2, 9, 3, 8, 6, 5] {
                let id = ids[number as usize - 1];
                expect_reply(
                    &format!("the reply to call {number}"),
                    &mut path,
                    id,
                    number,
                );
            }
            expect_eq("calls in flight then", path.in_flight(), 0);
        }
    );
}

#[test]
fn a_duplicate_reply() {
    case!(
        "The second reply to a call is about no call: it changes nothing.",
        || {
            let mut path = open(10);
            let ids = begin_all(&mut path, 3);
            expect_reply("the reply to call 2", &mut path, ids[1], 2);
            expect_nothing("the same reply again", &mut path, reply(ids[1]));
            expect_eq("calls in flight then", path.in_flight(), 2);
            expect_reply("the reply to call 1", &mut path, ids[0], 1);
            expect_reply("the reply to call 3", &mut path, ids[2], 3);
        }
    );
}

#[test]
fn an_unknown_id() {
    case!(
        "A message with an id that no call has changes nothing, and nothing breaks.",
        || {
            let mut path = open(4);
            let ids = begin_all(&mut path, 2);
            let near = ids
                .iter()
                .flat_map(|id| (3..40).map(|by| id.0.wrapping_add(by)));
            let far = [0, 0x8000_0000, u32::MAX, 1 << 16, 0x0100_0001];
            for id in near.chain(far).map(CallId).filter(|id| !ids.contains(id)) {
                expect_nothing(&format!("a reply to {id:?}"), &mut path, reply(id));
                expect_nothing(&format!("an item for {id:?}"), &mut path, item(id));
                expect_eq(&format!("cancel {id:?}"), path.end(id), None);
                expect_eq(&format!("taken from {id:?}"), path.taken(id), None);
            }
            expect_eq("calls in flight then", path.in_flight(), 2);
            expect_reply("the reply to call 1", &mut path, ids[0], 1);
            expect_reply("the reply to call 2", &mut path, ids[1], 2);
        }
    );
}

#[test]
fn a_call_that_is_cancelled() {
    case!(
        "A call that is cancelled gives its waiter back, once; its reply comes too late.",
        || {
            let mut path = open(10);
            let ids = begin_all(&mut path, 2);
            expect_eq("cancel call 1", path.end(ids[0]), Some(1));
            expect_eq("cancel it again", path.end(ids[0]), None);
            expect_nothing("its reply", &mut path, reply(ids[0]));
            expect_eq("calls in flight then", path.in_flight(), 1);
            expect_eq(
                "what ends at 1000 ms, the deadline of both calls",
                expired(&mut path, at(1000)),
                vec![(ids[1], 2)],
            );
        }
    );
}

#[test]
fn hello_comes_first() {
    case!(
        "The server's first message is a hello of our version. Anything else breaks the protocol.",
        || {
            let hello = |magic, version| ToClient::Hello(Hello { magic, version });
            let messages = [
                hello(*b"mqrp", 2),
                hello(*b"mqtt", 1),
                ToClient::Pong,
                ToClient::GoAway,
                reply(CallId(1)),
                item(CallId(1)),
            ];
            for message in messages {
                let mut path = silent(CallId::ONE_WAY, 10);
                let what = format!("{message:?} as the first message");
                expect_eq(&what, path.receive(message), Received::Breach);
            }
        }
    );
}

#[test]
fn hello_comes_once() {
    case!(
        "Behind the first hello there is no other one, and a pong means nothing.",
        || {
            let mut path = open(10);
            expect_nothing("a pong", &mut path, ToClient::Pong);
            expect_eq("a second hello", path.receive(HELLO), Received::Breach);
        }
    );
}

#[test]
fn a_breach_ends_no_call() {
    case!(
        "A breach gives no waiter back: the connection is closed then, and `close` gives it back.",
        || {
            let expect_breach = |what: &str, mut path: Path, message: fn(CallId) -> ToClient| {
                let id = begin(&mut path, call(at(1000), 1));
                expect_eq(what, path.receive(message(id)), Received::Breach);
                expect_eq(&format!("close, after {what}"), path.close(), vec![1]);
            };
            let silent = || silent(CallId::ONE_WAY, 10);
            let of_version_2 = |_| {
                ToClient::Hello(Hello {
                    version: 2,
                    ..Hello::OURS
                })
            };
            expect_breach("a reply before the hello", silent(), reply);
            expect_breach("an item before the hello", silent(), item);
            expect_breach("a hello of another version", silent(), of_version_2);
            expect_breach("a second hello", open(10), |_| HELLO);
            expect_breach("an item without credit", open(10), item);
        }
    );
}

#[test]
fn calls_before_the_hello() {
    case!(
        "A call does not wait for the hello: it may be sent before, and gets its reply after it.",
        || {
            let mut path = silent(CallId::ONE_WAY, 10);
            let id = begin(&mut path, call(at(1000), 1));
            expect_nothing("the hello", &mut path, HELLO);
            expect_reply("the reply to call 1", &mut path, id, 1);
        }
    );
}
