//! What flows between operators, and between tasks.

use message_model::{Moment, Timestamp};

use crate::part::Progress;

/// A value and when it happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record<T> {
    /// Its event time; [`UNTIMED`] before an operator has set it.
    pub time: Timestamp,
    /// The value.
    pub value: T,
}

/// The event time of a record whose time no operator has set.
pub const UNTIMED: Timestamp = Timestamp(i64::MIN);
/// The watermark behind the last record.
pub(crate) const END_OF_TIME: Timestamp = Timestamp(i64::MAX);

/// Divides a stream into what belongs to a checkpoint and what comes after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Barrier {
    /// The checkpoint; counted from 1.
    pub id: u64,
    /// Behind it the tasks end.
    pub last: bool,
}

/// What a channel between two tasks carries.
#[derive(Debug, Clone)]
pub(crate) enum Element<T> {
    Batch(Vec<Record<T>>),
    Progress(Progress),
    Barrier(Barrier),
}

/// What an operator hands to the next one in its task.
#[derive(Debug)]
pub enum Step<T> {
    /// A record.
    Record(Record<T>),
    /// What is not a record passes in order with the records.
    Signal(Signal),
}

/// What operators must know beside the records.
///
/// A *partition* is a part of a source in which records have an order of their own. Behind
/// an exchange it is a channel of the task.
#[derive(Debug, Clone, Copy)]
pub enum Signal {
    /// Records will come from a partition.
    Opened {
        /// Which.
        partition: u32,
        /// The time on the stopwatch.
        now: Moment,
    },
    /// The records up to the next `BatchEnd` come from a partition.
    BatchBegin {
        /// Which.
        partition: u32,
        /// The time on the stopwatch.
        now: Moment,
    },
    /// No more of these.
    BatchEnd {
        /// Which.
        partition: u32,
        /// The time on the stopwatch.
        now: Moment,
    },
    /// No record will come from this partition.
    Ended(u32),
    /// Time passes.
    Tick(Moment),
    /// How far event time has come.
    Progress(Progress),
}
