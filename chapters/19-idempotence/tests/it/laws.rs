//! Laws of the window and the table, for any history.

use std::time::Duration;

use idempotence::{BATCHES_MAX, Limits, Remembered, Table, Window};
use message_model::{Offset, ProducerEpoch, ProducerId, Timestamp};
use proptest::prelude::*;
use wire_protocol::Reader;

const LIMITS: Limits = Limits {
    producers_max: 5,
    idle_max: Duration::from_millis(1_000),
};

/// A note: when, of whom, and the batch if it is no marker.
type Note = (i64, i64, i16, Option<Remembered>);

fn batch() -> impl Strategy<Value = Remembered> {
    let numbers = (0..=i32::MAX, 0..=i32::MAX);
    (numbers, 0..i64::MAX, any::<i64>()).prop_map(|((first, last), offset, timestamp)| Remembered {
        first,
        last,
        base_offset: Offset(offset),
        timestamp: Timestamp(timestamp),
    })
}

fn notes() -> impl Strategy<Value = Vec<Note>> {
    let note = (
        0..3_000_i64,
        -2..6_i64,
        -1..2_i16,
        prop::option::of(batch()),
    );
    prop::collection::vec(note, 0..60)
}

fn note(table: &mut Table<()>, (at, producer, epoch, batch): Note) {
    let (producer, epoch) = (ProducerId(producer), ProducerEpoch(epoch));
    table.note(Timestamp(at), producer, epoch, batch);
}

fn told(notes: &[Note]) -> Table<()> {
    let mut table = Table::new(LIMITS);
    notes.iter().for_each(|one| note(&mut table, *one));
    table
}

fn restored(table: &Table<()>, now: i64) -> Table<()> {
    Table::restore(LIMITS, Timestamp(now), &table.snapshot()).unwrap()
}

proptest! {
    /// A duplicate has the offset of the last batch with its numbers.
    #[test]
    fn what_is_pushed_last_is_found(batches in prop::collection::vec(batch(), 1..20)) {
        let epoch = ProducerEpoch::FIRST;
        let mut window = Window::new(epoch);
        for one in &batches {
            window.push(epoch, *one);
            prop_assert!(window.batches().count() <= BATCHES_MAX);
            prop_assert_eq!(window.last(), Some(one));
            prop_assert!(window.find(epoch, one.first, one.last).is_some());
        }
        let last: Vec<_> = batches.iter().rev().take(BATCHES_MAX).rev().collect();
        prop_assert_eq!(window.batches().collect::<Vec<_>>(), last);
    }

    /// Wherever a snapshot is taken, what is told behind it makes the same table.
    #[test]
    fn a_snapshot_may_be_anywhere(notes in notes(), at in any::<prop::sample::Index>()) {
        let at = at.index(notes.len() + 1);
        // So early that no producer expires.
        let mut table = restored(&told(&notes[..at]), 0);
        let mut straight = told(&notes[..at]);
        straight.expire(Timestamp(0));
        for one in &notes[at..] {
            note(&mut table, *one);
            note(&mut straight, *one);
        }
        prop_assert_eq!(table.snapshot(), straight.snapshot());
    }

    /// No more producers than there may be, and the last one is always known.
    #[test]
    fn the_bound_holds(notes in notes(), now in 0..5_000_i64) {
        let mut table = Table::new(LIMITS);
        for one in notes {
            note(&mut table, one);
            prop_assert!(table.len() <= LIMITS.producers_max);
            prop_assert!(table.get(ProducerId(one.1)).is_some());
        }
        table.expire(Timestamp(now));
        let expired = table.clone();
        table.expire(Timestamp(now));
        prop_assert_eq!(table.snapshot(), expired.snapshot());
        prop_assert_eq!(restored(&table, now).snapshot(), expired.snapshot());
    }

    /// A window's bytes say nothing of what is behind them.
    #[test]
    fn a_window_among_others(batches in prop::collection::vec(batch(), 0..9), rest in any::<Vec<u8>>()) {
        let mut window = Window::new(ProducerEpoch(9));
        batches.iter().for_each(|one| window.push(ProducerEpoch(9), *one));
        let mut bytes = Vec::new();
        window.put(&mut bytes);
        bytes.extend(&rest);
        let mut reader = Reader::new(&bytes);
        prop_assert_eq!(Window::take(&mut reader), Ok(window));
        prop_assert_eq!(reader.remaining(), rest.len());
    }
}
