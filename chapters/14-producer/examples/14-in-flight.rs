//! Some batches of one partition, of which one is refused and one answer is lost, with each rule
//! that keeps the order, as the trace of a figure: `book/src/traces/14-in-flight.json`.
//!
//! The part's sender decides what is sent and when. The broker is played: it takes the requests in
//! their order. Once it refuses a batch, and once an answer is lost, where the reader says so; both of
//! first attempts.

use std::collections::VecDeque;
use std::time::Duration;

use figure_trace::{States, Story};
use message_model::{Moment, Offset, ProducerEpoch, ProducerId};
use producer::part::sender::{Effect, Event};
use producer::part::{Answer, Batch, BatchId, Identity, Order, Rules, Sender, Slot};
use serde_json::{Map, Value, json};
use wire_protocol::ErrorCode;

const BATCHES: usize = 4;
/// What came last, and the verdict, in most states.
const USUAL: (&str, &str) = ("stored", "open");

/// A batch on its way.
#[derive(Debug, Clone, Copy)]
struct Request {
    batch: usize,
    attempt: u32,
    number: Option<i32>,
}

/// One order of what happens, and what has come of it.
struct History {
    sender: Sender,
    /// Whether the broker checks numbers.
    checks: bool,
    now: Moment,
    requests: VecDeque<Request>,
    log: Vec<usize>,
    /// What each batch is: "waits", "flight", "pause" or "done".
    batches: Vec<&'static str>,
    last: &'static str,
    may_refuse: bool,
    may_lose: bool,
}

impl History {
    fn new(order: Order) -> History {
        let sender = Sender::new(Rules {
            order,
            numbered: order == Order::Sequenced,
            in_flight_max: 5,
            retries: u32::MAX,
            backoff: Duration::from_millis(1),
        });
        let mut history = History {
            sender,
            checks: order == Order::Sequenced,
            now: Moment::START,
            requests: VecDeque::new(),
            log: Vec::new(),
            batches: vec!["waits"; BATCHES],
            last: "none",
            may_refuse: true,
            may_lose: true,
        };
        history.step(Event::Identity(Identity {
            id: ProducerId(1),
            epoch: ProducerEpoch(0),
        }));
        for id in 0..BATCHES {
            history.step(Event::Batch(Batch {
                id: BatchId(id as u64),
                slot: Slot(0),
                records: 1,
                bytes: 100,
                deliver_by: Moment::after_start(Duration::from_secs(60)),
            }));
        }
        history
    }

    fn step(&mut self, event: Event) {
        let mut effects = Vec::new();
        self.sender.step(self.now, event, &mut effects);
        for effect in effects {
            match effect {
                Effect::Send {
                    batch,
                    attempt,
                    number,
                    ..
                } => {
                    let batch = place(batch);
                    self.batches[batch] = "flight";
                    self.requests.push_back(Request {
                        batch,
                        attempt,
                        number: number.map(|number| number.sequence),
                    });
                }
                Effect::Done(batch, _) => self.batches[place(batch.id)] = "done",
                Effect::Split(..) | Effect::Renew(_) => unreachable!("nothing needs it here"),
            }
        }
    }

    /// What the broker answers to a request that it does not refuse.
    fn store(&mut self, request: Request) -> Answer {
        let end = i64::try_from(self.log.len()).unwrap_or(i64::MAX);
        // One record a batch, so a batch's number is its offset.
        let number = request.number.map_or(end, i64::from);
        if self.checks && number < end {
            self.last = "known";
            return Answer::Appended(Some(Offset(number)));
        }
        if self.checks && number > end {
            self.last = "early";
            return Answer::OutOfOrder;
        }
        self.log.push(request.batch);
        self.last = "stored";
        Answer::Appended(Some(Offset(end)))
    }
}

impl Story for History {
    type Step = &'static str;

    fn moves(&self) -> Vec<&'static str> {
        let mut moves = Vec::new();
        moves.extend((!self.sender.is_idle()).then_some("next"));
        if let Some(request) = self.requests.front() {
            let is_first = request.attempt == 1;
            moves.extend((is_first && self.may_refuse).then_some("refuse"));
            moves.extend((is_first && self.may_lose).then_some("lose"));
        }
        moves
    }

    fn make(&mut self, happens: &str) {
        let Some(request) = self.requests.pop_front() else {
            self.now = self.sender.next_deadline().unwrap_or(self.now);
            self.last = "pause";
            return self.step(Event::Tick);
        };
        let answer = match happens {
            "refuse" => {
                (self.may_refuse, self.last) = (false, "refused");
                Answer::NotNow(ErrorCode::NOT_LEADER_OR_FOLLOWER)
            }
            "lose" => {
                self.may_lose = false;
                self.store(request);
                self.last = "lost";
                Answer::Lost
            }
            _ => self.store(request),
        };
        self.batches[request.batch] = "pause";
        self.step(Event::Answer {
            batch: BatchId(request.batch as u64),
            slot: Slot(0),
            attempt: request.attempt,
            answer,
        });
    }

    fn is(&self) -> Value {
        let in_order = self.log.windows(2).all(|pair| pair[0] <= pair[1]);
        let mut batches = self.log.clone();
        batches.sort_unstable();
        batches.dedup();
        let is_twice = batches.len() < self.log.len();
        let verdict = match (self.sender.is_idle(), in_order, is_twice) {
            (false, ..) => "open",
            (true, true, false) => "right",
            (true, true, true) => "twice",
            (true, false, false) => "order",
            (true, false, true) => "both",
        };
        let mut is = Map::new();
        for (number, batch) in self.batches.iter().enumerate() {
            is.insert(format!("b{number}"), json!(batch));
        }
        let flight: Vec<_> = self.requests.iter().map(|request| request.batch).collect();
        is.insert("flight".to_owned(), json!(flight));
        is.insert("log".to_owned(), json!(self.log));
        if self.last != USUAL.0 {
            is.insert("last".to_owned(), json!(self.last));
        }
        if verdict != USUAL.1 {
            is.insert("verdict".to_owned(), json!(verdict));
        }
        Value::Object(is)
    }
}

/// The number of a batch, from 0 on.
fn place(batch: BatchId) -> usize {
    usize::try_from(batch.0).expect("none was cut in two")
}

pub(crate) fn trace() -> Value {
    let mut states = States::default();
    let starts: Map<_, _> = [
        ("several", Order::Nothing),
        ("one", Order::OneAtATime),
        ("checked", Order::Sequenced),
    ]
    .into_iter()
    .map(|(name, order)| {
        let start = states.of(|| History::new(order));
        (name.to_owned(), json!(start))
    })
    .collect();
    let always = json!({ "is": { "last": USUAL.0, "verdict": USUAL.1 }, "moves": {} });
    json!({ "starts": starts, "always": always, "states": states.by_name() })
}

fn main() {
    println!("{}", trace());
}
