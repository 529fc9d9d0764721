//! Random histories of a connection, beside the model.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use fastrand::Rng;
use message_model::Moment;
use spec_harness::case;

use super::model::{Known, Model};
use super::open::{Path, expired, item, open_after, reply, stream};
use super::part::{CallId, Error, Received, Side, ToClient};
use spec_harness::steps::{Both, Difference, breach, check, differ};

#[derive(Debug, Clone)]
enum Step {
    /// A call begins: its number, how long it has, and its window.
    Call(u32, Duration, u32),
    Reply(u32),
    Item(u32),
    Take(u32),
    Cancel(u32),
    /// A reply with an id that no call had.
    Unknown(CallId),
    Later(Duration),
    /// Later by as much as is left until the path wants to be looked at.
    Sleep,
    GoAway,
    Close,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Step::Call(number, time, 0) => write!(f, "call {number}, which has {time:?}"),
            Step::Call(number, time, window) => {
                write!(f, "call {number}, which has {time:?}, window {window}")
            }
            Step::Reply(number) => write!(f, "a reply to call {number}"),
            Step::Item(number) => write!(f, "an item for call {number}"),
            Step::Take(number) => write!(f, "an item of call {number} is taken"),
            Step::Cancel(number) => write!(f, "cancel call {number}"),
            Step::Unknown(id) => write!(f, "a reply to {id:?}"),
            Step::Later(by) => write!(f, "{by:?} later"),
            Step::Sleep => write!(f, "sleep until next_deadline() or an alarm"),
            Step::GoAway => write!(f, "go-away"),
            Step::Close => write!(f, "close"),
        }
    }
}

struct Connection {
    path: Path,
    model: Model,
    limit: usize,
    /// The ids of all calls that there were.
    ids: BTreeMap<u32, CallId>,
    now: Moment,
}

impl Connection {
    fn new(limit: usize, last: CallId) -> Connection {
        Connection {
            path: open_after(last, limit),
            model: Model::default(),
            limit,
            ids: BTreeMap::new(),
            now: Moment::START,
        }
    }

    fn call(&mut self, number: u32, time: Duration, window: u32) -> Option<Difference> {
        let deadline = self.now.plus(time);
        let got = self.path.call(stream(deadline, window, number));
        let full = (self.model.calls.len() >= self.limit).then_some(Error::Overloaded);
        let what = "what the last call gets";
        if let Some(ended) = self.model.refuses_with.or(full) {
            return differ(what, got, Err((number, ended)));
        }
        let Ok(id) = got else {
            return breach(false, what, &got, "an id");
        };
        let is_new = id != CallId::ONE_WAY && self.ids.values().all(|known| *known != id);
        self.ids.insert(number, id);
        self.model.calls.push(Known {
            number,
            id,
            deadline,
            window,
            credit: window,
            untaken: 0,
            taken: 0,
        });
        breach(is_new, what, &id, "an id that no call had, and not 0")
    }

    fn reply(&mut self, number: u32) -> Option<Difference> {
        let id = *self.ids.get(&number)?;
        let got = self.path.receive(reply(id));
        let expected = match self.model.end(number) {
            Some(number) => Received::Reply(number, Ok(Side::Value)),
            None => Received::Nothing,
        };
        differ("what the last reply means", got, expected)
    }

    fn item(&mut self, number: u32) -> Option<Difference> {
        let id = *self.ids.get(&number)?;
        let known = self.model.get(number);
        // A breach ends the connection, so that nothing comes behind it.
        if known.as_ref().is_some_and(|known| known.credit == 0) {
            return None;
        }
        let got = self.path.receive(item(id));
        let expected = match known {
            Some(known) => {
                known.credit -= 1;
                known.untaken += 1;
                Received::Item(&known.number)
            }
            None => Received::Nothing,
        };
        differ("what the last item means", got, expected)
    }

    /// Half of an odd window may be rounded up or down.
    fn take(&mut self, number: u32) -> Option<Difference> {
        let id = *self.ids.get(&number)?;
        let what = "credit for the server, when the last item was taken";
        let Some(known) = self.model.get(number) else {
            return differ(what, self.path.taken(id), None);
        };
        known.untaken = known.untaken.checked_sub(1)?;
        known.taken += 1;
        let (window, taken) = (known.window, known.taken);
        match self.path.taken(id) {
            None => {
                let expected = format!("{taken}, at least half of {window}");
                breach(taken * 2 < window, what, &"none", &expected)
            }
            Some(credit) => {
                known.credit += credit;
                known.taken = 0;
                let is_right = credit == taken && taken >= window / 2;
                let expected = match taken >= window / 2 {
                    true => taken.to_string(),
                    false => "none".to_owned(),
                };
                breach(is_right, what, &credit, &expected)
            }
        }
    }

