//! A sender, a network and a broker, and everything that can happen to them next.

use std::collections::BTreeMap;
use std::fmt;

use message_model::{Moment, Offset};
use wire_protocol::ErrorCode;

use super::super::part::sender::{Effect, Event};
use super::super::part::{Answer, Batch, BatchId, Failure, Number, Outcome, Sender, Slot};
use super::broker::{Broker, Records};
use super::scenario::Scenario;
use super::shown::name;
use super::{identity, millis};

/// A deadline that does not come.
const NEVER: u64 = 1_000_000;

/// A request on its way to the broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Request {
    batch: BatchId,
    attempt: u32,
    records: Records,
    number: Option<Number>,
    /// The network made it: nobody waits for its answer.
    is_copy: bool,
}

/// One thing that can happen next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Give,
    Arrive(usize),
    NotNow(usize),
    Copy(usize),
    Answer(usize),
    Lose(usize),
    Renew,
    Wait,
}

/// The sender, what is on its way, and the broker.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct World {
    now: Moment,
    sender: Sender,
    pub(super) broker: Broker,
    requests: Vec<Request>,
    /// Answers on their way.
    answers: Vec<(BatchId, u32, Answer)>,
    /// The attempts that the sender waits for.
    awaited: Vec<(BatchId, u32)>,
    contents: BTreeMap<BatchId, Records>,
    outcomes: BTreeMap<u32, (Outcome, u32)>,
    given: usize,
    /// How many losses, copies, "not now" and waits there are left.
    faults: [u32; 4],
    renewing: bool,
    epoch: i16,
    problem: Option<(&'static str, String)>,
}

impl World {
    pub(super) fn new(scenario: &Scenario) -> World {
        World {
            now: Moment::START,
            sender: Sender::new(scenario.rules),
            broker: Broker::new(scenario.checks),
            requests: Vec::new(),
            answers: Vec::new(),
            awaited: Vec::new(),
            contents: BTreeMap::new(),
            outcomes: BTreeMap::new(),
            given: 0,
            faults: [
                scenario.losses,
                scenario.copies,
                scenario.not_now,
                scenario.waits,
            ],
            renewing: false,
            epoch: -1,
            problem: None,
        }
    }

    /// What can happen next.
    pub(super) fn possible(&self, scenario: &Scenario) -> Vec<Step> {
        let mut steps = Vec::new();
        if self.given < scenario.batches.len() {
            steps.push(Step::Give);
        }
        for (place, request) in self.requests.iter().enumerate() {
            steps.push(Step::Arrive(place));
            let is_awaited = self.awaited.contains(&(request.batch, request.attempt));
            if self.faults[2] > 0 && is_awaited && !request.is_copy {
                steps.push(Step::NotNow(place));
            }
            if self.faults[1] > 0 && !request.is_copy {
                steps.push(Step::Copy(place));
            }
        }
        steps.extend((0..self.answers.len()).map(Step::Answer));
        if self.faults[0] > 0 {
            steps.extend((0..self.awaited.len()).map(Step::Lose));
        }
        if self.renewing {
            steps.push(Step::Renew);
        }
        let may_wait = self.awaited.is_empty() || self.faults[3] > 0;
        let next = self.sender.next_deadline();
        let end = scenario
            .deliver_by
            .map_or(millis(NEVER), |_| millis(u64::MAX));
        if may_wait && next.is_some_and(|next| next < end) {
            steps.push(Step::Wait);
        }
        steps
    }

    /// What the step is, in words.
    pub(super) fn describe(&self, step: Step) -> String {
        match step {
            Step::Give => format!("the accumulator gives batch {}", self.given),
            Step::Arrive(place) => format!("{} arrives at the broker", self.requests[place]),
            Step::NotNow(place) => format!("the broker says not now to {}", self.requests[place]),
            Step::Copy(place) => format!("the network copies {}", self.requests[place]),
            Step::Answer(place) => {
                let (batch, attempt, answer) = self.answers[place];
                format!(
                    "{}, attempt {attempt}, is answered: {answer:?}",
                    name(batch)
                )
            }
            Step::Lose(place) => {
                let (batch, attempt) = self.awaited[place];
                format!("{}, attempt {attempt}, is never answered", name(batch))
            }
            Step::Renew => format!("the producer gets epoch {}", self.epoch + 1),
            Step::Wait => "time passes".to_owned(),
        }
    }

