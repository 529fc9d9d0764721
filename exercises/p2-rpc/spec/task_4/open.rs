//! A call path with an open connection, as the cases use it.

use std::ops::{Deref, DerefMut};
use std::time::Duration;

use message_model::Moment;
use spec_harness::{expect_eq, fail};

use super::part::{CallId, CallPath, Error, Hello, Received, Side, ToClient};

/// The moment so many milliseconds after the start.
pub(super) fn at(millis: u64) -> Moment {
    Moment::after_start(Duration::from_millis(millis))
}

/// A call path, and the moment at which the connection looks at it again. The waiter of a
/// call is its number.
pub(super) struct Path {
    path: CallPath<u32>,
    pub(super) wakes_at: Option<Moment>,
    /// What came with the last call.
    pub(super) alarm: Option<Moment>,
}

impl Deref for Path {
    type Target = CallPath<u32>;

    fn deref(&self) -> &CallPath<u32> {
        &self.path
    }
}

impl DerefMut for Path {
    fn deref_mut(&mut self) -> &mut CallPath<u32> {
        &mut self.path
    }
}

/// A call that is about to begin.
#[derive(Debug, Clone, Copy)]
pub(super) struct NewCall {
    deadline: Moment,
    window: u32,
    number: u32,
}

pub(super) const HELLO: ToClient = ToClient::Hello(Hello::OURS);

/// A path on which the server has said hello.
pub(super) fn open(limit: usize) -> Path {
    open_after(CallId::ONE_WAY, limit)
}

/// The same, with ids from the one behind `last` on.
pub(super) fn open_after(last: CallId, limit: usize) -> Path {
    let mut path = silent(last, limit);
    expect_eq("the server's hello", path.receive(HELLO), Received::Nothing);
    path
}

/// A path on which the server has said nothing.
pub(super) fn silent(last: CallId, limit: usize) -> Path {
    Path {
        path: CallPath::new(last, limit),
        wakes_at: None,
        alarm: None,
    }
}

/// A call for a single reply.
pub(super) fn call(deadline: Moment, number: u32) -> NewCall {
    stream(deadline, 0, number)
}

/// A call for items.
pub(super) fn stream(deadline: Moment, window: u32, number: u32) -> NewCall {
    NewCall {
        deadline,
        window,
        number,
    }
}

/// Begins a call, for which there is room, and returns its id.
pub(super) fn begin(path: &mut Path, call: NewCall) -> CallId {
    path.call(call).unwrap_or_else(|(_, error)| {
        let what = format!("call {}, for which there is room", call.number);
        fail(&what, "an id", &format!("{error:?}"))
    })
}

/// Begins the calls 1 to `count`, with a second for each.
pub(super) fn begin_all(path: &mut Path, count: u32) -> Vec<CallId> {
    let calls = 1..=count;
    calls
        .map(|number| begin(path, call(at(1000), number)))
        .collect()
}

/// Checks that a call is refused, and its waiter given back.
pub(super) fn expect_refused(what: &str, path: &mut Path, number: u32, expected: Error) {
    let got = path.call(call(at(1000), number));
    expect_eq(what, got, Err((number, expected)));
}

pub(super) fn reply(id: CallId) -> ToClient {
    ToClient::Reply(id, Ok(Side::Value))
}

pub(super) fn item(id: CallId) -> ToClient {
    ToClient::Item(id)
}

/// Checks that a reply ends this call.
pub(super) fn expect_reply(what: &str, path: &mut Path, id: CallId, number: u32) {
    let expected = Received::Reply(number, Ok(Side::Value));
    expect_eq(what, path.receive(reply(id)), expected);
}

/// Checks that an item goes to this call.
pub(super) fn expect_item(what: &str, path: &mut Path, id: CallId, number: u32) {
    expect_eq(what, path.receive(item(id)), Received::Item(&number));
}

pub(super) fn expect_nothing(what: &str, path: &mut Path, message: ToClient) {
    expect_eq(what, path.receive(message), Received::Nothing);
}

/// The calls that have expired, by their numbers.
pub(super) fn expired(path: &mut Path, now: Moment) -> Vec<(CallId, u32)> {
    let mut expired = path.expire(now);
    expired.sort_by_key(|(_, number)| *number);
    expired
}

impl Path {
    /// Begins a call. The connection hears of an alarm.
    pub(super) fn call(&mut self, call: NewCall) -> Result<CallId, (u32, Error)> {
        let NewCall {
            deadline,
            window,
            number,
        } = call;
        let (id, alarm) = self.path.call(deadline, window, number)?;
        self.alarm = alarm;
        self.wakes_at = self.wakes_at.into_iter().chain(alarm).min();
        Ok(id)
    }

    /// Goes on to `now`. The connection wakes up on the way, when the path has said so, and
    /// at no other time. Returns which calls have expired, and when.
    pub(super) fn sleep(&mut self, now: Moment) -> Vec<(Moment, u32)> {
        let mut seen = Vec::new();
        let mut looks = 0;
        while let Some(moment) = self.wakes_at.filter(|moment| *moment <= now) {
            looks += 1;
            if looks > 1000 {
                fail(
                    "next_deadline() after expire() was called at it",
                    "a later moment, or None",
                    &format!("{moment:?} again"),
                );
            }
            let ended = expired(self, moment);
            seen.extend(ended.into_iter().map(|(_, number)| (moment, number)));
            self.wakes_at = self.path.next_deadline();
        }
        seen
    }
}
