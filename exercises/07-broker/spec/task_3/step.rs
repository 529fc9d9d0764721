//! The steps of a history, and what chooses them.

use std::time::Duration;

use message_model::Moment;

use super::world::World;

/// One step of a history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// A fetch looks, and begins to wait: for each of these partitions to grow by
    /// more than so many offsets, until this millisecond.
    Begin(usize, Vec<(usize, i64)>, u64),
    /// It goes on: from one of the places where others may come between, or because
    /// it was woken.
    Go(usize),
    /// The client of a fetch that sleeps is gone.
    Drop(usize),
    /// An append, by its number, writes one record to this partition.
    Grow(usize, usize),
    /// That append says that the end has moved.
    Moved(usize),
    /// It is this millisecond now, and the waits are told.
    Expire(u64),
    /// The broker stops.
    Stop,
}

/// Says what happens next while a fetch is between two of its steps.
pub(super) trait Director {
    /// `None`: the fetch goes on, and nothing comes between any more.
    fn next(&self, world: &World) -> Option<Step>;
}

/// This many milliseconds after the start.
pub(super) fn at(millis: u64) -> Moment {
    Moment::after_start(Duration::from_millis(millis))
}