    pub(super) fn take(&mut self, scenario: &Scenario, step: Step) {
        match step {
            Step::Give => self.give(scenario),
            Step::Arrive(place) => {
                let request = self.requests.remove(place);
                let answer = match request.records.count {
                    _ if scenario.refused == Some(request.batch.0) => {
                        Answer::Refused(ErrorCode::INVALID_RECORD)
                    }
                    count if count > scenario.records_max => Answer::TooLarge,
                    _ => self.broker.produce(request.records, request.number),
                };
                if !request.is_copy {
                    self.answers.push((request.batch, request.attempt, answer));
                    self.drop_unawaited();
                }
            }
            Step::NotNow(place) => {
                let Request { batch, attempt, .. } = self.requests.remove(place);
                self.faults[2] -= 1;
                let answer = Answer::NotNow(ErrorCode::NOT_LEADER_OR_FOLLOWER);
                self.answers.push((batch, attempt, answer));
            }
            Step::Copy(place) => {
                self.faults[1] -= 1;
                let copy = Request {
                    is_copy: true,
                    ..self.requests[place]
                };
                self.requests.push(copy);
            }
            Step::Answer(place) => {
                let (batch, attempt, answer) = self.answers.remove(place);
                self.answer(batch, attempt, answer);
            }
            Step::Lose(place) => {
                self.faults[0] -= 1;
                let (batch, attempt) = self.awaited[place];
                self.answer(batch, attempt, Answer::Lost);
            }
            Step::Renew => {
                self.renewing = false;
                self.epoch += 1;
                self.step(Event::Identity(identity(self.epoch)));
            }
            Step::Wait => {
                self.faults[3] -= u32::from(!self.awaited.is_empty());
                self.now = self.sender.next_deadline().unwrap_or(self.now);
                self.step(Event::Tick);
            }
        }
        // The order in which they are listed means nothing.
        self.requests
            .sort_by_key(|one| (one.batch, one.attempt, one.is_copy));
        self.answers.sort_by_key(|one| (one.0, one.1));
        self.check(scenario);
    }

    fn give(&mut self, scenario: &Scenario) {
        let first: u32 = scenario.batches[..self.given].iter().sum();
        let count = scenario.batches[self.given];
        let id = BatchId(self.given as u64);
        self.given += 1;
        self.contents.insert(id, Records { first, count });
        self.step(Event::Batch(Batch {
            id,
            slot: Slot(0),
            records: count,
            bytes: 100 * count as usize,
            deliver_by: millis(scenario.deliver_by.unwrap_or(NEVER) + 10 * id.0),
        }));
    }

    fn answer(&mut self, batch: BatchId, attempt: u32, answer: Answer) {
        self.awaited.retain(|one| *one != (batch, attempt));
        self.drop_unawaited();
        self.step(Event::Answer {
            batch,
            slot: Slot(0),
            attempt,
            answer,
        });
    }

    fn drop_unawaited(&mut self) {
        let awaited = &self.awaited;
        self.answers.retain(|one| awaited.contains(&(one.0, one.1)));
    }

    fn step(&mut self, event: Event) {
        let mut effects = Vec::new();
        self.sender.step(self.now, event, &mut effects);
        for effect in effects {
            self.apply(effect);
        }
    }

