//! A table as bytes, and back.

use message_model::{ProducerEpoch, ProducerId, Timestamp};
use spec_harness::{case, expect, expect_bytes, expect_eq};
use wire_protocol::Reader;

use super::super::batches::batch;
use super::open::{
    EPOCH, LIMITS, PIECE_MAX, day, hold, ids, note, order, pieces, restored, table, with,
};
use super::part::{Table, Turns, Window};

/// A window of `count` batches, of which the second has the largest number and 0.
pub(super) fn window(count: i32) -> Window {
    let mut window = Window::new(ProducerEpoch(i16::MAX));
    for index in 0..count {
        let first = (i32::MAX - 2).wrapping_add(index * 2) & i32::MAX;
        let last = first.wrapping_add(1) & i32::MAX;
        let one = batch(first, last, i64::MAX / 2 + i64::from(index));
        window.push(ProducerEpoch(i16::MAX), one);
    }
    window
}

#[test]
fn a_window_as_bytes() {
    case!(
        "A window is its version, its epoch, and each of its batches.",
        || {
            let mut window = Window::new(ProducerEpoch(3));
            window.push(ProducerEpoch(3), batch(1, 2, 5));
            let mut bytes = b"before".to_vec();
            window.put(&mut bytes);
            let mut expected = b"before".to_vec();
            expected.extend([0, 0, 3, 1, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 5]);
            expected.extend(1_000_005_i64.to_be_bytes());
            let fields = [
                ("what was there", 0, 6),
                ("version", 6, 1),
                ("epoch", 7, 2),
                ("number of batches", 9, 1),
                ("first", 10, 4),
                ("last", 14, 4),
                ("base offset", 18, 8),
                ("timestamp", 26, 8),
            ];
            expect_bytes("epoch 3, with one batch", &bytes, &expected, &fields);
        }
    );
}

#[test]
fn a_window_comes_back() {
    case!(
        "A window comes back with all of its batches, and what is behind it is left.",
        || {
            for count in 0..=5 {
                let window = window(count);
                let mut bytes = Vec::new();
                window.put(&mut bytes);
                bytes.extend(b"behind");
                let mut reader = Reader::new(&bytes);
                let what = format!("with {count} batches");
                expect_eq(&what, Window::take(&mut reader), Ok(window));
                expect_eq("bytes behind it", reader.remaining(), 6);
            }
        }
    );
}

#[test]
fn a_table_comes_back() {
    case!(
        "After a restart each of the last five batches of each producer is still found.",
        || {
            let mut table = table();
            for number in 0..8 {
                note(&mut table, number.into(), 1, number);
                note(&mut table, number.into(), 2, number);
            }
            let table = restored(&table, 8);
            for producer in [1, 2] {
                let entry = table.get(ProducerId(producer));
                let found = (0..8).map(|number| {
                    let found = entry.and_then(|entry| entry.window.find(EPOCH, number, number));
                    found.map(|batch| batch.base_offset.0)
                });
                let expected = (0..8).map(|number| (number >= 3).then_some(number));
                let what = format!("the offsets of batches 0 to 7 of producer {producer}");
                expect_eq(&what, found.collect::<Vec<_>>(), expected.collect());
            }
        }
    );
}

#[test]
fn the_next_batch_after_a_restart() {
    case!(
        "A window that was restored goes on: the next batch pushes out the oldest.",
        || {
            let mut table = with(&[1; 5]);
            table = restored(&table, 5);
            note(&mut table, 6, 1, 5);
            let batches = table.get(ProducerId(1)).map(|entry| entry.window.clone());
            let numbers = batches
                .iter()
                .flat_map(Window::batches)
                .map(|one| one.first);
            expect_eq("the numbers", numbers.collect(), vec![1, 2, 3, 4, 5]);
        }
    );
}

#[test]
fn times_and_what_other_rules_keep_come_back() {
    case!(
        "A restart changes neither when a producer was seen nor what other rules keep.",
        || {
            let mut table = with(&[1, 2, 3]);
            hold(&mut table, 2, Some(77));
            let table = restored(&table, 3);
            let entries = [1, 2, 3].map(|producer| {
                let entry = table.get(ProducerId(producer));
                entry.map(|entry| (entry.seen.0, entry.kept.since.map(|offset| offset.0)))
            });
            let expected = [Some((0, None)), Some((1, Some(77))), Some((2, None))];
            expect_eq("seen, and in a transaction since", entries, expected);
        }
    );
}

#[test]
fn the_order_comes_back() {
    case!(
        "After a restart the same producers are forgotten first, and held ones are not.",
        || {
            let mut table = with(&[5, 1, 4, 2, 5, 3, 1]);
            hold(&mut table, 2, Some(0));
            let mut table = restored(&table, 9);
            expect_eq("forgotten are", order(&table), vec![4, 5, 3, 1]);
            note(&mut table, 9, 5, 9);
            expect_eq("when 5 is noted", order(&table), vec![4, 3, 1, 5]);
            hold(&mut table, 2, None);
            expect_eq("when 2 is let go", order(&table), vec![4, 2, 3, 1, 5]);
        }
    );
}

