//! Bytes that are no snapshot: torn, flipped, of another version, or made by an enemy.

use message_model::{ProducerEpoch, ProducerId, Timestamp};
use spec_harness::{case, expect, expect_eq};
use wire_protocol::Reader;

use super::super::batches::batch;
use super::bytes::window;
use super::open::{hold, limits, note, table, with};
use super::part::{Table, Unreadable, Window};

/// Why these bytes are no table; `Ok` with the number of producers if they are one.
fn read(bytes: &[u8]) -> Result<usize, Unreadable> {
    let table = Table::<super::open::Open>::restore(limits(100), Timestamp(0), bytes);
    table.map(|table| table.len())
}

fn read_window(bytes: &[u8]) -> Result<usize, Unreadable> {
    let window = Window::take(&mut Reader::new(bytes));
    window.map(|window| window.batches().count())
}

/// A table with five producers, and six batches of one of them.
fn snapshot() -> Vec<u8> {
    let mut table = with(9, &[1, 2, 3, 4, 5, 1, 1, 1, 1, 1]);
    hold(&mut table, 3, Some(12));
    table.snapshot()
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
            for version in [1, 2, 127, -1, -128_i8] {
                let mut bytes = snapshot();
                bytes[0] = version.to_be_bytes()[0];
                expect_eq("a table", read(&bytes), Err(Unreadable::Version(version)));
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
        }
    );
}

#[test]
fn a_producer_that_is_there_twice() {
    case!("A snapshot has no producer twice.", || {
        let mut table = table(9);
        note(&mut table, 0, 1, 0);
        note(&mut table, 0, 2, 1);
        let mut bytes = table.snapshot();
        let size = (bytes.len() - 5) / 2;
        bytes.copy_within(5..5 + 8, 5 + size);
        let got = read(&bytes);
        expect_eq("the same id twice", got, Err(Unreadable::Value));
    });
}

#[test]
fn whatever_a_producer_says_of_itself() {
    case!(
        "No producer can make a snapshot unreadable: any id and any epoch come back.",
        || {
            for id in [i64::MIN, -2, -1, i64::MAX] {
                for epoch in [i16::MIN, -1, i16::MAX] {
                    let mut table = table(9);
                    let (producer, epoch) = (ProducerId(id), ProducerEpoch(epoch));
                    table.note(Timestamp(0), producer, epoch, Some(batch(0, 9, 100)));
                    let what = format!("producer {id}, {epoch:?}");
                    expect_eq(&what, read(&table.snapshot()), Ok(1));
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
            let table = with(9, &[1]);
            let mut bytes = table.snapshot();
            let kept = bytes.len() - 8;
            bytes[kept..].copy_from_slice(&(-2_i64).to_be_bytes());
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
                let table = Table::<super::open::Open>::restore(limits(100), Timestamp(0), &bytes);
                if let Ok(table) = table {
                    let fits = table.len() <= 5;
                    expect(&format!("bit {bit} flipped: at most five producers"), fits);
                    let windows = table
                        .iter()
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
