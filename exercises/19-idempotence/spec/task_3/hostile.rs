//! Bytes that are no snapshot: torn, flipped, of another version, or made by an enemy.

use message_model::{ProducerEpoch, ProducerId, Timestamp};
use spec_harness::{case, expect, expect_eq};
use wire_protocol::Reader;

use super::super::batches::batch;
use super::bytes::window;
use super::open::{LIMITS, Producers, day, hold, ids, note, pieces, restored, table, with};
use super::part::{Limits, Table, Turns, Unreadable, Window};

/// A table that reads and writes its producers in one piece.
fn in_one_piece() -> Producers {
    let limits = Limits {
        piece_max: 100,
        ..LIMITS
    };
    Table::new(limits, Turns::default())
}

/// Why these bytes are no piece; `Ok` with the number of producers if they are one. A table has
/// nothing of a piece that it cannot read.
fn read(bytes: &[u8]) -> Result<usize, Unreadable> {
    let mut table = in_one_piece();
    let read = table.restore(Timestamp(0), bytes);
    if read.is_err() {
        expect_eq("producers of a piece that is none", table.len(), 0);
        expect_eq("and the idlest", table.idlest(), None);
    }
    read.map(|_| table.len())
}

fn read_window(bytes: &[u8]) -> Result<usize, Unreadable> {
    let window = Window::take(&mut Reader::new(bytes));
    window.map(|window| window.batches().count())
}

/// A table with five producers, and six batches of one of them.
fn snapshot() -> Vec<u8> {
    let mut table = in_one_piece();
    for (number, producer) in (0..).zip([1, 2, 3, 4, 5, 1, 1, 1, 1, 1]) {
        note(&mut table, i64::from(number), producer, number);
    }
    hold(&mut table, 3, Some(12));
    pieces(&table).concat()
}

#[test]
fn a_torn_snapshot() {
    case!(
        "A snapshot that ends too early is none, wherever it ends.",
        || {
            let bytes = snapshot();
            expect_eq("whole", read(&bytes), Ok(5));
            for length in 0..bytes.len() {
                let what = format!("{length} of {} bytes", bytes.len());
                expect_eq(&what, read(&bytes[..length]), Err(Unreadable::Length));
            }
        }
    );
}

#[test]
fn something_behind_the_end() {
    case!("A snapshot that goes on behind its end is none.", || {
        let mut bytes = snapshot();
        for extra in [0, 1, 255] {
            bytes.push(extra);
            expect_eq(
                "with bytes behind it",
                read(&bytes),
                Err(Unreadable::Length),
            );
        }
    });
}

#[test]
fn a_torn_window() {
    case!(
        "A window that ends too early is none, wherever it ends.",
        || {
            let mut bytes = Vec::new();
            window(5).put(&mut bytes);
            for length in 0..bytes.len() {
                let what = format!("{length} of {} bytes", bytes.len());
                expect_eq(
                    &what,
                    read_window(&bytes[..length]),
                    Err(Unreadable::Length),
                );
            }
        }
    );
}

#[test]
fn of_another_version() {
    case!(
        "What another version has written is not guessed at.",
        || {
            for version in [0, 2, 127, -1, -128_i8] {
                let mut bytes = snapshot();
                bytes[0] = version.to_be_bytes()[0];
                expect_eq("a table", read(&bytes), Err(Unreadable::Version(version)));
            }
            for version in [1, 2, 127, -1, -128_i8] {
                let mut bytes = Vec::new();
                window(1).put(&mut bytes);
                bytes[0] = version.to_be_bytes()[0];
                expect_eq(
                    "a window",
                    read_window(&bytes),
                    Err(Unreadable::Version(version)),
                );
            }
        }
    );
}

#[test]
fn values_that_cannot_be() {
    case!(
        "A window has 0 to 5 batches, and no negative number or offset.",
        || {
            let mut whole = Vec::new();
            window(5).put(&mut whole);
            // Enough behind it for any count.
            whole.resize(10_000, 0);
            let fields = [("number of batches", 3), ("first", 4), ("last", 8)];
            for (name, at) in fields.into_iter().chain([("last offset", 4 + 4 * 24 + 8)]) {
                let mut bytes = whole.clone();
                bytes[at] |= 0x80;
                let what = format!("a negative {name}");
                expect_eq(&what, read_window(&bytes), Err(Unreadable::Value));
            }
            for count in [6, 7, 127] {
                whole[3] = count;
                let what = format!("{count} batches");
                expect_eq(&what, read_window(&whole), Err(Unreadable::Value));
            }
        }
    );
}

