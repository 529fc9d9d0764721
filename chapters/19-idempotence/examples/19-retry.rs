//! A producer with two batches in flight, a broker that is started again once, and two answers
//! to first attempts that may be lost, as the trace of a figure: `book/src/traces/19-retry.json`.
//!
//! What the broker remembers is the part's table. With "memory" a restart leaves nothing of it,
//! with "last" the last batch of the producer, with "five" what its snapshot has.

use std::collections::VecDeque;
use std::time::Duration;

use figure_trace::{States, Story};
use idempotence::{Limits, Remembered, Table, Turns};
use message_model::{Offset, ProducerEpoch, ProducerId, Timestamp};
use serde_json::{Map, Value, json};

const BATCHES: usize = 3;
const IN_FLIGHT_MAX: usize = 2;
const PRODUCER: ProducerId = ProducerId(1);
const EPOCH: ProducerEpoch = ProducerEpoch::FIRST;
/// What came last, and the verdict, in most states.
const USUAL: (&str, &str) = ("stored", "open");

const LIMITS: Limits = Limits {
    idle_max: Duration::from_secs(86_400),
    piece_max: 10,
};

/// What a restart leaves of what the broker remembers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rule {
    Memory,
    Last,
    Five,
}

/// One order of what happens, and what has come of it.
#[derive(Clone)]
struct History {
    rule: Rule,
    table: Table<()>,
    /// The numbers of the batches in the log; one record each.
    log: Vec<i32>,
    /// On their way, the oldest first.
    requests: VecDeque<i32>,
    /// What each batch is: "waits", "flight", "pause" (its answer is lost), "done" or "failed".
    batches: [&'static str; BATCHES],
    /// Those that were sent more than once.
    again: Vec<i32>,
    last: &'static str,
    /// How many answers may still be lost.
    may_lose: u32,
    may_restart: bool,
}

impl History {
    fn new(rule: Rule) -> History {
        let mut history = History {
            rule,
            table: Table::new(LIMITS, Turns::default()),
            log: Vec::new(),
            requests: VecDeque::new(),
            batches: ["waits"; BATCHES],
            again: Vec::new(),
            last: "none",
            may_lose: 2,
            may_restart: true,
        };
        history.send();
        history
    }

    /// Sends new batches, while there is room, and none has to be sent again first.
    fn send(&mut self) {
        if self.batches.contains(&"pause") || self.batches.contains(&"failed") {
            return;
        }
        while self.requests.len() < IN_FLIGHT_MAX {
            let Some(next) = self.batches.iter().position(|batch| *batch == "waits") else {
                return;
            };
            self.batches[next] = "flight";
            self.requests.extend(i32::try_from(next));
        }
    }

    /// The broker takes a batch, and returns whether it can say where it is.
    fn take(&mut self, number: i32) -> bool {
        let window = self.table.get(PRODUCER).map(|entry| &entry.window);
        if window.is_some_and(|window| window.find(EPOCH, number, number).is_some()) {
            self.last = "known";
            return true;
        }
        let last = window
            .and_then(|window| window.last())
            .map(|last| last.last);
        // A producer that is not known may begin with any number.
        if last.is_some_and(|last| number != last + 1) {
            self.last = "refused";
            return false;
        }
        let offset = i64::try_from(self.log.len()).unwrap_or(i64::MAX);
        let batch = Remembered {
            first: number,
            last: number,
            base_offset: Offset(offset),
            timestamp: Timestamp(offset),
        };
        self.table
            .note(Timestamp(offset), PRODUCER, EPOCH, Some(batch));
        self.log.push(number);
        self.last = "stored";
        true
    }

