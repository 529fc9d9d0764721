//! Three calls that have lost their leaders, and the look-ups that they share, as the trace of a
//! figure: `book/src/traces/13-look-ups.json`.
//!
//! The part's finder decides; the calls and the brokers are played here, in every order. An
//! answer is as old as its question.

use std::time::Duration;

use figure_trace::{States, Story};
use message_model::{BrokerId, LeaderEpoch, Moment};
use serde_json::{Value, json};
use solution::{Effect, Ended, Event, Finder, Route, RouteCache, WantId};

/// The calls, and the partition that each is for.
const CALLS: [(&str, usize); 3] = [("ann", 1), ("bob", 0), ("cid", 1)];
const OLD: BrokerId = BrokerId(7);
const NEW: BrokerId = BrokerId(8);
const TOPIC: &str = "t";

/// What a call does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Does {
    /// It is on its way to the broker that it takes for the leader.
    Sent { taken: Moment },
    /// It waits for the look-up.
    Waits,
    /// The new leader has it.
    Done,
}

/// One order of what happens, and what has come of it.
struct History {
    finder: Finder<&'static str, usize>,
    now: u64,
    calls: [Does; 3],
    /// The brokers that lead partitions 0 and 1.
    leaders: [BrokerId; 2],
    /// Of the look-up that is under way: its answer, and what was forgotten since.
    look_up: Option<([BrokerId; 2], bool)>,
    questions: u32,
    refusals: u32,
}

impl History {
    /// All three were sent to broker 7. Then partition 1 has moved.
    fn new() -> History {
        let cache = RouteCache::new(Duration::from_secs(300));
        let mut history = History {
            finder: Finder::new(cache),
            now: 0,
            calls: [Does::Waits; 3],
            leaders: [OLD, OLD],
            look_up: None,
            questions: 0,
            refusals: 0,
        };
        for call in 0..CALLS.len() {
            history.want(call);
        }
        history.answer();
        history.questions = 0;
        history.leaders[1] = NEW;
        history
    }

    fn at(&self) -> Moment {
        Moment::after_start(Duration::from_millis(self.now))
    }

    fn step(&mut self, event: Event<&'static str, usize, ()>) {
        let at = self.at();
        for effect in self.finder.step(at, event) {
            match effect {
                Effect::LookUp(_) => {
                    self.questions += 1;
                    self.look_up = Some((self.leaders, false));
                }
                Effect::End(call, Ended::Known) => self.send(call),
                Effect::End(..) => unreachable!("nothing fails here, and nothing is late"),
            }
        }
    }

    fn want(&mut self, call: usize) {
        self.calls[call] = Does::Waits;
        self.step(Event::Want {
            id: WantId(self.now * 10 + call as u64),
            key: TOPIC,
            index: Some(CALLS[call].1),
            deadline: Moment::after_start(Duration::from_secs(60)),
            waiter: call,
        });
    }

    /// A call knows a leader, and goes there.
    fn send(&mut self, call: usize) {
        let partition = CALLS[call].1;
        let route = self.finder.leader(self.at(), &TOPIC, partition);
        let route = route.expect("it is told that it is known");
        self.calls[call] = match route == self.leaders[partition] && route == NEW {
            true => Does::Done,
            false => Does::Sent { taken: self.at() },
        };
    }

    /// A call is refused: it forgets the route that it took, and wants another one.
    fn refuse(&mut self, call: usize) {
        let Does::Sent { taken } = self.calls[call] else {
            return;
        };
        let (index, at) = (CALLS[call].1, self.at());
        let was_believed = self.finder.leader(at, &TOPIC, index).is_some();
        self.refusals += 1;
        self.step(Event::Forget {
            key: TOPIC,
            index,
            taken,
        });
        let is_forgotten = was_believed && self.finder.leader(at, &TOPIC, index).is_none();
        if let (true, Some((_, is_outdated))) = (is_forgotten, &mut self.look_up) {
            *is_outdated = true;
        }
        self.want(call);
    }

    fn answer(&mut self) {
        let Some((leaders, _)) = self.look_up.take() else {
            return;
        };
        let routes = leaders.map(|leader| Route {
            leader: Some(leader),
            epoch: Some(LeaderEpoch(leader.0)),
        });
        self.step(Event::Answered(vec![(TOPIC, Ok(routes.to_vec()))]));
    }
}

impl Story for History {
    type Step = String;

    fn moves(&self) -> Vec<String> {
        let mut moves = Vec::new();
        for ((name, partition), does) in CALLS.iter().zip(self.calls) {
            let is_moved = self.leaders[*partition] == NEW;
            if is_moved && matches!(does, Does::Sent { .. }) {
                moves.push(format!("{name} is refused"));
            }
        }
        if self.leaders[0] == OLD {
            moves.push("partition 0 moves".to_owned());
        }
        if self.look_up.is_some() {
            moves.push("the answer comes".to_owned());
        }
        moves
    }

    fn make(&mut self, happens: &str) {
        self.now += 1;
        let named = CALLS.iter().position(|call| happens.starts_with(call.0));
        match (named, happens) {
            (Some(call), _) => self.refuse(call),
            (None, "partition 0 moves") => self.leaders[0] = NEW,
            (None, _) => self.answer(),
        }
    }

    fn is(&self) -> Value {
        let at = self.at();
        let known = |index| match self.finder.leader(at, &TOPIC, index) {
            Some(leader) => json!(leader.0),
            None => json!("forgotten"),
        };
        let calls = CALLS
            .iter()
            .zip(self.calls)
            .map(|((name, partition), does)| {
                let does = match does {
                    Does::Sent { taken } if taken == Moment::START => "sent",
                    Does::Sent { .. } => "sent again",
                    Does::Waits => "waits",
                    Does::Done => "done",
                };
                json!({ "name": name, "for": partition, "does": does })
            });
        let brings = |index: usize| match self.look_up {
            Some((leaders, _)) => json!(leaders[index].0),
            None => json!("none"),
        };
        let look_up = match self.look_up {
            None => "none",
            Some((_, false)) => "under way",
            Some((_, true)) => "outdated",
        };
        json!({
            "leads0": self.leaders[0].0, "leads1": self.leaders[1].0,
            "knows0": known(0), "knows1": known(1),
            "calls": calls.collect::<Vec<_>>(),
            "look_up": look_up,
            "brings0": brings(0), "brings1": brings(1),
            "questions": self.questions, "refusals": self.refusals,
            "again": self.calls.iter().any(is_again),
            "over": self.calls.iter().all(|does| *does == Does::Done),
        })
    }
}

/// Whether a call is on its way with its second route.
fn is_again(does: &Does) -> bool {
    matches!(does, Does::Sent { taken } if *taken != Moment::START)
}

pub(crate) fn trace() -> Value {
    let mut states = States::default();
    let start = states.of(History::new);
    json!({ "starts": { "": start }, "states": states.by_name() })
}

fn main() {
    println!("{}", trace());
}
