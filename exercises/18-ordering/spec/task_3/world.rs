//! A scheduler, its workers, and everything that can happen to them next. What the laws
//! say is worked out here the slow way, from what each record is.

use std::fmt;
use std::time::Duration;

use message_model::{Moment, Offset};

use super::super::part::schedule::{Effect, Event};
use super::super::part::{Key, Limits, Scheduler};

/// By how much time passes before a pause is over.
const EARLY: Duration = Duration::from_millis(2);

/// What happens in a world, and how often at most.
#[derive(Debug, Clone)]
pub(super) struct Scenario {
    pub(super) limits: Limits,
    /// The offset and the key of each record.
    pub(super) records: Vec<(i64, Option<u64>)>,
    /// How often a worker fails.
    pub(super) failures: u32,
    /// How often something is said of a record that is not in hand.
    pub(super) stale: u32,
    /// How often a tick comes before a pause is over.
    pub(super) ticks: u32,
    /// Whether the partition is taken away at some moment.
    pub(super) is_revoked: bool,
}

/// One thing that can happen next; the numbers are places of records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Give,
    Done(usize),
    Fail(usize),
    Settle(usize),
    Stale(usize),
    Wait,
    Tick,
    Revoke,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum State {
    Waiting,
    Paused(Moment),
    InHand,
    GivenUp,
    Settled,
}

