//! The duplicate window of one producer.

use std::collections::HashMap;

use message_model::{Offset, ProducerEpoch, Timestamp};
use spec_harness::{case, expect_eq};

use super::batches::{EPOCH, NEWER, OLDER, batch, header};
use super::part::{Remembered, Window};

/// A window with these batches, at the offsets 100, 200, 300 …
fn window(batches: &[(i32, i32)]) -> Window {
    let mut window = Window::new(EPOCH);
    for ((first, last), offset) in batches.iter().zip((100..).step_by(100)) {
        window.push(EPOCH, batch(*first, *last, offset));
    }
    window
}

/// The offset of what is found.
fn found(window: &Window, epoch: ProducerEpoch, first: i32, last: i32) -> Option<i64> {
    let found = window.find(epoch, first, last);
    found.map(|batch| batch.base_offset.0)
}

#[test]
fn a_batch_that_comes_again() {
    case!(
        "A batch that comes again is found, with the offset and the time that it has in the log.",
        || {
            let window = window(&[(0, 9)]);
            let got = window.find(EPOCH, 0, 9);
            expect_eq("find(0, 9)", got, Some(batch(0, 9, 100)));
            expect_eq("the last batch", window.last(), Some(&batch(0, 9, 100)));
        }
    );
}

#[test]
fn a_batch_that_is_new() {
    case!(
        "A batch that comes for the first time is not found.",
        || {
            expect_eq("in an empty window", found(&window(&[]), EPOCH, 0, 9), None);
            let window = window(&[(0, 9)]);
            expect_eq("the next batch", found(&window, EPOCH, 10, 19), None);
            expect_eq(
                "one with a gap before it",
                found(&window, EPOCH, 20, 29),
                None,
            );
        }
    );
}

#[test]
fn five_batches_are_remembered() {
    case!(
        "Each of the last five batches is found, in whatever order they come again.",
        || {
            let window = window(&[(0, 9), (10, 10), (11, 30), (31, 31), (32, 40)]);
            let again = [(32, 40), (0, 9), (31, 31), (10, 10), (11, 30)];
            let got = again.map(|(first, last)| found(&window, EPOCH, first, last));
            let expected = [500, 100, 400, 200, 300].map(Some);
            expect_eq("their offsets", got, expected);
        }
    );
}

#[test]
fn the_sixth_batch_pushes_out_the_first() {
    case!(
        "A batch older than the last five is not found, and the window has five for ever.",
        || {
            let mut window = window(&[(0, 0), (1, 1), (2, 2), (3, 3), (4, 4), (5, 5)]);
            let got = [0, 1, 2, 3, 4, 5].map(|number| found(&window, EPOCH, number, number));
            let expected =
                [0, 200, 300, 400, 500, 600].map(|offset| (offset > 0).then_some(offset));
            expect_eq("the offsets of six batches", got, expected);
            for number in 6..1_000 {
                window.push(EPOCH, batch(number, number, i64::from(number)));
            }
            let left: Vec<i32> = window.batches().map(|batch| batch.first).collect();
            expect_eq("after a thousand", left, vec![995, 996, 997, 998, 999]);
        }
    );
}

#[test]
fn a_batch_that_overlaps() {
    case!(
        "Only a batch with the same first and the same last number is the same batch.",
        || {
            let window = window(&[(0, 9), (10, 19)]);
            let overlapping = [(0, 8), (0, 10), (1, 9), (5, 5), (0, 19), (5, 14), (10, 29)];
            for (first, last) in overlapping {
                let what = format!("find({first}, {last}) with 0 to 9 and 10 to 19 in the log");
                expect_eq(&what, found(&window, EPOCH, first, last), None);
            }
        }
    );
}

#[test]
fn the_numbers_begin_again() {
    case!(
        "0 follows on the largest number: within a batch, or between two.",
        || {
            let max = i32::MAX;
            let window = window(&[(max - 9, max - 5), (max - 4, 5), (6, 6), (7, max), (0, 0)]);
            let again = [(max - 4, 5), (max - 9, max - 5), (7, max), (0, 0)];
            let got = again.map(|(first, last)| found(&window, EPOCH, first, last));
            expect_eq("offsets", got, [200, 100, 400, 500].map(Some));
            expect_eq(
                "find(5, 2147483643)",
                found(&window, EPOCH, 5, max - 4),
                None,
            );
        }
    );
}

#[test]
fn a_new_epoch_clears_the_window() {
    case!(
        "With a new epoch the numbers begin at 0 again, and mean other records.",
        || {
            let mut window = window(&[(0, 9), (10, 19)]);
            window.push(NEWER, batch(0, 9, 300));
            expect_eq("the epoch", window.epoch(), NEWER);
            expect_eq("0 to 9", found(&window, NEWER, 0, 9), Some(300));
            expect_eq("10 to 19", found(&window, NEWER, 10, 19), None);
        }
    );
}

#[test]
fn the_same_numbers_in_another_epoch() {
    case!(
        "A batch of another epoch is another batch, though its numbers are the same.",
        || {
            let window = window(&[(0, 9)]);
            expect_eq("of a newer epoch", found(&window, NEWER, 0, 9), None);
            expect_eq("of an older epoch", found(&window, OLDER, 0, 9), None);
        }
    );
}

#[test]
fn an_epoch_without_a_batch() {
    case!(
        "A marker may show a new epoch before any batch does: then the window is empty.",
        || {
            let mut window = window(&[(0, 9)]);
            window.begin(EPOCH);
            expect_eq(
                "after the same epoch",
                found(&window, EPOCH, 0, 9),
                Some(100),
            );
            window.begin(NEWER);
            expect_eq("the epoch", window.epoch(), NEWER);
            expect_eq("the last batch", window.last(), None);
        }
    );
}

