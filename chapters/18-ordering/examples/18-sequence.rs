//! Three batches of one producer: the first goes alone, the other two are in flight, and one
//! of them is retried. As the trace of a figure: `book/src/traces/18-sequence.json`.
//!
//! Chapter 14's sender decides what is sent and when, and this chapter's rule decides what
//! the broker takes. The network is the reader's: either request may arrive first, and one of
//! them may be refused or lose its answer.

use std::collections::BTreeMap;
use std::time::Duration;

use figure_trace::{States, Story};
use message_model::{Moment, Offset, ProducerEpoch, ProducerId};
use ordering::{Numbered, Standing, note, sequence};
use producer::part::sender::{Effect, Event};
use producer::part::{Answer, Batch, BatchId, Identity, Order, Outcome, Rules, Sender, Slot};
use serde_json::{Map, Value, json};
use wire_protocol::ErrorCode;

/// How many records each batch has.
const COUNTS: [u32; 3] = [3, 2, 5];
/// What came last, and the verdict, in most states.
const USUAL: (&str, &str) = ("stored", "open");

/// A batch on its way.
#[derive(Debug, Clone, Copy)]
struct Request {
    batch: usize,
    attempt: u32,
    first: i32,
}

impl Request {
    fn numbered(self) -> Numbered {
        Numbered {
            epoch: ProducerEpoch::FIRST,
            first: self.first,
            count: COUNTS[self.batch],
        }
    }
}

/// The broker: its log, what it knows of the producer, and which batches it has.
#[derive(Default)]
struct Broker {
    checks: bool,
    standing: Option<Standing>,
    log: Vec<usize>,
    known: BTreeMap<i32, i64>,
    end: i64,
}

impl Broker {
    /// The answer, and what happened. Batches that come again are found as in chapter 19.
    fn produce(&mut self, request: Request) -> (Answer, &'static str) {
        let batch = request.numbered();
        if let (true, Some(offset)) = (self.checks, self.known.get(&batch.first)) {
            return (Answer::Appended(Some(Offset(*offset))), "known");
        }
        if self.checks && sequence(self.standing.as_ref(), batch).is_err() {
            return (Answer::OutOfOrder, "early");
        }
        self.standing = Some(note(self.standing.as_ref(), batch));
        self.log.push(request.batch);
        self.known.insert(batch.first, self.end);
        let offset = self.end;
        self.end += i64::from(batch.count);
        (Answer::Appended(Some(Offset(offset))), "stored")
    }
}

/// One order of what happens, and what has come of it.
struct History {
    sender: Sender,
    broker: Broker,
    now: Moment,
    requests: Vec<Request>,
    /// What each batch is: "waits", "flight", "pause" or "done".
    batches: [&'static str; COUNTS.len()],
    numbers: [Option<i32>; COUNTS.len()],
    /// What has failed.
    failed: bool,
    last: &'static str,
    faults: u32,
}

impl History {
    fn new(checks: bool) -> History {
        let sender = Sender::new(Rules {
            order: Order::Sequenced,
            numbered: true,
            in_flight_max: 2,
            retries: u32::MAX,
            backoff: Duration::from_millis(1),
        });
        let mut history = History {
            sender,
            broker: Broker {
                checks,
                ..Broker::default()
            },
            now: Moment::START,
            requests: Vec::new(),
            batches: ["waits"; COUNTS.len()],
            numbers: [None; COUNTS.len()],
            failed: false,
            last: "none",
            faults: 1,
        };
        history.step(Event::Identity(Identity {
            id: ProducerId(1),
            epoch: ProducerEpoch::FIRST,
        }));
        for (id, records) in (0..).zip(COUNTS) {
            history.step(Event::Batch(Batch {
                id: BatchId(id),
                slot: Slot(0),
                records,
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
                    let first = number.map_or(-1, |number| number.sequence);
                    self.batches[batch] = "flight";
                    self.numbers[batch] = Some(first);
                    self.requests.push(Request {
                        batch,
                        attempt,
                        first,
                    });
                }
                Effect::Done(batch, outcome) => {
                    self.batches[place(batch.id)] = "done";
                    self.failed |= matches!(outcome, Outcome::Failed(_));
                }
                Effect::Split(..) | Effect::Renew(_) => unreachable!("nothing needs it here"),
            }
        }
    }
}

impl Story for History {
    type Step = &'static str;

