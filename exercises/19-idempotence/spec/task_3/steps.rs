//! What happens to a table, step by step, and the shortest story of a difference to the model.

use std::fmt;

use message_model::{ProducerEpoch, ProducerId, Timestamp};
use spec_harness::fail;

use super::super::batches::batch;
use super::model::{Difference, Model, difference};
use super::open::{Producers, expire, hold, pieces, read, table};

/// What the clock shows at first.
const START: i64 = 1 << 40;

#[derive(Debug, Clone, Copy)]
pub(super) enum Step {
    Batch {
        producer: i64,
        number: i32,
        epoch: i16,
        offset: i64,
    },
    Marker {
        producer: i64,
        epoch: i16,
    },
    /// A transaction is open since this offset, or none is.
    Hold {
        producer: i64,
        since: Option<i64>,
    },
    ForgetIdlest,
    /// The clock goes on by so many milliseconds, or back.
    Clock(i64),
    Expire,
    Restart,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Step::Batch {
                producer,
                epoch,
                number,
                offset,
            } => write!(
                f,
                "note {producer}, epoch {epoch}, batch {number} at {offset}"
            ),
            Step::Marker { producer, epoch } => {
                write!(f, "note {producer}, epoch {epoch}, no batch")
            }
            Step::Hold {
                producer,
                since: Some(since),
            } => write!(f, "change {producer}: held since {since}"),
            Step::Hold {
                producer,
                since: None,
            } => write!(f, "change {producer}: not held"),
            Step::ForgetIdlest => write!(f, "forget_idlest"),
            Step::Clock(by) if *by < 0 => write!(f, "the clock is set back by {} ms", -by),
            Step::Clock(by) => write!(f, "{by} ms later"),
            Step::Expire => write!(f, "expire"),
            Step::Restart => write!(f, "snapshot and restore"),
        }
    }
}

/// A table and the model of it, which are told the same.
struct Both {
    table: Producers,
    model: Model,
    now: i64,
}

impl Both {
    fn new() -> Both {
        Both {
            table: table(),
            model: Model::default(),
            now: START,
        }
    }

    /// Plays one step. Returns what differs then: a producer, or which one was forgotten.
    fn step(&mut self, step: Step) -> Option<Difference> {
        match step {
            Step::Batch {
                producer,
                epoch,
                number,
                offset,
            } => {
                let one = batch(number, number, offset);
                self.model.note(self.now, producer, epoch, Some(one));
                let (producer, epoch) = (ProducerId(producer), ProducerEpoch(epoch));
                let now = Timestamp(self.now);
                self.table.note(now, producer, epoch, Some(one));
            }
            Step::Marker { producer, epoch } => {
                self.model.note(self.now, producer, epoch, None);
                let (producer, epoch) = (ProducerId(producer), ProducerEpoch(epoch));
                self.table.note(Timestamp(self.now), producer, epoch, None);
            }
            Step::Hold { producer, since } => {
                hold(&mut self.table, producer, since);
                self.model.hold(producer, since);
            }
            Step::ForgetIdlest => {
                let got = self.table.forget_idlest().map(|producer| producer.0);
                let expected = self.model.forget_idlest();
                if got != expected {
                    return Some(Difference::new("the forgotten one", &got, &expected));
                }
            }
            Step::Clock(by) => self.now += by,
            Step::Expire => {
                expire(&mut self.table, self.now);
                self.model.expire(self.now);
            }
            Step::Restart => {
                self.table = match read(&pieces(&self.table), self.now) {
                    Ok(table) => table,
                    Err(error) => {
                        let expected = &format_args!("a table");
                        return Some(Difference::new("restore", &error, expected));
                    }
                };
                self.model.restart(self.now);
            }
        }
        difference(&self.table, &self.model)
    }
}

/// Plays the steps until table and model differ. Returns how many were played then.
fn play(steps: &[Step]) -> Option<(usize, Difference)> {
    let mut both = Both::new();
    let mut played = 0;
    steps.iter().find_map(|step| {
        played += 1;
        let difference = both.step(*step)?;
        Some((played, difference))
    })
}

/// Checks that a table and the model never differ. If they do, the story has no step without
/// which they would not.
pub(super) fn check(mut steps: Vec<Step>) {
    let Some((mut played, mut found)) = play(&steps) else {
        return;
    };
    steps.truncate(played);
    let mut at = steps.len();
    while at > 0 {
        at -= 1;
        let mut fewer = steps.clone();
        fewer.remove(at);
        if let Some(shorter) = play(&fewer) {
            (played, found) = shorter;
            steps = fewer;
            steps.truncate(played);
            at = steps.len();
        }
    }
    let story: String = steps
        .iter()
        .map(|step| format!("\n               {step}"))
        .collect();
    let what = format!("{}, after:{story}", found.what);
    fail(&what, &found.expected, &found.got);
}
