//! The machine of task 17.4 in a small world: two topics that survive crashes, a database
//! that knows the truth, and producers that answer. Every effect is held to the laws.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use message_model::{Offset, Timestamp};
use spec_harness::fail;

use super::part::{Decision, Effect, End, Event, HalfMessages, Op, Replay, Ruling, Schedule};

pub(super) const SCHEDULE: Schedule = Schedule {
    first: Duration::from_millis(10),
    longest: Duration::from_millis(25),
    checks_max: 2,
};

/// What happens in the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Happens {
    /// A producer sends the next half message.
    Send,
    /// The producer commits the local transaction of this half message, and dies.
    CommitSilently(i64),
    /// A producer says what the database says, and so the database decides now if it has
    /// not: with a commit, or with a roll-back. It may be an answer, and may come again.
    Commit(i64),
    RollBack(i64),
    /// A producer cannot say.
    Unknown(i64),
    /// What is due next, is due.
    Tick,
}

/// What is known of one half message from outside.
#[derive(Debug, Clone, Default)]
struct Truth {
    /// What the database says.
    decided: Option<Decision>,
    /// What the machine has been told.
    told: Vec<Decision>,
    copies: u32,
    asides: u32,
    asks: u32,
    /// How often a crash came behind a copy, and before the op record.
    torn: u32,
    checked: u32,
    end: Option<End>,
    /// When it was sent, or a check was noted.
    since: i64,
}

impl fmt::Display for Truth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let decided = match self.decided {
            None => "nothing",
            Some(Decision::Commit) => "a commit",
            Some(_) => "a roll-back",
        };
        let Truth { told, copies, .. } = self;
        write!(
            f,
            "{decided} in the database; told {told:?}; copies {copies}; "
        )?;
        let Truth { checked, asks, .. } = self;
        write!(f, "checks noted {checked}, asked {asks}; ")?;
        let end = self.end.map_or("none".to_owned(), |end| format!("{end:?}"));
        write!(f, "set aside {}; end {end}", self.asides)
    }
}

#[derive(Debug, Clone)]
pub(super) struct World {
    machine: HalfMessages,
    now: i64,
    halves: Vec<i64>,
    ops: Vec<(Offset, i64, Op)>,
    truth: BTreeMap<Offset, Truth>,
    history: Vec<String>,
    /// How much of the history there was when only time passed from then on.
    at_rest: Option<usize>,
    /// How the next restart reads the two topics: bit by bit, one record of either.
    interleaving: u32,
}

impl World {
    pub(super) fn new() -> World {
        World {
            machine: HalfMessages::new(SCHEDULE, 10, &Replay::new()),
            now: 100,
            halves: Vec::new(),
            ops: Vec::new(),
            truth: BTreeMap::new(),
            history: Vec::new(),
            at_rest: None,
            interleaving: 0,
        }
    }

    pub(super) fn halves(&self) -> i64 {
        i64::try_from(self.halves.len()).expect("a few")
    }

    fn broken(&self, law: &str, got: &str) -> ! {
        let (steps, rest) = self
            .history
            .split_at(self.at_rest.unwrap_or(self.history.len()));
        let mut what = steps.join(", ");
        if self.at_rest.is_some() {
            what += "; then time passes, and checks are answered";
        }
        if !rest.is_empty() {
            what += &format!(": {}", rest.join(", "));
        }
        fail(&what, law, got)
    }

    /// Lets something happen, and crashes after so many of its effects; `None`: it does not
    /// crash. How many effects there were; nothing happens if it cannot.
    pub(super) fn happen(&mut self, happens: Happens, crash: Option<usize>) -> Option<usize> {
        let event = self.event(happens)?;
        let when = crash.map_or(String::new(), |after| {
            format!(" (crash after {after} effects)")
        });
        self.history.push(format!("{happens:?}{when}"));
        let effects = match event {
            Some(event) => self.machine.step(Timestamp(self.now), event),
            None => Vec::new(),
        };
        let count = effects.len();
        for effect in effects.into_iter().take(crash.unwrap_or(count)) {
            self.carry_out(effect);
        }
        if crash.is_some() {
            self.restart();
        }
        if let Some(next) = self.machine.next_due()
            && (happens, crash) == (Happens::Tick, None)
            && next.0 <= self.now
        {
            let law = format!(
                "next_due() is later than {}, the time of the tick",
                self.now
            );
            self.broken(&law, &format!("it is {}", next.0));
        }
        Some(count)
    }