#[test]
fn an_older_epoch_changes_nothing() {
    case!(
        "An older instance that writes late does not make the broker forget the newer one.",
        || {
            let mut window = window(&[(0, 9)]);
            let before = window.clone();
            window.begin(OLDER);
            expect_eq("after an older epoch", &window, &before);
            window.push(OLDER, batch(70, 79, 200));
            expect_eq("after a batch of an older epoch", &window, &before);
        }
    );
}

#[test]
fn the_numbers_of_a_batch() {
    case!(
        "A batch has the numbers from its base sequence on, one for each record.",
        || {
            let expected = Remembered {
                first: 40,
                last: 49,
                base_offset: Offset(5_000_000_000),
                timestamp: Timestamp(1_700_000_000_999),
            };
            expect_eq(
                "ten records from 40 on",
                Remembered::of(&header()),
                Some(expected),
            );
        }
    );
}

#[test]
fn a_batch_that_compaction_has_emptied() {
    case!(
        "Compaction takes records out of a batch; its numbers and offsets stay.",
        || {
            for left in [0, 1, 9] {
                let mut header = header();
                header.record_count = left;
                let got = Remembered::of(&header);
                let numbers = got.map(|batch| (batch.first, batch.last));
                let what = format!("the numbers of ten records of which {left} are left");
                expect_eq(&what, numbers, Some((40, 49)));
                let range = got.map(|batch| batch.range());
                expect_eq("their offsets", range, Some(header.range()));
            }
        }
    );
}

#[test]
fn a_batch_in_which_the_numbers_begin_again() {
    case!(
        "The number behind the largest one is 0, and never negative.",
        || {
            let max = i32::MAX;
            let batches = [
                ((max, 0), max),
                ((max, 1), 0),
                ((max - 3, 9), 5),
                ((0, max), max),
                ((max, max), max - 1),
            ];
            for ((first, delta), last) in batches {
                let mut header = header();
                (header.base_sequence, header.last_offset_delta) = (first, delta);
                let got = Remembered::of(&header);
                let what = format!("the last number, from {first} on, {delta} further");
                expect_eq(&what, got.map(|batch| batch.last), Some(last));
                let range = got.map(|batch| batch.range());
                expect_eq("its offsets", range, Some(header.range()));
            }
        }
    );
}

#[test]
fn a_batch_without_numbers() {
    case!(
        "What has no numbers is not remembered: a marker, or the batch of a plain producer.",
        || {
            let mut header = header();
            header.base_sequence = -1;
            expect_eq("a base sequence of -1", Remembered::of(&header), None);
            header.base_sequence = 0;
            let got = Remembered::of(&header).map(|batch| batch.first);
            expect_eq("a base sequence of 0", got, Some(0));
        }
    );
}

#[test]
fn a_batch_of_a_transaction() {
    case!(
        "A batch that belongs to a transaction has numbers, and is remembered like any other.",
        || {
            let mut header = header();
            // The bit that says so.
            header.attributes = 0x10;
            expect_eq("it belongs to one", header.is_transactional(), true);
            let got = Remembered::of(&header).map(|batch| (batch.first, batch.last));
            expect_eq("the numbers of ten records from 40 on", got, Some((40, 49)));
        }
    );
}

/// What a window must answer, the slow way: it has the whole history.
#[derive(Default)]
struct Model {
    epoch: i16,
    /// Of the epoch, in the order of the log.
    written: Vec<Remembered>,
}

impl Model {
    fn find(&self, epoch: i16, first: i32, last: i32) -> Option<Remembered> {
        let newest = self.written.iter().rev().take(5);
        let by_numbers: HashMap<_, _> = newest.map(|one| ((one.first, one.last), *one)).collect();
        let is_here = epoch == self.epoch;
        is_here.then(|| by_numbers.get(&(first, last)).copied())?
    }
}

#[test]
fn a_hundred_histories() {
    case!(
        "Whatever was written, the window finds what is among the last five, and no more.",
        || {
            for seed in 0..100 {
                history(seed);
            }
        }
    );
}

fn history(seed: u64) {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut window = Window::new(ProducerEpoch(0));
    let mut model = Model::default();
    let mut next = random.i32(0..20)
        + if seed.is_multiple_of(2) {
            0
        } else {
            i32::MAX - 20
        };
    for step in 0..30 {
        if random.u8(0..12) == 0 {
            model.epoch += 1;
            model.written.clear();
            next = 0;
            if random.bool() {
                window.begin(ProducerEpoch(model.epoch));
            }
        }
        let last = next.wrapping_add(random.i32(0..4)) & i32::MAX;
        let one = batch(next, last, step * 10);
        window.push(ProducerEpoch(model.epoch), one);
        model.written.push(one);
        next = last.wrapping_add(1) & i32::MAX;
        for back in 0..16 {
            let first = next.wrapping_sub(back) & i32::MAX;
            for count in 0..4 {
                let last = first.wrapping_add(count) & i32::MAX;
                let epoch = model.epoch - i16::from(random.u8(0..4) == 0);
                let got = window.find(ProducerEpoch(epoch), first, last);
                let expected = model.find(epoch, first, last);
                if got != expected {
                    let what =
                        format!("seed {seed}, step {step}: epoch {epoch}, {first} to {last}");
                    expect_eq(&what, got, expected);
                }
            }
        }
    }
}
