//! Laws of the window and the table, for any history.

use std::time::Duration;

use idempotence::{BATCHES_MAX, Limits, Remembered, Table, Turns, Window};
use message_model::{Offset, ProducerEpoch, ProducerId, Timestamp};
use proptest::prelude::*;
use wire_protocol::Reader;

const LIMITS: Limits = Limits {
    idle_max: Duration::from_millis(1_000),
    piece_max: 3,
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
    let mut table = Table::new(LIMITS, Turns::default());
    notes.iter().for_each(|one| note(&mut table, *one));
    table
}

fn pieces(table: &Table<()>) -> Vec<Vec<u8>> {
    let mut pieces = Vec::new();
    let mut after = None;
    while let Some(piece) = table.snapshot(after) {
        after = Some(piece.last);
        pieces.push(piece.bytes);
    }
    pieces
}

fn restored(table: &Table<()>, now: i64) -> Table<()> {
    let mut restored = Table::new(LIMITS, Turns::default());
    for piece in pieces(table) {
        restored.restore(Timestamp(now), &piece).unwrap();
    }
    restored
}

fn expire(table: &mut Table<()>, now: i64) {
    let mut after = None;
    while let Some(last) = table.expire(Timestamp(now), after) {
        after = Some(last);
    }
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
        for one in &notes[at..] {
            note(&mut table, *one);
            note(&mut straight, *one);
        }
        // The turns need not be the same, but their order.
        let order = |table: &mut Table<()>| {
            std::iter::from_fn(|| table.forget_idlest()).collect::<Vec<_>>()
        };
        for (producer, entry) in straight.piece(None) {
            let same = table.get(producer).map(|one| (&one.window, one.seen));
            prop_assert_eq!(same, Some((&entry.window, entry.seen)));
        }
        prop_assert_eq!(order(&mut table), order(&mut straight));
    }

    /// What expires, expires at once, and nothing else is left out by a restart.
    #[test]
    fn it_expires_once(notes in notes(), now in 0..5_000_i64) {
        let mut table = told(&notes);
        expire(&mut table, now);
        let expired = pieces(&table);
        expire(&mut table, now);
        prop_assert_eq!(&pieces(&table), &expired);
        prop_assert_eq!(pieces(&restored(&table, now)), expired);
    }

    /// The idlest one goes first, until nobody is left.
    #[test]
    fn turns_only_grow(notes in notes()) {
        let mut table = told(&notes);
        let mut before = None;
        while let Some(turn) = table.idlest() {
            prop_assert!(before < Some(turn));
            before = Some(turn);
            prop_assert!(table.forget_idlest().is_some());
        }
        prop_assert!(table.is_empty());
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