#[test]
fn the_order_of_two_partitions() {
    case!(
        "After a restart of the broker the idlest of two partitions is still the same one.",
        || {
            let before = Turns::default();
            let mut tables = [(); 2].map(|()| Table::new(LIMITS, before.clone()));
            for (at, producer) in [(0, 1), (1, 2), (0, 1)] {
                note(&mut tables[at], 0, producer, 0);
            }
            let turns = Turns::default();
            let restored = tables.map(|table| {
                let mut restored = Table::new(LIMITS, turns.clone());
                for piece in pieces(&table) {
                    let is_read = restored.restore(Timestamp(0), &piece).is_ok();
                    expect("the other table's piece can be read", is_read);
                }
                restored
            });
            let mut tables = restored;
            let first = usize::from(tables[0].idlest() > tables[1].idlest());
            expect_eq("the table with the idlest producer", first, 1);
            note(&mut tables[1], 0, 2, 1);
            let first = usize::from(tables[0].idlest() > tables[1].idlest());
            expect_eq("when it has written", first, 0);
        }
    );
}

#[test]
fn the_same_bytes() {
    case!(
        "Tables that were told the same have the same bytes, also across a restart.",
        || {
            let producers: Vec<_> = (0..200).map(|number| number * 7 % 50).collect();
            let (one, other) = (with(&producers), with(&producers));
            let bytes = pieces(&other);
            expect("two tables have the same bytes", pieces(&one) == bytes);
            let restored = pieces(&restored(&one, 200));
            expect(
                "a table has the same bytes after a restart",
                restored == bytes,
            );
        }
    );
}

#[test]
fn the_bytes_of_a_piece() {
    case!(
        "A piece is its version, the number of producers, and each, by their ids.",
        || {
            let mut table: Table<()> = Table::new(LIMITS, Turns::default());
            for (at, producer) in [(5, 8), (6, 7), (9, 8)] {
                table.note(Timestamp(at), ProducerId(producer), ProducerEpoch(1), None);
            }
            let mut expected = vec![1, 0, 0, 0, 2];
            for (producer, seen, turn) in [(7_i64, 6_i64, 1_i64), (8, 9, 2)] {
                for value in [producer, seen, turn] {
                    expected.extend(value.to_be_bytes());
                }
                expected.extend([0, 0, 1, 0]);
            }
            let fields = [
                ("version", 0, 1),
                ("number of producers", 1, 4),
                ("first id", 5, 8),
                ("first seen", 13, 8),
                ("first turn", 21, 8),
                ("first window", 29, 4),
                ("second id", 33, 8),
                ("second seen", 41, 8),
                ("second turn", 49, 8),
                ("second window", 57, 4),
            ];
            let bytes = pieces(&table).concat();
            expect_bytes("producers 8, 7 and 8 again", &bytes, &expected, &fields);
        }
    );
}

#[test]
fn piece_by_piece() {
    case!(
        "Appends wait for one piece, not for all: a piece has so many producers, by their ids.",
        || {
            let mut table = with(&[7, 1, 6, 2, 5, 3, 4]);
            let nobody = table.snapshot(Some(ProducerId(7)));
            expect("there is no piece behind the last one", nobody.is_none());
            let mut restored = self::table();
            let mut after = None;
            for expected in [vec![1, 2, 3], vec![4, 5, 6], vec![7, 8]] {
                let what = format!("{PIECE_MAX} in a piece; those of the one behind {after:?}");
                let piece = table.snapshot(after);
                let piece = piece.unwrap_or_else(|| panic!("there is no piece behind {after:?}"));
                let added = restored.restore(Timestamp(9), &piece.bytes);
                let expected: Vec<_> = expected.into_iter().map(ProducerId).collect();
                expect_eq("its last one", Some(piece.last), expected.last().copied());
                expect_eq(&what, added, Ok(expected));
                after = Some(piece.last);
                // It comes while the snapshot is made.
                note(&mut table, 9, 8, 9);
            }
        }
    );
}

#[test]
fn a_long_stop() {
    case!(
        "Producers that were silent for a day at the start are left out, but held ones.",
        || {
            let mut table = with(&[1, 2, 3, 4]);
            hold(&mut table, 1, Some(0));
            let mut restored = self::table();
            let added = pieces(&table).into_iter().flat_map(|piece| {
                let added = restored.restore(Timestamp(2 + day()), &piece);
                added.unwrap_or_else(|error| panic!("a piece cannot be restored: {error}"))
            });
            let added: Vec<_> = added.map(|producer| producer.0).collect();
            expect_eq("what restore returns, a day after 3", added, vec![1, 4]);
            let table = restored;
            expect_eq("the producers", ids(&table), vec![1, 4]);
            expect_eq("forgotten are", order(&table), vec![4]);
        }
    );
}