    /// Goes on to a moment. If the connection was to wake up on the way, it does so now.
    fn later(&mut self, until: Moment) -> Option<Difference> {
        self.now = until;
        if self.path.wakes_at.is_none_or(|moment| moment > until) {
            return None;
        }
        let got = expired(&mut self.path, until);
        let found = differ("calls that expire", got, self.model.expire(until));
        self.path.wakes_at = self.path.next_deadline();
        let does_move = self.path.wakes_at.is_none_or(|moment| moment > until);
        let next = self.path.wakes_at;
        found.or_else(|| {
            breach(
                does_move,
                "next_deadline(), right after expire",
                &next,
                "later than now",
            )
        })
    }

    fn close(&mut self) -> Option<Difference> {
        let mut got = self.path.close();
        got.sort_unstable();
        let mut expected: Vec<_> = self
            .model
            .calls
            .drain(..)
            .map(|known| known.number)
            .collect();
        expected.sort_unstable();
        self.model.refuses_with = Some(Error::Closed);
        differ("the waiters of a closed connection", got, expected)
    }

    /// What holds between any two steps.
    fn invariants(&self) -> Option<Difference> {
        let (got, expected) = (self.path.in_flight(), self.model.calls.len());
        let of_length = differ("calls in flight", got, expected);
        let (got, expected) = (self.path.refuses_with(), self.model.refuses_with);
        let of_refusal = differ("refuses_with()", got, expected);
        of_length.or(of_refusal).or_else(|| {
            let first = self.model.first_deadline()?;
            let wakes_at = self.path.wakes_at;
            let is_in_time = wakes_at.is_some_and(|moment| moment <= first);
            let expected = format!("at or before the first deadline, {first:?}");
            breach(
                is_in_time,
                "when the connection looks again",
                &wakes_at,
                &expected,
            )
        })
    }
}

impl Both for Connection {
    type Step = Step;

    fn step(&mut self, step: &Step) -> Option<Difference> {
        let found = match step {
            Step::Call(number, time, window) => self.call(*number, *time, *window),
            Step::Reply(number) => self.reply(*number),
            Step::Item(number) => self.item(*number),
            Step::Take(number) => self.take(*number),
            Step::Cancel(number) => {
                let id = *self.ids.get(number)?;
                let got = self.path.end(id);
                differ(
                    "what the last cancel gives back",
                    got,
                    self.model.end(*number),
                )
            }
            Step::Unknown(id) => {
                if self.ids.values().any(|known| known == id) {
                    return None;
                }
                let got = self.path.receive(reply(*id));
                differ("what the last reply means", got, Received::Nothing)
            }
            Step::Later(by) => self.later(self.now.plus(*by)),
            Step::Sleep => {
                let until = self.path.wakes_at.map_or(self.now, |at| at.max(self.now));
                self.later(until)
            }
            Step::GoAway => {
                self.model.refuses_with.get_or_insert(Error::Stopping);
                let got = self.path.receive(ToClient::GoAway);
                differ("what go-away means", got, Received::Nothing)
            }
            Step::Close => self.close(),
        };
        found.or_else(|| self.invariants())
    }
}

#[test]
fn five_hundred_connections() {
    case!(
        "Whatever comes, each call has one end, in time, and no other call is disturbed.",
        || {
            for seed in 0..500 {
                let mut random = Rng::with_seed(seed);
                let lasts = [0, u32::MAX - 20, random.u32(..)];
                let last = CallId(lasts[random.usize(..3)]);
                let limit = [1, 2, 3, 10, 100][random.usize(..5)];
                let start = format!("a path with a limit of {limit}, the last id is {}", last.0);
                check(
                    Some(&start),
                    || Connection::new(limit, last),
                    steps(&mut random),
                );
            }
        }
    );
}

fn steps(random: &mut Rng) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut calls = 0_u32;
    for _ in 0..120 {
        // Mostly one of the last calls, which may be in flight.
        let back = if random.u8(0..4) == 0 { calls } else { 6 };
        let number = (calls + 1).saturating_sub(random.u32(..back + 1)).max(1);
        steps.push(match random.u16(0..1000) {
            0..2 => Step::Close,
            2..4 => Step::GoAway,
            4..20 => Step::Unknown(CallId(random.u32(..))),
            20..400 => {
                calls += 1;
                let time = [0, 1, 5, 100, 10_000][random.usize(..5)];
                let window = [0, 0, 1, 2, 5, 8][random.usize(..6)];
                Step::Call(calls, Duration::from_millis(time), window)
            }
            400..550 => Step::Reply(number),
            550..700 => Step::Item(number),
            700..800 => Step::Take(number),
            800..860 => Step::Cancel(number),
            860..930 => Step::Later(Duration::from_micros(random.u64(..20_000))),
            _ => Step::Sleep,
        });
    }
    steps
}
