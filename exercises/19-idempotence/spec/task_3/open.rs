//! What the cases let the table keep beside a window: an open transaction, as chapter 20 does.

use std::cell::Cell;
use std::time::Duration;

use message_model::{Offset, ProducerEpoch, ProducerId, Timestamp};
use wire_protocol::Reader;

use super::super::batches::batch;
use super::part::{Kept, Limits, Table, Unreadable};

thread_local! {
    /// How often a table has asked whether a producer is held.
    static ASKED: Cell<usize> = const { Cell::new(0) };
}

/// Where an open transaction begins; a producer with one is held.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Open {
    pub(super) since: Option<Offset>,
}

impl Open {
    /// How often any was asked whether it is held, since the last time.
    pub(super) fn asked() -> usize {
        ASKED.replace(0)
    }
}

impl Kept for Open {
    fn is_held(&self) -> bool {
        ASKED.set(ASKED.get() + 1);
        self.since.is_some()
    }

    fn put(&self, bytes: &mut Vec<u8>) {
        bytes.extend(self.since.map_or(-1, |offset| offset.0).to_be_bytes());
    }

    fn take(bytes: &mut Reader<'_>) -> Result<Open, Unreadable> {
        match bytes.i64()? {
            -1 => Ok(Open { since: None }),
            offset if offset >= 0 => Ok(Open {
                since: Some(Offset(offset)),
            }),
            _ => Err(Unreadable::Value),
        }
    }
}

pub(super) type Producers = Table<Open>;

pub(super) const EPOCH: ProducerEpoch = ProducerEpoch(0);

/// A day, as Kafka has it.
pub(super) const IDLE_MAX: Duration = Duration::from_millis(86_400_000);

pub(super) fn limits(producers_max: usize) -> Limits {
    Limits {
        producers_max,
        idle_max: IDLE_MAX,
    }
}

/// A table with room for so many producers.
pub(super) fn table(producers_max: usize) -> Producers {
    Table::new(limits(producers_max))
}

/// Notes a batch of one record: number and offset are `number`.
pub(super) fn note(table: &mut Producers, at: i64, producer: i64, number: i32) {
    let one = batch(number, number, number.into());
    table.note(Timestamp(at), ProducerId(producer), EPOCH, Some(one));
}

/// Notes one batch of each of these producers, one after the other.
pub(super) fn with(producers_max: usize, producers: &[i64]) -> Producers {
    let mut table = table(producers_max);
    for (number, producer) in (0..).zip(producers) {
        note(&mut table, i64::from(number), *producer, number);
    }
    table
}

/// The producers that a table has, in the order of their ids.
pub(super) fn ids(table: &Producers) -> Vec<i64> {
    let mut ids: Vec<_> = table.iter().map(|(producer, _)| producer.0).collect();
    ids.sort_unstable();
    ids
}

/// Opens a transaction, or ends it.
pub(super) fn hold(table: &mut Producers, producer: i64, since: Option<i64>) {
    let since = since.map(Offset);
    table.change(ProducerId(producer), |open| open.since = since);
}

/// The table that is made of the other one's bytes.
pub(super) fn restored(table: &Producers, producers_max: usize, now: i64) -> Producers {
    let bytes = table.snapshot();
    match Table::restore(limits(producers_max), Timestamp(now), &bytes) {
        Ok(table) => table,
        Err(error) => panic!("a snapshot cannot be restored: {error}"),
    }
}
