//! Every short history of calls, beside what must hold in each.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write;

use spec_harness::{case, expect_eq, fail};

use super::super::part::accumulator::{Effect, Event};
use super::super::part::{Accumulator, Append, Batch, Slot, Ticket};
use super::{append, calls, millis};

const MEMORY: usize = 200;

/// One thing that happens, one millisecond after the one before it.
#[derive(Debug, Clone, Copy)]
enum Step {
    /// A call with a record of so many bytes for that partition.
    Call(usize, usize),
    /// The first call that was admitted comes again.
    Again,
    /// The last call that waits, or was admitted, is gone.
    Gone,
    Room(usize),
    /// The batch that was sent first is settled.
    Settled,
    Flush,
    /// Five milliseconds more pass.
    Later,
}

const STEPS: &[Step] = &[
    Step::Call(0, 40),
    Step::Call(0, 90),
    Step::Call(1, 150),
    Step::Again,
    Step::Gone,
    Step::Room(0),
    Step::Room(1),
    Step::Settled,
    Step::Flush,
    Step::Later,
];

/// An accumulator, and what its effects say.
#[derive(Clone)]
struct Play {
    accumulator: Accumulator,
    now: u64,
    next: u64,
    /// Calls that wait, and those that were admitted.
    waiting: VecDeque<Append>,
    admitted: VecDeque<Append>,
    /// Of each partition: the calls that were put, and not sent.
    put: [VecDeque<(u64, Append)>; 2],
    sent: VecDeque<Batch>,
    room: [usize; 2],
    problem: Option<(String, String)>,
}

impl Play {
    fn take(&mut self, step: Step) -> bool {
        self.now += 1;
        let event = match step {
            Step::Call(slot, size) => {
                let record = append(self.next, slot, size);
                self.next += 1;
                self.waiting.push_back(record);
                Event::Append(record)
            }
            Step::Again => match self.admitted.pop_front() {
                Some(record) => {
                    self.waiting.push_front(record);
                    Event::Append(record)
                }
                None => return false,
            },
            Step::Gone => match self.waiting.pop_back().or_else(|| self.admitted.pop_back()) {
                Some(record) => Event::Withdraw(record.ticket),
                None => return false,
            },
            Step::Room(slot) => {
                self.room[slot] += 1;
                Event::Room(Slot(slot))
            }
            Step::Settled => match self.sent.pop_front() {
                Some(batch) => Event::Release(batch.bytes),
                None => return false,
            },
            Step::Flush => Event::Flush,
            Step::Later => {
                self.now += 5;
                Event::Tick
            }
        };
        let mut effects = Vec::new();
        self.accumulator.step(millis(self.now), event, &mut effects);
        for effect in effects {
            self.apply(effect);
        }
        self.check();
        true
    }

    fn wrong(&mut self, rule: &str, seen: String) {
        self.problem.get_or_insert((rule.to_owned(), seen));
    }

    fn remove(&mut self, ticket: Ticket) -> Option<Append> {
        let place = self.waiting.iter().position(|one| one.ticket == ticket);
        let record = place.and_then(|place| self.waiting.remove(place));
        if record.is_none() {
            self.wrong(
                "an effect is for a call that was made and waits",
                format!("{ticket:?}"),
            );
        }
        record
    }

    fn apply(&mut self, effect: Effect) {
        match effect {
            Effect::Put { ticket, batch, .. } => {
                if let Some(record) = self.remove(ticket) {
                    self.put[record.slot.0].push_back((batch.0, record));
                }
            }
            Effect::Park(_) => {}
            Effect::Admit(ticket) => {
                let first = self.waiting.front().map(|one| one.ticket);
                if first != Some(ticket) {
                    self.wrong(
                        "the call that came first is admitted first",
                        format!("{effect:?}"),
                    );
                }
                let record = self.remove(ticket);
                self.admitted.extend(record);
            }
            Effect::Refuse(ticket, _) => {
                self.remove(ticket);
                self.wrong("nothing is refused before its time", format!("{effect:?}"));
            }
            Effect::Send(batch) => self.sent(batch),
            Effect::Expire(_) => {
                self.wrong("nothing expires before its time", format!("{effect:?}"))
            }
        }
    }