    fn restart(&mut self) {
        let window = self.table.get(PRODUCER).map(|entry| entry.window.clone());
        let last = window.as_ref().and_then(|window| window.last());
        let mut table = Table::new(LIMITS, Turns::default());
        match self.rule {
            Rule::Memory => {}
            Rule::Last => table.note(Timestamp(0), PRODUCER, EPOCH, last.copied()),
            Rule::Five => {
                if let Some(piece) = self.table.snapshot(None) {
                    let restored = table.restore(Timestamp(0), &piece.bytes);
                    restored.expect("the part has written it");
                }
            }
        }
        self.table = table;
    }
}

impl Story for History {
    type Step = &'static str;

    fn moves(&self) -> Vec<&'static str> {
        let mut moves = Vec::new();
        if self.batches.contains(&"failed") {
            return moves;
        }
        let is_open = self.batches.iter().any(|batch| *batch != "done");
        moves.extend(is_open.then_some("next"));
        let first = self.requests.front();
        let is_first_attempt = first.is_some_and(|number| !self.again.contains(number));
        moves.extend((self.may_lose > 0 && is_first_attempt).then_some("lose"));
        let may_restart = self.may_restart && is_open && !self.log.is_empty();
        moves.extend(may_restart.then_some("restart"));
        moves
    }

    fn make(&mut self, happens: &str) {
        if happens == "restart" {
            (self.may_restart, self.last) = (false, "restart");
            return self.restart();
        }
        let Some(number) = self.requests.pop_front() else {
            // Nothing is on its way: what has no answer is sent again, in its order.
            for (number, batch) in (0..).zip(&mut self.batches) {
                if *batch == "pause" && self.requests.len() < IN_FLIGHT_MAX {
                    *batch = "flight";
                    self.requests.push_back(number);
                    self.again.push(number);
                }
            }
            self.last = "again";
            return;
        };
        let is_taken = self.take(number);
        let place = usize::try_from(number).unwrap_or(0);
        self.batches[place] = match (is_taken, happens) {
            (true, "lose") => {
                self.last = "lost";
                "pause"
            }
            (true, _) => "done",
            (false, _) => "failed",
        };
        self.may_lose -= u32::from(happens == "lose");
        self.send();
    }

    fn is(&self) -> Value {
        let mut once = self.log.clone();
        once.sort_unstable();
        once.dedup();
        let is_done = self.batches.iter().all(|batch| *batch == "done");
        let verdict = match (self.batches.contains(&"failed"), is_done) {
            (true, _) => "stuck",
            (false, false) => USUAL.1,
            (false, true) if once.len() < self.log.len() => "twice",
            (false, true) => "right",
        };
        let mut is = Map::new();
        for (number, batch) in self.batches.iter().enumerate() {
            let shown = match *batch {
                "failed" => "pause",
                other => other,
            };
            is.insert(format!("b{number}"), json!(shown));
        }
        let entry = self.table.get(PRODUCER);
        let knows = entry.map(|entry| entry.window.batches().map(|batch| batch.first));
        let knows: Vec<_> = knows.into_iter().flatten().collect();
        is.insert("flight".to_owned(), json!(self.requests));
        is.insert("log".to_owned(), json!(self.log));
        is.insert("knows".to_owned(), json!(knows));
        if self.last != USUAL.0 {
            is.insert("last".to_owned(), json!(self.last));
        }
        if verdict != USUAL.1 {
            is.insert("verdict".to_owned(), json!(verdict));
        }
        Value::Object(is)
    }
}

pub(crate) fn trace() -> Value {
    let mut states = States::default();
    let rules = [
        ("memory", Rule::Memory),
        ("last", Rule::Last),
        ("five", Rule::Five),
    ];
    let starts: Map<_, _> = rules
        .into_iter()
        .map(|(name, rule)| (name.to_owned(), json!(states.of(|| History::new(rule)))))
        .collect();
    let always = json!({ "is": { "last": USUAL.0, "verdict": USUAL.1 }, "moves": {} });
    json!({ "starts": starts, "always": always, "states": states.by_name() })
}

fn main() {
    println!("{}", trace());
}
