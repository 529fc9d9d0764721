//! What a client did, and what came of it.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The name of a partition, such as `orders-0`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Partition(Arc<str>);

impl Partition {
    /// Returns the partition of this name.
    #[must_use]
    pub fn new(name: &str) -> Partition {
        Partition(name.into())
    }
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Something that a process did. A history is a list of operations, in which those of a
/// process are in the order in which they were invoked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operation {
    /// The process that did it. A process has one producer and one consumer. A client that
    /// begins anew is another process.
    pub process: u32,
    /// When it began, in microseconds since the start of the run.
    pub invoked: u64,
    /// When its outcome was known, or the process gave up waiting for it.
    pub completed: u64,
    /// What it was.
    pub action: Action,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It was done: the send was acknowledged, the transaction is committed.
    Ok,
    /// It was not done, and never will be: the transaction is aborted.
    Failed,
    /// It may or may not have been done, or may be done later.
    Unknown,
}

/// What an operation was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// The process's consumer reads exactly these partitions from now on. What it read before
    /// goes on where it was.
    Assign(Vec<Partition>),
    /// The process's consumer reads what its group gives it. Where each partition begins is
    /// the group's business.
    Subscribe(Vec<String>),
    /// The process's consumer goes to another place of a partition.
    Seek {
        /// Of which partition.
        partition: Partition,
        /// Where to; `None` if the history does not know the offset.
        offset: Option<i64>,
    },
    /// One send, in no transaction.
    Send(Send),
    /// One poll, in no transaction, and the records that it returned.
    Poll(Vec<Record>),
    /// A transaction.
    Transaction {
        /// What was done in it, in order.
        steps: Vec<Step>,
        /// When its end was asked for; `None` if it was not, so that it cannot be committed.
        ending: Option<u64>,
    },
}

/// A step of a transaction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Step {
    /// A send in the transaction.
    Send(Send),
    /// A poll, whose offsets the transaction commits.
    Poll(Vec<Record>),
}

/// A value on its way into a partition. No value is sent twice in a history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Send {
    /// Where it goes.
    pub partition: Partition,
    /// What it is.
    pub value: u64,
    /// The offset that the broker answered; `None` if there was no answer.
    pub offset: Option<i64>,
}

/// A record that a poll returned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// From which partition.
    pub partition: Partition,
    /// At which offset.
    pub offset: i64,
    /// The value there.
    pub value: u64,
}

impl Operation {
    /// Returns what the operation sent, in order.
    pub fn sends(&self) -> impl Iterator<Item = &Send> {
        let (one, steps) = match &self.action {
            Action::Send(send) => (Some(send), &[][..]),
            Action::Transaction { steps, .. } => (None, &steps[..]),
            _ => (None, &[][..]),
        };
        let of_steps = steps.iter().filter_map(|step| match step {
            Step::Send(send) => Some(send),
            Step::Poll(_) => None,
        });
        one.into_iter().chain(of_steps)
    }

    /// Returns the records that the operation's polls returned, in order.
    pub fn records(&self) -> impl Iterator<Item = &Record> {
        let (one, steps) = match &self.action {
            Action::Poll(records) => (&records[..], &[][..]),
            Action::Transaction { steps, .. } => (&[][..], &steps[..]),
            _ => (&[][..], &[][..]),
        };
        let of_steps = steps.iter().flat_map(|step| match step {
            Step::Poll(records) => &records[..],
            Step::Send(_) => &[],
        });
        one.iter().chain(of_steps)
    }

    /// Returns the time by which its polls had returned.
    #[must_use]
    pub fn polled_by(&self) -> u64 {
        match &self.action {
            Action::Transaction { ending, .. } => ending.unwrap_or(self.completed),
            _ => self.completed,
        }
    }

    /// Whether it was a transaction.
    #[must_use]
    pub fn is_transaction(&self) -> bool {
        matches!(self.action, Action::Transaction { .. })
    }
}
