//! Histories of a transactional id: every short one, long random ones, and crashes everywhere.

use std::collections::{BTreeMap, BTreeSet};

use spec_harness::fail;

use super::part::{CallId, Instance, Outcome, Refusal};
use super::partition::Tag;
use super::world::{ANSWER, Check, TIMEOUT, World, short};

/// A program that has the transactional id. Both believe that they are the only one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Program {
    A,
    B,
}

/// What can happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Event {
    /// The program starts, and asks for its epoch.
    Init(Program),
    /// The program goes on after an error, with the instance that it has.
    Recover(Program),
    /// The program adds a partition to its transaction.
    Add(Program, i32),
    /// The program writes to a partition that it has added.
    Write(Program, i32),
    Commit(Program),
    Abort(Program),
    /// The oldest store is done.
    Stored,
    /// The oldest store has failed.
    StoreFails,
    /// The oldest store seems to have failed, and is on disk.
    StoreUnsure,
    /// The partitions of the oldest call know of it.
    Begun,
    BeginFails,
    /// The oldest marker is written.
    Marked,
    MarkerFails,
    /// Time passes until the next deadline.
    Due,
    /// The broker stops at once. So many of the stores and markers under way are on disk.
    Crash(usize),
}

use Event::{Abort, Add, BeginFails, Begun, Commit, Crash, Due, Init, Marked, MarkerFails};
use Event::{Recover, StoreFails, StoreUnsure, Stored, Write};
use Program::{A, B};

/// What is tried in every order.
pub(super) const SHORT: [Event; 15] = [
    Init(A),
    Init(B),
    Add(A, 0),
    Write(A, 0),
    Commit(A),
    Abort(A),
    Add(B, 0),
    Write(B, 0),
    Stored,
    Begun,
    Marked,
    MarkerFails,
    Due,
    Crash(0),
    Crash(1),
];

/// What is drawn from.
const ALL: [Event; 37] = [
    Init(A),
    Init(B),
    Recover(A),
    Recover(B),
    Add(A, 0),
    Add(A, 1),
    Add(B, 0),
    Add(B, 1),
    Add(A, 0),
    Add(B, 1),
    Write(A, 0),
    Write(A, 1),
    Write(B, 0),
    Write(B, 1),
    Write(A, 0),
    Write(B, 1),
    Commit(A),
    Commit(B),
    Commit(A),
    Commit(B),
    Abort(A),
    Abort(B),
    Stored,
    Stored,
    Stored,
    Begun,
    Begun,
    Marked,
    Marked,
    Stored,
    StoreFails,
    StoreUnsure,
    BeginFails,
    MarkerFails,
    Due,
    Crash(0),
    Crash(1),
];

/// What a program has asked, and waits for.
#[derive(Debug, Clone, Copy)]
enum Asked {
    Init,
    Add(i32),
    End(Outcome),
}

#[derive(Debug, Clone, Default)]
struct Client {
    /// What it believes to be.
    instance: Option<Instance>,
    /// How many transactions it has begun.
    number: u32,
    added: BTreeSet<i32>,
    /// How it wants its transaction to end. It never changes its mind.
    ending: Option<Outcome>,
    call: Option<(CallId, Asked, u64)>,
}

/// A transactional id and its programs.
#[derive(Clone)]
struct Play {
    world: World,
    clients: [Client; 2],
    /// What programs were told of their transactions.
    told: BTreeMap<Tag, Outcome>,
    /// The transactions that their own program has wanted to commit.
    wanted: BTreeSet<Tag>,
}

/// Plays every history of at most `length_max` events behind `start`.
///
/// A failure shows the shortest one that fails.
pub(super) fn expect_every_history(start: &[Event], length_max: usize) {
    let mut play = Play::new();
    for event in start {
        play.happens(*event);
    }
    expect_right(start, play.clone().check());
    for length in 1..=length_max {
        let mut history = start.to_vec();
        every_history(&play, length, &mut history);
    }
}

