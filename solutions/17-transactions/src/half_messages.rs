//! The machine that decides what becomes of half messages.

use std::collections::{BTreeMap, BTreeSet};

use message_model::{Offset, Timestamp};

use crate::replay::Replay;
use crate::rule::rule;
use crate::schedule::{Schedule, Step};
use crate::words::{Decision, Effect, End, Event, Op, Open, Ruling, Standing};

/// The half messages whose outcome is waited for, and when each is asked about.
///
/// The machine is told of half messages, of outcomes and of the time by
/// [`step`](HalfMessages::step), and asks for copies, op records and checks. It reads no
/// clock and sends nothing. A crash loses all of it; [`new`](HalfMessages::new) makes it
/// again of what the two topics say.
///
/// # Invariants
/// - Nothing is copied before a producer has said *commit*.
/// - The op record that ends a half message comes behind the copy, and the op record of a
///   check comes before the check.
/// - A half message is asked about at most [`Schedule::checks_max`] times, also over
///   crashes.
/// - After its end a half message has no effects but reports.
#[derive(Debug, Clone)]
pub struct HalfMessages {
    schedule: Schedule,
    /// How many ends are remembered.
    remembered_max: usize,
    /// Behind the last half message that was read.
    next: Offset,
    open: BTreeMap<Offset, Open>,
    /// When something is due about each open half message.
    due: BTreeSet<(Timestamp, Offset)>,
    /// How the newest half messages ended, of those that have ended; for reports.
    ended: BTreeMap<Offset, End>,
}

impl HalfMessages {
    /// Returns the machine as it has to be after both topics were read to their ends. It
    /// remembers the ends of the newest `remembered_max` half messages that have ended.
    #[must_use]
    pub fn new(schedule: Schedule, remembered_max: usize, replay: &Replay) -> HalfMessages {
        let mut machine = HalfMessages {
            schedule,
            remembered_max,
            next: replay.next(),
            open: BTreeMap::new(),
            due: BTreeSet::new(),
            ended: BTreeMap::new(),
        };
        for (half, open) in replay.open() {
            machine.wait(half, open);
        }
        for (half, end) in replay.ended() {
            machine.end(half, end);
        }
        machine
    }

    /// Takes one event at the time `now`, and returns what is to be done.
    pub fn step(&mut self, now: Timestamp, event: Event) -> Vec<Effect> {
        match event {
            Event::Half { half, sent } => {
                self.half(half, sent);
                Vec::new()
            }
            Event::Outcome { half, decision } => self.outcome(half, decision),
            Event::Tick => self.tick(now),
        }
    }

    /// Takes a half message. One that was read before changes nothing, also if its end is
    /// not remembered any more: the reader may begin anew.
    fn half(&mut self, half: Offset, sent: Timestamp) {
        // task 17.4: a half message that waits for its outcome from now on
        if half < self.next {
            return;
        }
        self.next = half.plus(1);
        let open = Open {
            since: sent,
            checks: 0,
        };
        self.wait(half, open);
        // end
    }

    /// Takes what a producer says, and does what the rule says.
    fn outcome(&mut self, half: Offset, decision: Decision) -> Vec<Effect> {
        // task 17.4: commit, roll back, or report
        let ruling = rule(self.standing(half), decision);
        match ruling {
            Ruling::Commit => {
                self.end(half, End::Committed);
                let done = Op::Done(End::Committed);
                vec![Effect::Copy(half), Effect::Mark(half, done)]
            }
            Ruling::RollBack => {
                self.end(half, End::RolledBack);
                vec![Effect::Mark(half, Op::Done(End::RolledBack))]
            }
            Ruling::Nothing => Vec::new(),
            Ruling::Contradiction | Ruling::TooLate => {
                vec![Effect::Report(half, decision, ruling)]
            }
        }
        // end
    }

    /// Asks about each half message for which a check is due, and sets aside those that
    /// were asked about often enough; what has been due for longest comes first, with
    /// both of its effects. One call takes one step for a half message, however late it is.
    fn tick(&mut self, now: Timestamp) -> Vec<Effect> {
        // task 17.4: the checks that are due, and the end of checks
        let mut effects = Vec::new();
        let is_due = |(at, _): &&(Timestamp, Offset)| *at <= now;
        let due: Vec<Offset> = self
            .due
            .iter()
            .take_while(is_due)
            .map(|due| due.1)
            .collect();
        for half in due {
            let open = self.open[&half];
            match self.schedule.next(&open).step {
                Step::Check => {
                    let checks = open.checks + 1;
                    self.wait(half, Open { since: now, checks });
                    effects.push(Effect::Mark(half, Op::Checked(checks)));
                    effects.push(Effect::Ask(half));
                }
                Step::SetAside => {
                    self.end(half, End::SetAside);
                    effects.push(Effect::SetAside(half));
                    effects.push(Effect::Mark(half, Op::Done(End::SetAside)));
                }
            }
        }
        effects
        // end
    }

    /// What is known about a half message.
    fn standing(&self, half: Offset) -> Standing {
        // task 17.4: open, ended, or neither
        if self.open.contains_key(&half) {
            return Standing::Open;
        }
        let end = self.ended.get(&half);
        end.map_or(Standing::Unknown, |end| Standing::Ended(*end))
        // end
    }

    /// The half message is open, and so it is due at some time; it may have been open before.
    fn wait(&mut self, half: Offset, open: Open) {
        // task 17.4: open, and due at one time
        self.forget(half);
        self.due.insert((self.schedule.next(&open).at, half));
        self.open.insert(half, open);
        // end
    }

    /// The half message has ended: it is not open, nothing is due about it, and its end is
    /// remembered.
    fn end(&mut self, half: Offset, end: End) {
        // task 17.4: neither open nor due, and remembered for a while
        self.forget(half);
        self.ended.insert(half, end);
        if self.ended.len() > self.remembered_max {
            self.ended.pop_first();
        }
        // end
    }

    /// Takes the half message out of what is open and of what is due.
    fn forget(&mut self, half: Offset) {
        // task 17.4: out of both
        if let Some(open) = self.open.remove(&half) {
            self.due.remove(&(self.schedule.next(&open).at, half));
        }
        // end
    }

    /// Returns when [`Event::Tick`] is due; `None` if nothing is open.
    #[must_use]
    pub fn next_due(&self) -> Option<Timestamp> {
        // task 17.4: the earliest time
        self.due.first().map(|(at, _)| *at)
        // end
    }

    /// Returns the offset from which half messages are read after a restart: that of the
    /// first one that is open, or the one behind all that were read.
    #[must_use]
    pub fn first_open(&self) -> Offset {
        let first = self.open.first_key_value();
        first.map_or(self.next, |(half, _)| *half)
    }

    /// Returns how many half messages are open.
    #[must_use]
    pub fn open(&self) -> usize {
        self.open.len()
    }
}