    fn sent(&mut self, batch: Batch) {
        let slot = batch.slot.0;
        let put = &mut self.put[slot];
        let count = (batch.records as usize).min(put.len());
        let records: Vec<(u64, Append)> = put.drain(..count).collect();
        let bytes: usize = records.iter().map(|one| one.1.size).sum();
        let are_its = records.iter().all(|one| one.0 == batch.id.0);
        if !are_its || bytes != batch.bytes || records.is_empty() {
            let rule = "a batch has the records that were put into it, and the oldest is sent";
            self.wrong(rule, format!("{batch:?} with {records:?}"));
        }
        if batch.bytes > 100 && batch.records > 1 {
            self.wrong(
                "a batch has at most 100 bytes, or one record",
                format!("{batch:?}"),
            );
        }
        if self.room[slot] == 0 {
            self.wrong("a batch is sent if there is room", format!("{batch:?}"));
        }
        self.room[slot] = self.room[slot].saturating_sub(1);
        self.sent.push_back(batch);
    }

    fn check(&mut self) {
        let put = self.put.iter().flatten().map(|one| one.1.size);
        let admitted = self.admitted.iter().map(|one| one.size);
        let sent = self.sent.iter().map(|batch| batch.bytes);
        let used = put.chain(admitted).chain(sent).sum::<usize>();
        if self.accumulator.used() != used || used > MEMORY {
            let rule = format!("{used} bytes are in use, of {MEMORY}");
            self.wrong(&rule, format!("used() is {}", self.accumulator.used()));
        }
        if let Some(first) = self.waiting.front().copied() {
            if used + first.size <= MEMORY {
                self.wrong(
                    "a call waits only if there is no room",
                    format!("{first:?} waits"),
                );
            }
            for slot in 0..2 {
                if self.room[slot] > 0 && !self.put[slot].is_empty() {
                    let rule = "no batch lingers as long as a call waits";
                    self.wrong(rule, format!("partition {slot} has {:?}", self.put[slot]));
                }
            }
        }
    }
}

fn explore(play: &Play, history: &mut Vec<Step>, length: usize) {
    if let Some((rule, seen)) = &play.problem {
        let mut text = String::from("a history, one step each millisecond:");
        for step in history.iter() {
            let _ = write!(text, "\n- {step:?}");
        }
        fail(&text, rule, seen);
    }
    if history.len() == length {
        return;
    }
    for step in STEPS {
        let mut next = play.clone();
        if next.take(*step) {
            history.push(*step);
            explore(&next, history, length);
            history.pop();
        }
    }
}

#[test]
fn every_short_history() {
    case!(
        "Every history of five steps, in an accumulator with room for 200 bytes.",
        || {
            let play = Play {
                accumulator: calls(MEMORY).accumulator,
                now: 0,
                next: 0,
                waiting: VecDeque::new(),
                admitted: VecDeque::new(),
                put: [VecDeque::new(), VecDeque::new()],
                sent: VecDeque::new(),
                room: [0, 0],
                problem: None,
            };
            for length in 1..=5 {
                explore(&play, &mut Vec::new(), length);
            }
        }
    );
}

#[test]
fn a_thousand_partitions() {
    case!(
        "A thousand partitions, each with a batch, in the order of their calls.",
        || {
            let mut calls = calls(1_000_000);
            let mut expected = BTreeMap::new();
            for slot in 0..1_000 {
                calls.send(0, slot, 10);
                calls.send(0, slot, 10);
                calls.step(0, Event::Room(Slot(slot)));
                expected.insert(slot, 2);
            }
            let sent = calls.step(5, Event::Tick).into_iter();
            let sent = sent.filter_map(|effect| match effect {
                Effect::Send(batch) => Some((batch.slot.0, batch.records)),
                _ => None,
            });
            expect_eq("records of each partition", sent.collect(), expected);
        }
    );
}