fn every_history(play: &Play, length: usize, history: &mut Vec<Event>) {
    for event in SHORT {
        let mut after = play.clone();
        if !after.happens(event) {
            continue;
        }
        history.push(event);
        if length > 1 {
            every_history(&after, length - 1, history);
        } else {
            expect_right(history, after.check());
        }
        history.pop();
    }
}

/// Plays `history` with a crash at every place, and with two at every two places.
pub(super) fn expect_crashes(history: &[Event]) {
    expect_played(history);
    let crashes = [Crash(0), Crash(1), Crash(2)];
    for first in 0..=history.len() {
        for crash in crashes {
            let mut once = history.to_vec();
            once.insert(first, crash);
            expect_played(&once);
            for second in first + 1..=once.len() {
                for again in crashes {
                    let mut twice = once.clone();
                    twice.insert(second, again);
                    expect_played(&twice);
                }
            }
        }
    }
}

/// Plays a random history of `length` events.
///
/// A failure leaves out every event that it does not need.
pub(super) fn expect_random_history(length: usize, random: &mut fastrand::Rng) {
    let drawn = (0..length).map(|_| ALL[random.usize(..ALL.len())]);
    let mut history: Vec<Event> = drawn.collect();
    if played(&history).is_ok() {
        return;
    }
    let mut index = 0;
    while index < history.len() {
        let mut shorter = history.clone();
        shorter.remove(index);
        match played(&shorter) {
            Ok(()) => index += 1,
            Err(_) => history = shorter,
        }
    }
    expect_right(&history, played(&history));
}

/// Plays `history`. A failure shows as much of it as is needed.
fn expect_played(history: &[Event]) {
    if played(history).is_err() {
        for length in 0..=history.len() {
            expect_right(&history[..length], played(&history[..length]));
        }
    }
}

fn played(history: &[Event]) -> Check {
    let mut play = Play::new();
    for event in history {
        play.happens(*event);
        if let Some(problem) = play.world.problem() {
            return Err(problem.clone());
        }
    }
    play.check()
}

fn expect_right(history: &[Event], check: Check) {
    if let Err(problem) = check {
        let history: Vec<String> = history.iter().map(|event| format!("{event:?}")).collect();
        fail(
            &format!("after {}", history.join(", ")),
            "what must hold at any time, and that all ends when nobody calls any more",
            &problem,
        );
    }
}

impl Play {
    fn new() -> Play {
        Play {
            world: World::that_keeps_problems(),
            clients: Default::default(),
            told: BTreeMap::new(),
            wanted: BTreeSet::new(),
        }
    }

    /// Returns what is wrong, now or when nobody calls from now on.
    fn check(mut self) -> Check {
        if let Some(problem) = self.world.problem() {
            return Err(problem.clone());
        }
        self.world.ends_by_itself()?;
        self.learn();
        if let Some(problem) = self.world.problem() {
            return Err(problem.clone());
        }
        for (tag, outcome) in &self.told {
            let ends = self.world.outcomes(*tag);
            if ends.iter().any(|end| *end != Some(*outcome)) {
                return Err(format!(
                    "the program was told {outcome:?} of {tag}, and its partitions have {ends:?}"
                ));
            }
        }
        match self.world.committed().difference(&self.wanted).next() {
            Some(tag) => Err(format!(
                "{tag} is committed, and its program never wanted that"
            )),
            None => Ok(()),
        }
    }

    /// `event` happens. False if it cannot.
    fn happens(&mut self, event: Event) -> bool {
        self.learn();
        let happens = match event {
            Init(program) => self.init(program, None),
            Recover(program) => match self.clients[program as usize].instance {
                Some(instance) => self.init(program, Some(instance)),
                None => false,
            },
            Add(program, partition) => self.add(program, partition),
            Write(program, partition) => self.write(program, partition),
            Commit(program) => self.end(program, Outcome::Commit),
            Abort(program) => self.end(program, Outcome::Abort),
            Stored => self.world.store_one(true),
            StoreFails => self.world.store_one(false),
            StoreUnsure => self.world.store_unsure(),
            Begun => self.world.begin_one(true),
            BeginFails => self.world.begin_one(false),
            Marked => self.world.mark_one(true),
            MarkerFails => self.world.mark_one(false),
            Due => {
                let deadline = self.world.deadline();
                if let Some(due) = deadline {
                    self.world.wait(due.saturating_sub(self.world.now));
                }
                deadline.is_some()
            }
            Crash(survives) => {
                self.world.crash(survives);
                true
            }
        };
        self.learn();
        happens
    }

