//! Histories of a group: every short one, and long random ones.

use bytes::Bytes;
use spec_harness::fail;

use super::part::{CallId, Identity, InstanceId, Join, MemberId, State, Sync};
use super::world::{Check, World, changed, fixed, new};

/// A program that consumes. It has a process, which may be started anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Program {
    /// Gets its member id first.
    A,
    /// Joins as in the versions before that.
    B,
    /// Is a static member.
    S,
}

/// What can happen to a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Event {
    /// The program joins, with the id that it has.
    Join(Program),
    /// The program joins with other metadata.
    Change(Program),
    /// The program is started anew, without an id, and joins.
    Restart(Program),
    /// The program syncs. As the leader it shares out.
    Sync(Program),
    Leave(Program),
    Heartbeat(Program),
    /// The connection of the program's oldest parked call is gone.
    Gone(Program),
    /// The oldest store is done.
    Stored,
    /// The oldest store has failed.
    StoreFails,
    /// Time passes until the next deadline.
    Due,
    /// Time passes up to a millisecond before it.
    AlmostDue,
}

use Event::{AlmostDue, Change, Due, Gone, Heartbeat, Leave, Restart, StoreFails, Stored};
use Program::{A, B, S};

/// What is tried in every order.
pub(super) const SHORT: [Event; 14] = [
    Event::Join(A),
    Event::Join(B),
    Event::Sync(A),
    Event::Sync(B),
    Stored,
    Due,
    Leave(A),
    Gone(B),
    Restart(S),
    Event::Sync(S),
    Restart(B),
    Change(A),
    StoreFails,
    Gone(S),
];

/// What is drawn from.
pub(super) const ALL: [Event; 25] = [
    Event::Join(A),
    Event::Join(B),
    Event::Join(S),
    Event::Sync(A),
    Event::Sync(B),
    Event::Sync(S),
    Event::Sync(A),
    Event::Sync(B),
    Event::Sync(S),
    Change(A),
    Change(S),
    Restart(A),
    Restart(B),
    Restart(S),
    Leave(A),
    Leave(B),
    Leave(S),
    Heartbeat(A),
    Heartbeat(B),
    Gone(A),
    Gone(B),
    Stored,
    StoreFails,
    Due,
    AlmostDue,
];

/// A group and its programs.
#[derive(Clone)]
struct Play {
    world: World,
    /// Per program: the member id that it has, and the generation that it has joined.
    programs: [Consumer; 3],
    restarts: u64,
}

#[derive(Clone, Default)]
struct Consumer {
    id: Option<String>,
    /// Its last JoinGroup.
    join: Option<CallId>,
}

/// Plays every history of at most `length_max` events behind `start`.
///
/// A failure shows the shortest one that fails.
pub(super) fn expect_every_history(start: &[Event], length_max: usize) {
    let mut play = Play::new();
    for (index, event) in start.iter().enumerate() {
        play.happens(*event);
        expect_right(&start[..=index], play.clone().check());
    }
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

fn played(history: &[Event]) -> Check {
    let mut play = Play::new();
    for event in history {
        play.happens(*event);
        if let Some(problem) = &play.world.problem {
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
            "what must hold at any time, and that all ends when all are silent",
            &problem,
        );
    }
}

impl Play {
    fn new() -> Play {
        let mut world = World::new();
        world.keeps_problem = true;
        Play {
            world,
            programs: Default::default(),
            restarts: 0,
        }
    }

    /// Returns what is wrong, now or when all are silent from now on.
    fn check(mut self) -> Check {
        match self.world.problem.take() {
            Some(problem) => Err(problem),
            None => self.world.ends_by_itself(),
        }
    }

    /// `event` happens. False if it cannot.
    fn happens(&mut self, event: Event) -> bool {
        self.learn_ids();
        match event {
            Event::Join(program) => {
                let join = self.join_of(program);
                self.joins(program, join);
            }
            Change(program) => {
                let join = changed(self.join_of(program));
                self.joins(program, join);
            }
            Restart(program) => {
                self.programs[program as usize].id = None;
                let join = self.join_of(program);
                self.joins(program, join);
            }
            Event::Sync(program) => return self.syncs(program),
            Leave(program) => {
                let Some(names) = self.names(program) else {
                    return false;
                };
                self.world.leave(&[names]);
                self.programs[program as usize].id = None;
            }
            Heartbeat(program) => {
                let generation = self.world.group.generation();
                let Some(id) = self.programs[program as usize].id.clone() else {
                    return false;
                };
                let _ = self.world.heartbeat(&id, generation);
            }
            Gone(program) => {
                let id = self.programs[program as usize].id.clone();
                let Some(call) = id.and_then(|id| self.world.parked(&id)) else {
                    return false;
                };
                self.world.gone(call);
            }
            Stored => return self.world.store_one(true),
            StoreFails => return self.world.store_one(false),
            Due | AlmostDue => {
                let Some(due) = self.world.deadline() else {
                    return false;
                };
                let early = u64::from(event == AlmostDue);
                self.world.wait(due.saturating_sub(self.world.now + early));
            }
        }
        true
    }

    /// A program whose JoinGroup was refused as that of a stranger has no id any more.
    fn learn_ids(&mut self) {
        for program in &mut self.programs {
            let answer = program.join.map_or("", |call| self.world.answer(call));
            if answer.starts_with("UnknownMember") || answer.starts_with("FencedInstance") {
                program.id = None;
            }
        }
    }

    fn joins(&mut self, program: Program, mut join: Join) {
        if program == A && join.identity.member.is_empty() {
            join.id_first = true;
        }
        let name = match join.identity.member.is_empty() {
            true => join.fresh_id.to_string(),
            false => join.identity.member.to_string(),
        };
        let call = self.world.join(join);
        let consumer = &mut self.programs[program as usize];
        consumer.id = Some(name);
        consumer.join = Some(call);
    }

    fn join_of(&mut self, program: Program) -> Join {
        let id = self.programs[program as usize].id.clone();
        self.restarts += u64::from(id.is_none());
        let fresh = format!("{program:?}-{}", self.restarts);
        let mut join = match program {
            S => fixed("s", &fresh),
            A | B => new(&fresh),
        };
        if let Some(id) = id {
            join.identity.member = MemberId::new(&id);
        }
        join
    }

    fn names(&self, program: Program) -> Option<Identity> {
        let id = self.programs[program as usize].id.as_ref()?;
        let instance = (program == S).then(|| InstanceId::new("s"));
        let member = MemberId::new(id);
        Some(Identity { member, instance })
    }

    fn syncs(&mut self, program: Program) -> bool {
        let Some(identity) = self.names(program) else {
            return false;
        };
        let shares = self.world.members().into_iter().map(|name| {
            let share = Bytes::from(format!("share of {name}"));
            (MemberId::new(&name), share)
        });
        let is_stable = self.world.group.state() == State::Stable;
        self.world.sync(Sync {
            identity,
            generation: self.world.group.generation(),
            protocol_type: None,
            protocol: None,
            assignments: shares.filter(|_| !is_stable).collect(),
        });
        true
    }
}
