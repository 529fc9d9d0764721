//! What the cases let the table keep beside a window: an open transaction, as chapter 20 does.

use std::cell::Cell;
use std::time::Duration;

use message_model::{Offset, ProducerEpoch, ProducerId, Timestamp};
use spec_harness::expect;
use wire_protocol::Reader;

use super::super::batches::batch;
use super::part::{Kept, Limits, Table, Turns, Unreadable};

thread_local! {
    /// How often a table has asked whether a producer is held.
    static ASKED: Cell<usize> = const { Cell::new(0) };
}

/// Where an open transaction begins; a producer with one is held.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Open {
    pub(super) since: Option<Offset>,
    /// How many transactions have ended: something that holds no producer.
    pub(super) ended: i8,
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
        bytes.extend(self.ended.to_be_bytes());
    }

    fn take(bytes: &mut Reader<'_>) -> Result<Open, Unreadable> {
        let since = match bytes.i64()? {
            -1 => None,
            offset if offset >= 0 => Some(Offset(offset)),
            _ => return Err(Unreadable::Value),
        };
        let ended = bytes.i8()?;
        Ok(Open { since, ended })
    }
}

pub(super) type Producers = Table<Open>;

pub(super) const EPOCH: ProducerEpoch = ProducerEpoch(0);

/// A day, as Kafka has it.
pub(super) const IDLE_MAX: Duration = Duration::from_millis(86_400_000);

/// The same in milliseconds.
pub(super) fn day() -> i64 {
    i64::try_from(IDLE_MAX.as_millis()).unwrap_or(i64::MAX)
}

/// So few producers are in a piece that most cases have several.
pub(super) const PIECE_MAX: usize = 3;

pub(super) const LIMITS: Limits = Limits {
    idle_max: IDLE_MAX,
    piece_max: PIECE_MAX,
};

/// A table that knows no producer, the only one of its broker.
pub(super) fn table() -> Producers {
    Table::new(LIMITS, Turns::default())
}

/// Notes a batch of one record: number and offset are `number`.
pub(super) fn note(table: &mut Producers, at: i64, producer: i64, number: i32) {
    let one = batch(number, number, number.into());
    table.note(Timestamp(at), ProducerId(producer), EPOCH, Some(one));
}

/// Notes one batch of each of these producers, one after the other.
pub(super) fn with(producers: &[i64]) -> Producers {
    let mut table = table();
    for (number, producer) in (0..).zip(producers) {
        note(&mut table, i64::from(number), *producer, number);
    }
    table
}

/// The producers that a table has, piece by piece.
pub(super) fn ids<E: Kept>(table: &Table<E>) -> Vec<i64> {
    let mut ids = Vec::new();
    loop {
        let after = ids.last().map(|last| ProducerId(*last));
        let before = ids.len();
        ids.extend(table.piece(after).map(|(producer, _)| producer.0));
        if ids.len() == before {
            return ids;
        }
    }
}

/// The producers that are not held, the idlest one first.
pub(super) fn order(table: &Producers) -> Vec<i64> {
    let mut table = table.clone();
    let order = std::iter::from_fn(|| table.forget_idlest());
    order.map(|producer| producer.0).collect()
}

/// Opens a transaction, or ends it.
pub(super) fn hold(table: &mut Producers, producer: i64, since: Option<i64>) {
    let since = since.map(Offset);
    table.change(ProducerId(producer), |open| open.since = since);
}

/// Forgets those of all pieces that are silent for too long.
pub(super) fn expire<E: Kept>(table: &mut Table<E>, now: i64) {
    let mut after = None;
    while let Some(last) = table.expire(Timestamp(now), after) {
        let moves_on = after < Some(last);
        expect(
            &format!("expire returns {last:?} behind {after:?}"),
            moves_on,
        );
        after = Some(last);
    }
}

/// All pieces of a table.
pub(super) fn pieces<E: Kept>(table: &Table<E>) -> Vec<Vec<u8>> {
    let mut pieces = Vec::new();
    let mut after = None;
    while let Some(piece) = table.snapshot(after) {
        let moves_on = after < Some(piece.last);
        let what = format!("the piece behind {after:?} ends with {:?}", piece.last);
        expect(&what, moves_on);
        after = Some(piece.last);
        pieces.push(piece.bytes);
    }
    pieces
}

/// The table that is made of these pieces after a restart of the broker.
pub(super) fn read(pieces: &[Vec<u8>], now: i64) -> Result<Producers, Unreadable> {
    let mut table = table();
    for piece in pieces {
        table.restore(Timestamp(now), piece)?;
    }
    Ok(table)
}

/// The table that is made of the other one's bytes.
pub(super) fn restored(table: &Producers, now: i64) -> Producers {
    match read(&pieces(table), now) {
        Ok(table) => table,
        Err(error) => panic!("a snapshot cannot be restored: {error}"),
    }
}