#[test]
fn a_negative_time_can_be() {
    case!(
        "A record may be older than 1970, or have no time: any timestamp is right.",
        || {
            let mut bytes = Vec::new();
            window(1).put(&mut bytes);
            bytes[4 + 16] |= 0x80;
            expect_eq("a negative timestamp", read_window(&bytes), Ok(1));
            let mut table = table();
            note(&mut table, -5, 1, 0);
            let table = restored(&table, 0);
            let seen = table.get(ProducerId(1)).map(|entry| entry.seen);
            expect_eq("seen before 1970", seen, Some(Timestamp(-5)));
        }
    );
}

#[test]
fn a_producer_that_is_there_twice() {
    case!("A snapshot has no producer twice.", || {
        // The first one is so old that it is left out.
        for seen in [0, -9 * day()] {
            let mut table = table();
            note(&mut table, seen, 1, 0);
            note(&mut table, 0, 2, 1);
            let mut bytes = pieces(&table).concat();
            let size = (bytes.len() - 5) / 2;
            bytes.copy_within(5..5 + 8, 5 + size);
            let what = format!("the same id twice, seen at {seen}");
            expect_eq(&what, read(&bytes), Err(Unreadable::Value));
        }
        let mut table = with(&[1, 2]);
        let other = pieces(&with(&[2, 3])).concat();
        let got = table.restore(Timestamp(0), &other);
        expect_eq("2 and 3 after 1 and 2", got, Err(Unreadable::Value));
        expect_eq("the producers then", ids(&table), vec![1, 2]);
    });
}

#[test]
fn a_turn_that_cannot_be() {
    case!(
        "A turn below zero is none: the next turn must be above all.",
        || {
            let mut bytes = pieces(&with(&[1])).concat();
            bytes[5 + 16] |= 0x80;
            expect_eq("a negative turn", read(&bytes), Err(Unreadable::Value));
            bytes[5 + 16..5 + 24].copy_from_slice(&i64::MAX.to_be_bytes());
            let mut table = table();
            let added = table.restore(Timestamp(0), &bytes);
            expect_eq("the largest turn", added, Ok(vec![ProducerId(1)]));
            note(&mut table, 0, 2, 0);
            expect_eq(
                "2 writes: forgotten first",
                table.forget_idlest(),
                Some(ProducerId(1)),
            );
        }
    );
}

#[test]
fn whatever_a_producer_says_of_itself() {
    case!(
        "No producer can make a snapshot unreadable: any id and any epoch come back.",
        || {
            for id in [i64::MIN, -2, -1, i64::MAX] {
                for epoch in [i16::MIN, -1, i16::MAX] {
                    let mut table = table();
                    let (producer, epoch) = (ProducerId(id), ProducerEpoch(epoch));
                    table.note(Timestamp(0), producer, epoch, Some(batch(0, 9, 100)));
                    let what = format!("producer {id}, {epoch:?}");
                    expect_eq(&what, read(&pieces(&table).concat()), Ok(1));
                }
            }
        }
    );
}

#[test]
fn four_billion_producers() {
    case!(
        "A number that is announced takes no memory before the bytes are there.",
        || {
            for count in [u32::MAX, 0x7fff_ffff, 100_000_000] {
                let mut bytes = snapshot();
                bytes[1..5].copy_from_slice(&count.to_be_bytes());
                let what = format!("{count} producers in {} bytes", bytes.len());
                expect_eq(&what, read(&bytes), Err(Unreadable::Length));
            }
        }
    );
}

#[test]
fn what_other_rules_cannot_read() {
    case!(
        "If other rules cannot read what they keep, the table is not restored either.",
        || {
            let mut bytes = pieces(&with(&[1])).concat();
            let kept = bytes.len() - 9;
            bytes[kept..kept + 8].copy_from_slice(&(-2_i64).to_be_bytes());
            expect_eq(
                "an open transaction at -2",
                read(&bytes),
                Err(Unreadable::Value),
            );
        }
    );
}

#[test]
fn any_bit_flipped() {
    case!(
        "A flipped bit makes it an error or another table, and never a panic.",
        || {
            let whole = snapshot();
            for bit in 0..whole.len() * 8 {
                let mut bytes = whole.clone();
                bytes[bit / 8] ^= 1 << (bit % 8);
                let mut table = in_one_piece();
                if table.restore(Timestamp(0), &bytes).is_ok() {
                    let fits = table.len() <= 5;
                    expect(&format!("bit {bit} flipped: at most five producers"), fits);
                    let windows = table
                        .piece(None)
                        .map(|(_, entry)| entry.window.batches().count());
                    expect(
                        &format!("bit {bit}: at most five batches"),
                        windows.max() <= Some(5),
                    );
                }
            }
        }
    );
}
