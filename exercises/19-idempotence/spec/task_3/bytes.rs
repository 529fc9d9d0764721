//! A table as bytes, and back.

use message_model::{ProducerEpoch, ProducerId, Timestamp};
use spec_harness::{case, expect, expect_bytes, expect_eq};
use wire_protocol::Reader;

use super::super::batches::batch;
use super::open::{EPOCH, IDLE_MAX, hold, ids, limits, note, restored, table, with};
use super::part::{Table, Window};

/// A window of `count` batches, numbered from just below the largest number on.
pub(super) fn window(count: i32) -> Window {
    let mut window = Window::new(ProducerEpoch(i16::MAX));
    for index in 0..count {
        let first = (i32::MAX - 3).wrapping_add(index * 2) & i32::MAX;
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
            let mut table = table(9);
            for number in 0..8 {
                note(&mut table, number.into(), 1, number);
                note(&mut table, number.into(), 2, number);
            }
            let table = restored(&table, 9, 8);
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
            let mut table = with(9, &[1; 5]);
            table = restored(&table, 9, 5);
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
            let mut table = with(9, &[1, 2, 3]);
            hold(&mut table, 2, Some(77));
            let table = restored(&table, 9, 3);
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
            let mut table = with(9, &[5, 1, 4, 2, 5, 3, 1]);
            hold(&mut table, 2, Some(0));
            let mut table = restored(&table, 9, 9);
            note(&mut table, 9, 5, 9);
            let order: Vec<_> = std::iter::from_fn(|| table.forget_idlest()).collect();
            expect_eq(
                "5 is noted, then forgotten are",
                order,
                [4, 3, 1, 5].map(ProducerId).to_vec(),
            );
            hold(&mut table, 2, None);
            expect_eq(
                "and 2 when it is let go",
                table.forget_idlest(),
                Some(ProducerId(2)),
            );
        }
    );
}

#[test]
fn the_same_bytes() {
    case!(
        "Tables that were told the same have the same bytes, also across a restart.",
        || {
            let producers: Vec<_> = (0..200).map(|number| number * 7 % 50).collect();
            let (one, other) = (with(40, &producers), with(40, &producers));
            let bytes = other.snapshot();
            expect("two tables have the same bytes", one.snapshot() == bytes);
            let restored = restored(&one, 40, 200).snapshot();
            expect(
                "a table has the same bytes after a restart",
                restored == bytes,
            );
        }
    );
}

#[test]
fn the_bytes_of_a_table() {
    case!(
        "A snapshot is its version, the number of producers, and each, the idlest first.",
        || {
            let mut table: Table<()> = Table::new(limits(9));
            for (at, producer) in [(5, 8), (6, 7), (9, 8)] {
                table.note(Timestamp(at), ProducerId(producer), ProducerEpoch(1), None);
            }
            let mut expected = vec![0, 0, 0, 0, 2];
            for (producer, seen) in [(7_i64, 6_i64), (8, 9)] {
                expected.extend(producer.to_be_bytes());
                expected.extend(seen.to_be_bytes());
                expected.extend([0, 0, 1, 0]);
            }
            let fields = [
                ("version", 0, 1),
                ("number of producers", 1, 4),
                ("first id", 5, 8),
                ("first seen", 13, 8),
                ("first window", 21, 4),
                ("second id", 25, 8),
                ("second seen", 33, 8),
                ("second window", 41, 4),
            ];
            expect_bytes(
                "producers 8, 7 and 8 again",
                &table.snapshot(),
                &expected,
                &fields,
            );
        }
    );
}

#[test]
fn with_smaller_limits() {
    case!(
        "If the broker is started with a smaller limit, the idlest are left out.",
        || {
            let mut table = with(9, &[1, 2, 3, 4, 1]);
            hold(&mut table, 2, Some(0));
            expect_eq(
                "with room for two",
                ids(&restored(&table, 2, 5)),
                vec![1, 2],
            );
            expect_eq("with room for one", ids(&restored(&table, 1, 5)), vec![2]);
            expect_eq(
                "with room for nine",
                ids(&restored(&table, 9, 5)),
                vec![1, 2, 3, 4],
            );
        }
    );
}

#[test]
fn a_long_stop() {
    case!(
        "Producers that were silent for a day at the start are left out, but held ones.",
        || {
            let day = i64::try_from(IDLE_MAX.as_millis()).unwrap_or(i64::MAX);
            let mut table = with(9, &[1, 2, 3, 4]);
            hold(&mut table, 1, Some(0));
            expect_eq(
                "a day after 3",
                ids(&restored(&table, 9, 2 + day)),
                vec![1, 4],
            );
        }
    );
}