    fn moves(&self) -> Vec<&'static str> {
        let mut moves = Vec::new();
        moves.extend((!self.sender.is_idle()).then_some("next"));
        moves.extend((self.requests.len() > 1).then_some("second"));
        // The first batch goes alone: what happens to it shows nothing.
        let is_second = self
            .requests
            .first()
            .is_some_and(|request| request.batch > 0);
        if is_second && self.faults > 0 {
            moves.extend(["refuse", "lose"]);
        }
        moves
    }

    fn make(&mut self, happens: &str) {
        if self.requests.is_empty() {
            self.now = self.sender.next_deadline().unwrap_or(self.now);
            self.last = "pause";
            return self.step(Event::Tick);
        }
        let request = self.requests.remove(usize::from(happens == "second"));
        let answer = match happens {
            "refuse" => {
                (self.faults, self.last) = (0, "refused");
                Answer::NotNow(ErrorCode::NOT_LEADER_OR_FOLLOWER)
            }
            "lose" => {
                self.broker.produce(request);
                (self.faults, self.last) = (0, "lost");
                Answer::Lost
            }
            _ => {
                let (answer, last) = self.broker.produce(request);
                self.last = last;
                answer
            }
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
        let in_order = self.broker.log.is_sorted();
        let mut batches = self.broker.log.clone();
        batches.sort_unstable();
        batches.dedup();
        let is_twice = batches.len() < self.broker.log.len();
        let verdict = match (self.sender.is_idle(), in_order, is_twice) {
            _ if self.failed => "failed",
            (false, ..) => "open",
            (true, true, false) => "right",
            (true, true, true) => "twice",
            (true, false, false) => "order",
            (true, false, true) => "both",
        };
        let mut is = Map::new();
        for (number, batch) in self.batches.iter().enumerate() {
            is.insert(format!("b{number}"), json!(batch));
            let numbers = self.numbers[number].map(|first| span(first, COUNTS[number]));
            is.insert(format!("n{number}"), json!(numbers.unwrap_or_default()));
        }
        let flight: Vec<_> = self.requests.iter().map(|one| name(one.batch)).collect();
        let log: Vec<_> = self.broker.log.iter().map(|batch| name(*batch)).collect();
        is.insert("flight".to_owned(), json!(flight));
        is.insert("log".to_owned(), json!(log));
        let last = self.broker.standing.and_then(|standing| standing.last);
        let next = last.map_or(String::new(), |last| (last + 1).to_string());
        is.insert("expects".to_owned(), json!(next));
        if self.last != USUAL.0 {
            is.insert("last".to_owned(), json!(self.last));
        }
        if verdict != USUAL.1 {
            is.insert("verdict".to_owned(), json!(verdict));
        }
        Value::Object(is)
    }
}

/// The numbers of a batch: `3–4`.
fn span(first: i32, count: u32) -> String {
    let batch = Numbered {
        epoch: ProducerEpoch::FIRST,
        first,
        count,
    };
    format!("{first}–{}", batch.last())
}

/// A, B, C.
fn name(batch: usize) -> &'static str {
    ["A", "B", "C"][batch]
}

/// The number of a batch, from 0 on.
fn place(batch: BatchId) -> usize {
    usize::try_from(batch.0).expect("none was cut in two")
}

pub(crate) fn trace() -> Value {
    let mut states = States::default();
    let starts: Map<_, _> = [("without", false), ("with", true)]
        .into_iter()
        .map(|(name, checks)| {
            let start = states.of(|| History::new(checks));
            (name.to_owned(), json!(start))
        })
        .collect();
    let always = json!({ "is": { "last": USUAL.0, "verdict": USUAL.1 }, "moves": {} });
    json!({ "starts": starts, "always": always, "states": states.by_name() })
}

fn main() {
    println!("{}", trace());
}