    fn event(&mut self, happens: Happens) -> Option<Option<Event>> {
        self.now += 1;
        let outcome = |half, decision| {
            let half = Offset(half);
            Some(Event::Outcome { half, decision })
        };
        let (half, decision) = match happens {
            Happens::Send => {
                let half = Offset(self.halves());
                self.halves.push(self.now);
                let truth = Truth {
                    since: self.now,
                    ..Truth::default()
                };
                self.truth.insert(half, truth);
                let sent = Timestamp(self.now);
                return Some(Some(Event::Half { half, sent }));
            }
            Happens::Tick => {
                self.now = self.now.max(self.machine.next_due()?.0);
                return Some(Some(Event::Tick));
            }
            Happens::CommitSilently(half) => {
                let truth = self.truth.get_mut(&Offset(half))?;
                if truth.decided.is_some() {
                    return None;
                }
                truth.decided = Some(Decision::Commit);
                return Some(None);
            }
            Happens::Unknown(half) => {
                self.truth.get(&Offset(half))?;
                return Some(outcome(half, Decision::Unknown));
            }
            Happens::Commit(half) => (half, Decision::Commit),
            Happens::RollBack(half) => (half, Decision::RollBack),
        };
        let truth = self.truth.get_mut(&Offset(half))?;
        if *truth.decided.get_or_insert(decision) != decision {
            return None;
        }
        truth.told.push(decision);
        Some(outcome(half, decision))
    }

    fn carry_out(&mut self, effect: Effect) {
        let half = match effect {
            Effect::Copy(half) | Effect::SetAside(half) | Effect::Mark(half, _) => half,
            Effect::Ask(half) | Effect::Report(half, ..) => half,
        };
        let Some(truth) = self.truth.get(&half).cloned() else {
            self.broken(
                "effects about half messages that were sent",
                &format!("{effect:?}"),
            );
        };
        if let Some(law) = self.breach(&effect, &truth) {
            self.broken(law, &format!("{effect:?}; so far: {truth}"));
        }
        let truth = self.truth.get_mut(&half).expect("it was there");
        match effect {
            Effect::Copy(_) => truth.copies += 1,
            Effect::SetAside(_) => truth.asides += 1,
            Effect::Ask(_) => truth.asks += 1,
            Effect::Report(..) => {}
            Effect::Mark(_, op) => {
                match op {
                    Op::Checked(number) => {
                        truth.checked = number;
                        truth.since = self.now;
                    }
                    Op::Done(end) => truth.end = Some(end),
                }
                self.ops.push((half, self.now, op));
            }
        }
    }

