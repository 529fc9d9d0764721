//! One half message, and all that can happen to it, as the trace of a figure:
//! `book/src/traces/17-half-message.json`.
//!
//! The part's machine is the keeper. Producer A sends the half message and runs the local
//! transaction, in steps; it may die, and its word may be lost. The keeper may die once,
//! between any two effects. Producer B answers checks from the database.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use figure_trace::States;
use message_model::{Offset, Timestamp};
use serde_json::{Map, Value, json};
use transactions::{Decision, Effect, End, Event, HalfMessages, Op, Replay, Schedule};

const HALF: Offset = Offset(0);
const SCHEDULE: Schedule = Schedule {
    first: Duration::from_secs(6),
    longest: Duration::from_secs(60),
    checks_max: 2,
};

/// Everything, after some steps.
#[derive(Debug, Clone)]
struct World {
    now: Timestamp,
    machine: HalfMessages,
    /// What the keeper has decided to do, and not done yet.
    effects: VecDeque<Effect>,
    /// Whether the half message is in its topic, and when it was sent.
    half: Option<Timestamp>,
    ops: Vec<(Timestamp, Op)>,
    copies: u32,
    is_aside: bool,
    /// A check is on its way.
    is_asked: bool,
    /// What the database says.
    database: Option<Decision>,
    /// Where producer A is: "begins", "half", "local", "said", "lost", "refused" or "dead".
    a: &'static str,
    may_crash: bool,
    last: &'static str,
}

impl World {
    fn new() -> World {
        World {
            now: Timestamp(0),
            machine: HalfMessages::new(SCHEDULE, 10, &Replay::new()),
            effects: VecDeque::new(),
            half: None,
            ops: Vec::new(),
            copies: 0,
            is_aside: false,
            is_asked: false,
            database: None,
            a: "begins",
            may_crash: true,
            last: "none",
        }
    }

    fn moves(&self) -> Vec<&'static str> {
        if !self.effects.is_empty() {
            let crash = self.may_crash.then_some("crash");
            return ["next"].into_iter().chain(crash).collect();
        }
        let mut moves = Vec::new();
        if ["begins", "half", "local"].contains(&self.a) {
            moves.extend(["next", "die"]);
        }
        moves.extend((self.a == "local").then_some("lose"));
        moves.extend(self.is_asked.then_some("answer"));
        moves.extend(self.machine.next_due().map(|_| "time"));
        moves
    }

    fn make(&mut self, step: &str) {
        match step {
            "next" => match self.effects.pop_front() {
                Some(effect) => self.carry_out(effect),
                None => self.step_a(),
            },
            "die" => (self.a, self.last) = ("dead", "died"),
            "lose" => (self.a, self.last) = ("lost", "lost"),
            "time" => {
                self.now = self.machine.next_due().unwrap_or(self.now);
                (self.is_asked, self.last) = (false, "time");
                self.tell(Event::Tick);
            }
            "answer" => {
                // The row that the answer leaves keeps A from committing later.
                let decision = *self.database.get_or_insert(Decision::RollBack);
                (self.is_asked, self.last) = (false, "answered");
                self.tell(Event::Outcome {
                    half: HALF,
                    decision,
                });
            }
            _ => {
                let mut replay = Replay::new();
                self.half
                    .into_iter()
                    .for_each(|sent| replay.half(HALF, sent));
                for (written, op) in &self.ops {
                    replay.op(HALF, *written, *op);
                }
                self.machine = HalfMessages::new(SCHEDULE, 10, &replay);
                self.effects.clear();
                (self.may_crash, self.last) = (false, "crashed");
            }
        }
    }

    fn step_a(&mut self) {
        (self.a, self.last) = match (self.a, self.database) {
            ("begins", _) => {
                self.half = Some(self.now);
                self.tell(Event::Half {
                    half: HALF,
                    sent: self.now,
                });
                ("half", "sent")
            }
            ("half", None) => {
                self.database = Some(Decision::Commit);
                ("local", "committed")
            }
            ("half", Some(_)) => ("refused", "refused"),
            _ => {
                self.tell(Event::Outcome {
                    half: HALF,
                    decision: Decision::Commit,
                });
                ("said", "said")
            }
        };
    }

    fn tell(&mut self, event: Event) {
        self.effects.extend(self.machine.step(self.now, event));
    }

    fn carry_out(&mut self, effect: Effect) {
        self.last = match effect {
            Effect::Copy(_) => {
                self.copies += 1;
                "copied"
            }
            Effect::SetAside(_) => {
                self.is_aside = true;
                "aside"
            }
            Effect::Mark(_, op) => {
                self.ops.push((self.now, op));
                if matches!(op, Op::Checked(_)) {
                    "noted"
                } else {
                    "marked"
                }
            }
            Effect::Ask(_) => {
                self.is_asked = true;
                "asked"
            }
            Effect::Report(..) => "reported",
        };
    }

    /// How it has ended, for the order and for the message.
    fn verdict(&self) -> &'static str {
        if !self.effects.is_empty() || self.machine.open() > 0 {
            return "open";
        }
        match (self.a, self.copies, self.database) {
            ("begins" | "half" | "local", ..) => "open",
            (_, 0, _) if self.is_aside => "aside",
            (_, 1, Some(Decision::Commit)) => "both",
            (_, 2, Some(Decision::Commit)) => "twice",
            (_, 0, None | Some(Decision::RollBack)) => "neither",
            other => unreachable!("both sides agree, or people are asked: {other:?}"),
        }
    }

    fn is(&self) -> Value {
        let op = |(_, op): &(Timestamp, Op)| match op {
            Op::Checked(number) => format!("checked {number}"),
            Op::Done(End::Committed) => "committed".to_owned(),
            Op::Done(End::RolledBack) => "rolled back".to_owned(),
            Op::Done(End::SetAside) => "set aside".to_owned(),
        };
        let todo = self
            .effects
            .front()
            .map_or("nothing", |effect| match effect {
                Effect::Copy(_) => "copy",
                Effect::SetAside(_) => "aside",
                Effect::Mark(..) => "mark",
                Effect::Ask(_) => "ask",
                Effect::Report(..) => "report",
            });
        let copies = (0..self.copies).map(|_| "order-7");
        json!({
            "a": self.a,
            "database": match self.database {
                None => "empty",
                Some(Decision::Commit) => "committed",
                Some(_) => "rolled back",
            },
            "half": self.half.map_or("", |_| "order-7"),
            "op": self.ops.iter().map(op).collect::<Vec<_>>(),
            "orders": copies.collect::<Vec<_>>(),
            "asked": self.is_asked,
            "todo": todo,
            "last": self.last,
            "verdict": self.verdict(),
        })
    }
}

/// All that can follow. There are so many ways to each world that none is looked at twice.
#[derive(Default)]
struct Worlds {
    /// The names of their states, by what they are to the last detail.
    known: BTreeMap<String, String>,
    states: States,
}

impl Worlds {
    fn of(&mut self, world: &World) -> String {
        let detail = format!("{world:?}");
        if let Some(name) = self.known.get(&detail) {
            return name.clone();
        }
        let mut moves = Map::new();
        for step in world.moves() {
            let mut next = world.clone();
            next.make(step);
            moves.insert(step.to_owned(), json!(self.of(&next)));
        }
        let name = self.states.add(&world.is(), &moves);
        self.known.insert(detail, name.clone());
        name
    }
}

pub(crate) fn trace() -> Value {
    let mut worlds = Worlds::default();
    let start = worlds.of(&World::new());
    json!({ "starts": { "": start }, "states": worlds.states.by_name() })
}

fn main() {
    println!("{}", trace());
}