    fn apply(&mut self, effect: Effect) {
        match effect {
            Effect::Send {
                batch,
                attempt,
                number,
                ..
            } => {
                let records = self.contents[&batch];
                self.awaited.push((batch, attempt));
                self.requests.push(Request {
                    batch,
                    attempt,
                    records,
                    number,
                    is_copy: false,
                });
            }
            Effect::Done(batch, outcome) => {
                let records = self.contents[&batch.id];
                for (place, record) in (0..).zip(records.all()) {
                    let earlier = self.outcomes.insert(record, (outcome, place));
                    if earlier.is_some() {
                        let seen = format!("record {record} has a second outcome, {outcome:?}");
                        self.problem = Some(("each record has one outcome", seen));
                    }
                }
                self.awaited.retain(|one| one.0 != batch.id);
                self.drop_unawaited();
            }
            Effect::Split(whole, parts) => {
                let Records { first, count } = self.contents[&whole];
                let head = parts[0].records;
                if head + parts[1].records != count {
                    let seen = format!("{count} records became {head} and {}", parts[1].records);
                    self.problem = Some(("the parts have the records of the whole", seen));
                }
                let [head, tail] = parts.map(|part| (part.id, part.records));
                let (count, behind) = (head.1, first + head.1);
                self.contents.insert(head.0, Records { first, count });
                let (first, count) = (behind, tail.1);
                self.contents.insert(tail.0, Records { first, count });
            }
            Effect::Renew(_) => self.renewing = true,
        }
    }

    fn check(&mut self, scenario: &Scenario) {
        if self.problem.is_some() {
            return;
        }
        let log = &self.broker.log;
        if scenario.ordered && !log.is_sorted_by(|a, b| a < b) {
            let rule = "the log has each record once at most, in the order of sending";
            self.problem = Some((rule, format!("the log {log:?}")));
        }
        if self.awaited.len() > scenario.rules.in_flight_max {
            let seen = format!("{} are", self.awaited.len());
            self.problem = Some(("at most in_flight_max batches are in flight", seen));
        }
        for (record, (outcome, place)) in &self.outcomes {
            let wrong = match outcome {
                Outcome::Delivered(Some(Offset(offset))) => {
                    let offset = usize::try_from(*offset + i64::from(*place)).unwrap_or(usize::MAX);
                    (log.get(offset) != Some(record))
                        .then_some("a delivered record is at its offset")
                }
                Outcome::Delivered(None) => {
                    (!log.contains(record)).then_some("a delivered record is in the log")
                }
                Outcome::Failed(Failure::Expired {
                    may_be_in_log: true,
                }) => None,
                // Nobody can know what a copy that the network made will do.
                Outcome::Failed(Failure::Expired { .. }) if scenario.copies > 0 => None,
                Outcome::Failed(Failure::Expired { .. }) => log
                    .contains(record)
                    .then_some("a record that cannot be in the log is not"),
                Outcome::Failed(Failure::BrokerLost | Failure::Fatal(_)) => {
                    Some("the sender goes on as long as the broker has lost nothing")
                }
                Outcome::Failed(_) => log
                    .contains(record)
                    .then_some("a refused record is not in the log"),
            };
            if let Some(rule) = wrong {
                let seen = format!("record {record}: {outcome:?}, the log {log:?}");
                self.problem = Some((rule, seen));
            }
        }
    }

    /// What is wrong when nothing can happen any more.
    pub(super) fn finish(&mut self, scenario: &Scenario) {
        let count: u32 = scenario.batches.iter().sum();
        let missing: Vec<u32> = (0..count)
            .filter(|one| !self.outcomes.contains_key(one))
            .collect();
        if !missing.is_empty() && self.problem.is_none() {
            let seen = format!("nothing can happen any more, and records {missing:?} have none");
            self.problem = Some(("every record gets an outcome", seen));
        }
    }

    /// This history is longer than one of a right sender.
    pub(super) fn never_ends(&mut self) {
        let seen = "it goes on and on".to_owned();
        self.problem.get_or_insert(("a history ends", seen));
    }

    /// The rule that was broken, and what was seen instead.
    pub(super) fn problem(&self) -> Option<&(&'static str, String)> {
        self.problem.as_ref()
    }

    pub(super) fn outcomes(&self) -> impl Iterator<Item = Outcome> {
        self.outcomes.values().map(|(outcome, _)| *outcome)
    }
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let copy = if self.is_copy { "the copy of " } else { "" };
        write!(f, "{copy}{}, attempt {}", name(self.batch), self.attempt)?;
        if let Some(number) = self.number {
            write!(
                f,
                " (epoch {}, {})",
                number.identity.epoch.0, number.sequence
            )?;
        }
        Ok(())
    }
}