    /// The law that an effect breaks.
    fn breach(&self, effect: &Effect, truth: &Truth) -> Option<&'static str> {
        let may_ask = truth.checked < SCHEDULE.checks_max;
        let was_told = |decision| truth.told.contains(&decision);
        let has_waited = {
            let wait = SCHEDULE.first * 2_u32.pow(truth.checked);
            let wait = i64::try_from(wait.min(SCHEDULE.longest).as_millis());
            truth.since + wait.expect("milliseconds") <= self.now
        };
        let is_over = truth.end.is_some();
        let rule = |holds: bool, law| (!holds).then_some(law);
        match *effect {
            Effect::Report(_, _, ruling) => rule(
                is_over && matches!(ruling, Ruling::Contradiction | Ruling::TooLate),
                "a report is about a half message that has ended",
            ),
            _ if is_over => Some("no effects after the op record that ends a half message"),
            Effect::Copy(_) => {
                rule(was_told(Decision::Commit), "no copy before a commit").or_else(|| {
                    rule(
                        truth.copies <= truth.torn,
                        "one copy, but for crashes behind it",
                    )
                })
            }
            Effect::Ask(_) => rule(
                truth.asks < truth.checked && truth.since == self.now,
                "the op record of a check comes before the check",
            ),
            Effect::SetAside(_) => rule(!may_ask && has_waited, "set aside when no check is left"),
            Effect::Mark(_, Op::Checked(number)) => {
                rule(number == truth.checked + 1, "checks are counted one by one")
                    .or_else(|| rule(may_ask, "no more checks than `checks_max`"))
                    .or_else(|| rule(has_waited, "a check comes after a wait"))
            }
            Effect::Mark(_, Op::Done(end)) => match end {
                End::Committed => rule(truth.copies > 0, "the copy comes before its op record"),
                End::SetAside => rule(truth.asides > 0, "set aside before its op record"),
                End::RolledBack => rule(
                    was_told(Decision::RollBack) && truth.copies == 0,
                    "rolled back only if a producer says so",
                ),
            },
        }
    }

    /// The process dies. Another one reads the two topics, in some order.
    fn restart(&mut self) {
        for truth in self.truth.values_mut() {
            truth.torn += u32::from(truth.copies > truth.torn && truth.end.is_none());
        }
        let mut replay = Replay::new();
        let mut halves = (0..).map(Offset).zip(&self.halves).peekable();
        let mut ops = self.ops.iter().peekable();
        let mut bits = self.interleaving;
        self.interleaving = self.interleaving.wrapping_mul(5).wrapping_add(0x9e37_79b9);
        while halves.peek().is_some() || ops.peek().is_some() {
            let takes_half = bits & 1 == 0 || ops.peek().is_none();
            bits = bits.rotate_right(1);
            if takes_half && let Some((half, sent)) = halves.next() {
                replay.half(half, Timestamp(*sent));
            } else if let Some((half, at, op)) = ops.next() {
                replay.op(*half, Timestamp(*at), *op);
            }
        }
        self.machine = HalfMessages::new(SCHEDULE, 10, &replay);
    }

    /// Lets time pass until nothing is due. Two producers answer each check with what the
    /// database says, and make it say something first. Then every half message has ended as
    /// it must.
    pub(super) fn rest(mut self) {
        self.at_rest = Some(self.history.len());
        for _ in 0..20 * (1 + self.halves.len()) {
            let asks: Vec<u32> = self.truth.values().map(|truth| truth.asks).collect();
            if self.happen(Happens::Tick, None).is_none() {
                return self.check_ends();
            }
            for (half, before) in (0..).zip(asks) {
                let truth = &self.truth[&Offset(half)];
                if truth.asks > before {
                    let says = match truth.decided {
                        Some(Decision::Commit) => Happens::Commit(half),
                        _ => Happens::RollBack(half),
                    };
                    for _producer in ["A", "B"] {
                        self.happen(says, None);
                    }
                }
            }
        }
        self.broken("that nothing is due in the end", "it goes on and on");
    }

    fn check_ends(&self) {
        for (half, truth) in &self.truth {
            let ends = match truth.decided {
                Some(Decision::Commit) => End::Committed,
                _ => End::RolledBack,
            };
            // The checks may have been used up, by crashes too.
            let is_used_up = truth.checked == SCHEDULE.checks_max;
            let is_right = match truth.end {
                Some(End::SetAside) => is_used_up && truth.copies <= truth.torn,
                Some(end) => end == ends,
                None => false,
            };
            if !is_right {
                let law = format!("{half} ends as {ends:?}, or set aside after all checks");
                self.broken(&law, &truth.to_string());
            }
        }
        if self.machine.open() != 0 {
            self.broken("nothing open", &format!("{} open", self.machine.open()));
        }
    }
}
