//! What is wrong in a history, and what proves it.

use std::fmt;

use crate::operation::{Action, Operation, Outcome, Partition};

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Two values at one offset.
    InconsistentOffset,
    /// One value at two offsets.
    Duplicate,
    /// A value that no client sent, or not to this partition.
    Phantom,
    /// An acknowledged value that no poll returned, although a poll returned a later offset.
    LostWrite,
    /// An acknowledged value that no poll returned; no later offset was returned either, or
    /// its offset is not known.
    Unseen,
    /// A poll returned a value that was not sent, or whose transaction was aborted (G1a).
    AbortedRead,
    /// A poll returned a value before its transaction was asked to commit.
    UncommittedRead,
    /// A consumer passed over a record that another poll returned.
    PollSkip,
    /// A consumer went back, or read a record again.
    NonmonotonicPoll,
    /// Two acknowledged sends of a process, of which the later one has the lower offset.
    NonmonotonicSend,
    /// The same, with at least one send that has no answer.
    LateSend,
    /// Two sends of a transaction with the value of another one in between.
    SendSkip,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Kind; 12] = [
        Kind::InconsistentOffset,
        Kind::Duplicate,
        Kind::Phantom,
        Kind::LostWrite,
        Kind::Unseen,
        Kind::AbortedRead,
        Kind::UncommittedRead,
        Kind::PollSkip,
        Kind::NonmonotonicPoll,
        Kind::NonmonotonicSend,
        Kind::LateSend,
        Kind::SendSkip,
    ];

    /// Returns its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Kind::InconsistentOffset => "inconsistent offset",
            Kind::Duplicate => "duplicate",
            Kind::Phantom => "phantom",
            Kind::LostWrite => "lost write",
            Kind::Unseen => "unseen",
            Kind::AbortedRead => "aborted read",
            Kind::UncommittedRead => "uncommitted read",
            Kind::PollSkip => "poll skip",
            Kind::NonmonotonicPoll => "nonmonotonic poll",
            Kind::NonmonotonicSend => "nonmonotonic send",
            Kind::LateSend => "late send",
            Kind::SendSkip => "send skip",
        }
    }

    fn sentence(self) -> &'static str {
        match self {
            Kind::InconsistentOffset => "an offset has two values",
            Kind::Duplicate => "a value is at two offsets",
            Kind::Phantom => "a poll returned a value that no client sent there",
            Kind::LostWrite => {
                "no poll returned an acknowledged value, but one returned what is behind it"
            }
            Kind::Unseen => "no poll returned an acknowledged value",
            Kind::AbortedRead => "a poll returned a value that was not sent, or was aborted",
            Kind::UncommittedRead => {
                "a poll returned a value before its transaction asked to commit"
            }
            Kind::PollSkip => "a consumer passed over a record",
            Kind::NonmonotonicPoll => "a consumer went back",
            Kind::NonmonotonicSend => "two acknowledged sends are in the wrong order",
            Kind::LateSend => "a send without an answer is in the wrong order",
            Kind::SendSkip => "another value is between two sends of a transaction",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Something that is wrong in a history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anomaly {
    /// What is wrong.
    pub kind: Kind,
    /// Where.
    pub partition: Partition,
    /// The operations that prove it, and what of each one does.
    pub witnesses: Vec<Witness>,
}

/// What an operation contributes to the proof of an anomaly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Witness {
    /// The operation's place in the history.
    pub operation: usize,
    /// What it saw.
    pub saw: Saw,
}

/// What an operation saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Saw {
    /// It sent the value, and the broker answered this offset, if any.
    Sent(u64, Option<i64>),
    /// It polled the value at this offset.
    Polled(u64, i64),
    /// It went to this offset.
    Sought(i64),
}

impl Anomaly {
    /// Writes the anomaly for a person, with its operations out of the history.
    pub(crate) fn explain(
        &self,
        operations: &[Operation],
        f: &mut fmt::Formatter<'_>,
    ) -> fmt::Result {
        writeln!(
            f,
            "{} in {}: {}",
            self.kind,
            self.partition,
            self.kind.sentence()
        )?;
        for witness in &self.witnesses {
            witness.explain(&operations[witness.operation], f)?;
        }
        Ok(())
    }
}

impl Witness {
    fn explain(self, operation: &Operation, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (invoked, completed) = (millis(operation.invoked), millis(operation.completed));
        write!(
            f,
            "  #{:<6} {invoked:>9.3} to {completed:>9.3} ms",
            self.operation
        )?;
        write!(f, "  process {:<4} ", operation.process)?;
        match self.saw {
            Saw::Sent(value, offset) => {
                write!(f, "sent {value}: ")?;
                match offset {
                    Some(offset) => write!(f, "offset {offset}")?,
                    None => write!(f, "no offset")?,
                }
                write!(f, ", {}", outcome(operation))?;
            }
            Saw::Polled(value, offset) => write!(f, "polled {value} at offset {offset}")?,
            Saw::Sought(offset) => write!(f, "went to offset {offset}")?,
        }
        if let Action::Transaction { ending, .. } = operation.action {
            match ending {
                Some(ending) => write!(f, " (asked to end at {:.3} ms)", millis(ending))?,
                None => write!(f, " (not asked to end)")?,
            }
        }
        writeln!(f)
    }
}

fn outcome(operation: &Operation) -> &'static str {
    match (operation.is_transaction(), operation.outcome) {
        (false, Outcome::Ok) => "acknowledged",
        (false, Outcome::Failed) => "failed",
        (false, Outcome::Unknown) => "no answer",
        (true, Outcome::Ok) => "committed",
        (true, Outcome::Failed) => "aborted",
        (true, Outcome::Unknown) => "no answer to the commit",
    }
}

fn millis(micros: u64) -> f64 {
    micros as f64 / 1000.0
}