/// What went against a law: what should be, and what is.
pub(super) type Problem = (&'static str, String);

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct World {
    scheduler: Scheduler,
    now: Moment,
    /// Of each record that was given: what it is, and how often it was tried.
    given: Vec<(State, u32)>,
    /// What can be started: those that became so first are in the first group.
    startable: Vec<Vec<usize>>,
    /// Where the next record may be; after a revocation, where the next owner begins.
    next: i64,
    is_revoked: bool,
    drained: u32,
    /// How many failures, stale words and early ticks there are left.
    faults: [u32; 3],
    may_be_revoked: bool,
    problem: Option<Problem>,
}

impl World {
    pub(super) fn new(scenario: &Scenario) -> World {
        World {
            scheduler: Scheduler::new(Offset(0), scenario.limits),
            now: Moment::after_start(Duration::ZERO),
            given: Vec::new(),
            startable: Vec::new(),
            next: 0,
            is_revoked: false,
            drained: 0,
            faults: [scenario.failures, scenario.stale, scenario.ticks],
            may_be_revoked: scenario.is_revoked,
            problem: None,
        }
    }

    pub(super) fn problem(&self) -> Option<&Problem> {
        self.problem.as_ref()
    }

    /// What can happen next.
    pub(super) fn possible(&self, scenario: &Scenario) -> Vec<Step> {
        let mut steps = Vec::new();
        if self.given.len() < scenario.records.len() && self.has_room(scenario) {
            steps.push(Step::Give);
        }
        for (place, (state, _)) in self.given.iter().enumerate() {
            if *state == State::InHand {
                steps.push(Step::Done(place));
                steps.extend((self.faults[0] > 0).then_some(Step::Fail(place)));
            } else {
                steps.extend((self.faults[1] > 0).then_some(Step::Stale(place)));
            }
            steps.extend((*state == State::GivenUp).then_some(Step::Settle(place)));
        }
        if let Some(next) = self.next_pause() {
            steps.push(Step::Wait);
            let is_early = self.now.plus(EARLY) < next;
            steps.extend((is_early && self.faults[2] > 0).then_some(Step::Tick));
        }
        if self.may_be_revoked {
            steps.push(Step::Revoke);
        }
        steps
    }

    /// Makes something happen, and looks whether a law is broken.
    pub(super) fn take(&mut self, scenario: &Scenario, step: Step) {
        let event = self.event(scenario, step);
        let mut effects = Vec::new();
        self.scheduler.step(self.now, event, &mut effects);
        for effect in effects {
            self.effect(scenario, effect);
        }
        self.check(scenario);
    }

    /// What the step is for the scheduler, and what changes by it.
    fn event(&mut self, scenario: &Scenario, step: Step) -> Event {
        let offset = |place: usize| Offset(scenario.records[place].0);
        match step {
            Step::Give => {
                let place = self.given.len();
                self.given.push((State::Waiting, 0));
                self.next = scenario.records[place].0 + 1;
                self.may_start(scenario, vec![place]);
                Event::Record {
                    offset: offset(place),
                    key: scenario.records[place].1.map(Key),
                }
            }
            Step::Done(place) => {
                self.settle(scenario, place);
                Event::Done(offset(place))
            }
            Step::Settle(place) => {
                self.settle(scenario, place);
                Event::Settled(offset(place))
            }
            Step::Fail(place) => {
                self.faults[0] -= 1;
                let until = self.now.plus(scenario.limits.backoff);
                let is_last = self.given[place].1 >= scenario.limits.tries_max;
                self.given[place].0 = match is_last {
                    true => State::GivenUp,
                    false => State::Paused(until),
                };
                Event::Failed(offset(place))
            }
            Step::Stale(place) => {
                self.faults[1] -= 1;
                Event::Done(offset(place))
            }
            Step::Wait => {
                self.now = self.next_pause().unwrap_or(self.now);
                let over =
                    |state: State| matches!(state, State::Paused(until) if until <= self.now);
                let places = 0..self.given.len();
                let over: Vec<_> = places.filter(|place| over(self.given[*place].0)).collect();
                for place in &over {
                    self.given[*place].0 = State::Waiting;
                }
                self.may_start(scenario, over);
                Event::Tick
            }
            Step::Tick => {
                self.faults[2] -= 1;
                self.now = self.now.plus(EARLY);
                Event::Tick
            }
            Step::Revoke => {
                self.may_be_revoked = false;
                self.is_revoked = true;
                self.forget(scenario);
                Event::Revoke
            }
        }
    }

    /// Forgets the records above the last one that was started.
    fn forget(&mut self, scenario: &Scenario) {
        let started = |(_, attempts): &(State, u32)| *attempts > 0;
        let last = self.given.iter().rposition(started);
        let kept = last.map_or(0, |last| last + 1);
        if kept < self.given.len() {
            self.next = scenario.records[kept].0;
            self.given.truncate(kept);
        }
        for group in &mut self.startable {
            group.retain(|place| *place < kept);
        }
        self.startable.retain(|group| !group.is_empty());
    }

    fn settle(&mut self, scenario: &Scenario, place: usize) {
        self.given[place].0 = State::Settled;
        let key = scenario.records[place].1;
        let mut behind = place + 1..self.given.len();
        let next = behind.find(|next| key.is_some() && scenario.records[*next].1 == key);
        self.may_start(scenario, next.into_iter().collect());
    }

    /// Notes which of these can be started from now on.
    fn may_start(&mut self, scenario: &Scenario, places: Vec<usize>) {
        let records = &scenario.records;
        let is_free = |place: &usize| {
            let same = |other: &usize| {
                records[*place].1.is_some() && records[*other].1 == records[*place].1
            };
            let mut before = (0..*place).filter(same);
            before.all(|other| self.given[other].0 == State::Settled)
        };
        let group: Vec<_> = places.into_iter().filter(is_free).collect();
        if !group.is_empty() {
            self.startable.push(group);
        }
    }

    fn effect(&mut self, scenario: &Scenario, effect: Effect) {
        let named = |offset: Offset| {
            let mut records = scenario.records[..self.given.len()].iter();
            records.position(|record| record.0 == offset.0)
        };
        match effect {
            Effect::Start { offset, attempt } => match named(offset) {
                Some(place) => self.started(scenario, place, attempt),
                None => {
                    let rule = "only records that came, and are not forgotten, are started";
                    self.broken(rule, format!("{effect:?}"));
                }
            },
            Effect::GiveUp(offset) => {
                let state = named(offset).map(|place| self.given[place].0);
                if state != Some(State::GivenUp) {
                    let rule = "a record is given up when its last attempt has failed";
                    self.broken(rule, format!("{effect:?}"));
                }
            }
            Effect::Drained => self.drained += 1,
        }
    }

    fn started(&mut self, scenario: &Scenario, place: usize, attempt: u32) {
        let offset = scenario.records[place].0;
        let is_first = |group: &Vec<usize>| group.contains(&place);
        let Some(turn) = self.startable.iter().position(is_first) else {
            let rule = match self.given[place].0 {
                State::InHand => "a record is in the hand of one worker",
                State::Settled => "a record that is settled is not started again",
                State::Paused(_) => "a record that has failed pauses",
                State::GivenUp => "a record that was given up is not started again",
                State::Waiting => "a record waits until all of its key before it are settled",
            };
            return self.broken(rule, format!("start {offset}"));
        };
        if turn > 0 {
            let first = self.startable[0][0];
            let (first, rule) = (scenario.records[first].0, "first come, first served");
            return self.broken(rule, format!("start {offset}, though {first} came first"));
        }
        self.startable[0].retain(|other| *other != place);
        self.startable.retain(|group| !group.is_empty());
        let (state, attempts) = &mut self.given[place];
        (*state, *attempts) = (State::InHand, *attempts + 1);
        if *attempts != attempt {
            let rule = "attempts count from 1";
            self.broken(rule, format!("start {offset}, attempt {attempt}"));
        }
    }

    /// The laws that hold after each step.
    fn check(&mut self, scenario: &Scenario) {
        let in_hand = self.count(State::InHand);
        if in_hand > scenario.limits.workers {
            let rule = "no more records are in hand than there are workers";
            self.broken(rule, format!("{in_hand} in hand"));
        }
        if let (true, Some(group)) = (in_hand < scenario.limits.workers, self.startable.first()) {
            let waiting = scenario.records[group[0]].0;
            let rule = "no worker is idle while a record could be started";
            self.broken(rule, format!("{in_hand} in hand, and {waiting} waits"));
        }
        let frontier = self.frontier(scenario);
        if self.scheduler.frontier() != Offset(frontier) {
            let rule = "the frontier is the lowest offset that is not settled";
            let got = self.scheduler.frontier();
            self.broken(rule, format!("{got} instead of {frontier}"));
        }
        let has_room = self.has_room(scenario);
        if self.scheduler.has_room() != has_room {
            let rule = "there is room as long as the window is not full, and nothing revoked";
            let got = self.scheduler.has_room();
            self.broken(rule, format!("{got} instead of {has_room}"));
        }
        let pause = self.next_pause();
        if self.scheduler.next_deadline() != pause {
            let rule = "the next deadline is the end of the first pause";
            let got = self.scheduler.next_deadline();
            self.broken(rule, format!("{got:?} instead of {pause:?}"));
        }
        let first = self.first_unsettled();
        let is_empty = first == self.given.len();
        if self.drained != u32::from(self.is_revoked && is_empty) {
            let rule = "it is drained once, when it is revoked and what was kept is settled";
            let because = match (is_empty, self.is_revoked) {
                (true, true) => "all that was kept is settled".to_owned(),
                (true, false) => "it is not revoked".to_owned(),
                (false, _) => format!("{} is kept, and not settled", scenario.records[first].0),
            };
            let got = match self.drained {
                0 => format!("not drained; {because}"),
                1 => format!("drained; {because}"),
                times => format!("drained {times} times; {because}"),
            };
            self.broken(rule, got);
        }
        let fresh = Scheduler::new(Offset(frontier), scenario.limits);
        if is_empty && !self.is_revoked && self.scheduler != fresh {
            let rule = "when all is settled, nothing is remembered but where to go on";
            self.broken(rule, format!("{:?}", self.scheduler));
        }
    }

    /// What must be true when nothing can happen any more.
    pub(super) fn finish(&mut self, scenario: &Scenario) {
        let unsettled = self
            .given
            .iter()
            .position(|(state, _)| *state != State::Settled);
        if let Some(place) = unsettled {
            let offset = scenario.records[place].0;
            self.broken(
                "every record is settled in the end",
                format!("{offset} is not"),
            );
        }
        if self.given.len() < scenario.records.len() && !self.is_revoked {
            let rule = "there is room for every record in the end";
            self.broken(rule, format!("{} have come", self.given.len()));
        }
    }

    pub(super) fn never_ends(&mut self) {
        self.broken("it comes to an end", "it goes on and on".to_owned());
    }

    fn broken(&mut self, rule: &'static str, seen: String) {
        self.problem.get_or_insert((rule, seen));
    }

    fn count(&self, wanted: State) -> usize {
        let states = self.given.iter();
        states.filter(|(state, _)| *state == wanted).count()
    }

    /// The place of the first record that is not settled, among those that were given.
    fn first_unsettled(&self) -> usize {
        let mut states = self.given.iter();
        let first = states.position(|(state, _)| *state != State::Settled);
        first.unwrap_or(self.given.len())
    }

    fn frontier(&self, scenario: &Scenario) -> i64 {
        let first = self.first_unsettled();
        if first < self.given.len() {
            return scenario.records[first].0;
        }
        self.next
    }

    fn has_room(&self, scenario: &Scenario) -> bool {
        let remembered = self.given.len() - self.first_unsettled();
        remembered < scenario.limits.window_max && !self.is_revoked
    }

    fn next_pause(&self) -> Option<Moment> {
        let pauses = self.given.iter().filter_map(|(state, _)| match state {
            State::Paused(until) => Some(*until),
            _ => None,
        });
        pauses.min()
    }
}

/// What the step is, in words.
pub(super) fn describe(scenario: &Scenario, step: Step, given: usize) -> String {
    let named = |place: usize| Named(scenario.records[place]);
    match step {
        Step::Give => format!("{} comes", named(given)),
        Step::Done(place) => format!("{} is done", named(place)),
        Step::Fail(place) => format!("{} fails", named(place)),
        Step::Settle(place) => format!("{} is safe", named(place)),
        Step::Stale(place) => format!("{} is said to be done, and is not in hand", named(place)),
        Step::Wait => "a pause is over".to_owned(),
        Step::Tick => "2 ms pass".to_owned(),
        Step::Revoke => "the partition is revoked".to_owned(),
    }
}

struct Named((i64, Option<u64>));

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (offset, key) = self.0;
        match key {
            Some(key) => write!(f, "record {offset} of key {key}"),
            None => write!(f, "record {offset} without a key"),
        }
    }
}