    fn init(&mut self, program: Program, expected: Option<Instance>) -> bool {
        if self.clients[program as usize].call.is_some() {
            return false;
        }
        let call = self.world.init_of(program as u8, TIMEOUT, expected);
        self.asks(program, call, Asked::Init);
        true
    }

    fn add(&mut self, program: Program, partition: i32) -> bool {
        let client = &self.clients[program as usize];
        let (Some(instance), None, None) = (client.instance, &client.call, client.ending) else {
            return false;
        };
        let call = self.world.add(instance, &[partition]);
        self.asks(program, call, Asked::Add(partition));
        true
    }

    fn write(&mut self, program: Program, partition: i32) -> bool {
        let client = &self.clients[program as usize];
        let (Some(instance), None) = (client.instance, client.ending) else {
            return false;
        };
        if !client.added.contains(&partition) {
            return false;
        }
        let tag = self.tag(program);
        if !self.world.write(instance, partition, tag) {
            self.clients[program as usize].instance = None;
            if self.world.is_open_for(instance, partition) {
                let who = short(instance);
                self.world.wrong(format!(
                    "{who} has added the partition {partition}, and may not write to it"
                ));
            }
        }
        true
    }

    fn end(&mut self, program: Program, outcome: Outcome) -> bool {
        let client = &mut self.clients[program as usize];
        let (Some(instance), None) = (client.instance, &client.call) else {
            return false;
        };
        if *client.ending.get_or_insert(outcome) != outcome {
            return false;
        }
        if outcome == Outcome::Commit {
            let tag = self.tag(program);
            self.wanted.insert(tag);
        }
        let call = self.world.end(instance, outcome);
        self.asks(program, call, Asked::End(outcome));
        true
    }

    fn asks(&mut self, program: Program, call: CallId, asked: Asked) {
        self.clients[program as usize].call = Some((call, asked, self.world.now));
    }

    fn tag(&self, program: Program) -> Tag {
        Tag {
            program: program as u8,
            number: self.clients[program as usize].number,
        }
    }

    /// The programs hear what they were answered.
    fn learn(&mut self) {
        for program in [A, B] {
            let Some((call, asked, since)) = self.clients[program as usize].call else {
                continue;
            };
            if self.world.is_parked(call) {
                continue;
            }
            self.clients[program as usize].call = None;
            // Without an answer the broker has crashed, and the program asks again.
            match self.world.answer(call) {
                Some(Ok(instance)) => self.hears(program, asked, since, instance),
                Some(Err(Refusal::ConcurrentTransactions | Refusal::NotAvailable)) | None => {}
                Some(Err(_)) => self.clients[program as usize].instance = None,
            }
        }
    }

    fn hears(&mut self, program: Program, asked: Asked, since: u64, instance: Instance) {
        let tag = self.tag(program);
        let client = &mut self.clients[program as usize];
        match asked {
            Asked::Add(partition) => {
                client.added.insert(partition);
                return;
            }
            Asked::Init => client.instance = Some(instance),
            Asked::End(outcome) => {
                self.told.insert(tag, outcome);
                let ends = self.world.outcomes(tag);
                let is_early = self.world.now < since + ANSWER;
                if is_early && ends.iter().any(|end| *end != Some(outcome)) {
                    let who = short(instance);
                    self.world.wrong(format!(
                        "{who} was told that its transaction has the outcome {outcome:?}, and its partitions have {ends:?}"
                    ));
                }
            }
        }
        let client = &mut self.clients[program as usize];
        client.number += 1;
        client.added.clear();
        client.ending = None;
    }
}
