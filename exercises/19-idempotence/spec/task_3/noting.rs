//! The table is told what is in the log.

use message_model::{Offset, ProducerEpoch, ProducerId, Timestamp};
use spec_harness::{case, expect_eq};

use super::super::batches::batch;
use super::open::{EPOCH, Open, Producers, ids, note, restored, table, with};

#[test]
fn a_producer_is_known_after_its_first_batch() {
    case!(
        "A batch that is noted is in the window of its producer.",
        || {
            let mut table = table();
            let is_known = table.get(ProducerId(7)).is_some();
            expect_eq(
                "known before, and empty",
                (is_known, table.is_empty()),
                (false, true),
            );
            table.note(Timestamp(50), ProducerId(7), EPOCH, Some(batch(0, 9, 100)));
            let entry = table.get(ProducerId(7)).cloned();
            let entry = entry.unwrap_or_else(|| panic!("producer 7 is not known"));
            expect_eq(
                "its batch",
                entry.window.find(EPOCH, 0, 9),
                Some(batch(0, 9, 100)),
            );
            expect_eq("when it was seen", entry.seen, Timestamp(50));
            expect_eq("what other rules keep of it", entry.kept, Open::default());
            let count = (table.len(), table.is_empty());
            expect_eq("how many producers, and empty", count, (1, false));
        }
    );
}

#[test]
fn each_producer_has_a_window_of_its_own() {
    case!(
        "The numbers of one producer say nothing about another.",
        || {
            let mut table = table();
            for (number, producer) in [1, 2, 1, 2, 1].into_iter().enumerate() {
                note(&mut table, 0, producer, i32::try_from(number).unwrap_or(0));
            }
            let numbers = [1, 2].map(|producer| {
                let entry = table.get(ProducerId(producer));
                let batches = entry.map(|entry| entry.window.batches().map(|one| one.first));
                batches.map(Iterator::collect::<Vec<_>>)
            });
            expect_eq(
                "the numbers of 1 and 2",
                numbers,
                [Some(vec![0, 2, 4]), Some(vec![1, 3])],
            );
        }
    );
}

#[test]
fn a_note_forgets_nobody() {
    case!(
        "What is in the log is noted, and no other producer is forgotten for it.",
        || {
            let mut table = table();
            for producer in 0..50 {
                note(&mut table, 0, producer, 0);
            }
            expect_eq("how many producers", table.len(), 50);
            expect_eq("the producers", ids(&table), (0..50).collect());
        }
    );
}

#[test]
fn a_marker_has_no_numbers() {
    case!(
        "A marker makes its producer known, and shows its epoch.",
        || {
            let mut table = with(&[1]);
            for producer in [1, 2] {
                table.note(Timestamp(9), ProducerId(producer), ProducerEpoch(5), None);
            }
            let windows = [1, 2].map(|producer| {
                let entry = table.get(ProducerId(producer));
                entry.map(|entry| (entry.window.epoch().0, entry.window.batches().count()))
            });
            expect_eq("epochs, and how many batches", windows, [Some((5, 0)); 2]);
        }
    );
}

#[test]
fn a_marker_of_the_same_epoch() {
    case!(
        "A marker leaves the window as it is if its epoch is not newer.",
        || {
            let mut table = with(&[1]);
            for epoch in [EPOCH, ProducerEpoch(-1)] {
                table.note(Timestamp(9), ProducerId(1), epoch, None);
                let window = table.get(ProducerId(1)).map(|entry| entry.window.clone());
                let batches = window.iter().flat_map(|window| window.batches().copied());
                let what = format!("the batches after a marker with {epoch:?}");
                expect_eq(&what, batches.collect(), vec![batch(0, 0, 0)]);
            }
        }
    );
}

#[test]
fn an_older_instance_is_seen_too() {
    case!(
        "A note with an older epoch changes no window, but the producer was seen.",
        || {
            let mut table = table();
            for (at, producer, epoch) in [(5, 1, 1), (6, 2, 1), (7, 1, 0)] {
                let (at, producer) = (Timestamp(at), ProducerId(producer));
                table.note(at, producer, ProducerEpoch(epoch), None);
            }
            let entry = table.get(ProducerId(1)).cloned();
            let seen = entry.map(|entry| (entry.window.epoch().0, entry.seen.0));
            expect_eq("epoch, and when it was seen", seen, Some((1, 7)));
            let idlest = table.forget_idlest();
            expect_eq("forgotten first", idlest, Some(ProducerId(2)));
        }
    );
}

#[test]
fn the_time_of_the_last_note() {
    case!(
        "A producer was seen when it was noted last, also if the clock was set back.",
        || {
            let mut table = with(&[1]);
            for at in [500, 300] {
                note(&mut table, at, 1, 7);
                let seen = table.get(ProducerId(1)).map(|entry| entry.seen);
                expect_eq("seen", seen, Some(Timestamp(at)));
            }
        }
    );
}

#[test]
fn what_other_rules_keep() {
    case!(
        "What other rules keep is changed in place, and a note leaves it as it is.",
        || {
            let mut table = with(&[1, 2]);
            let returned = table.change(ProducerId(2), |open| {
                open.since = Some(Offset(40));
                "changed"
            });
            expect_eq("what the change returns", returned, Some("changed"));
            note(&mut table, 9, 2, 3);
            let kept = table.get(ProducerId(2)).map(|entry| entry.kept.since);
            expect_eq("of producer 2", kept, Some(Some(Offset(40))));
            table.note(Timestamp(9), ProducerId(2), ProducerEpoch(1), None);
            let kept = table.get(ProducerId(2)).map(|entry| entry.kept.since);
            expect_eq("with a new epoch", kept, Some(Some(Offset(40))));
            let kept = table.get(ProducerId(1)).map(|entry| entry.kept.since);
            expect_eq("of producer 1", kept, Some(None));
            let unknown = table.change(ProducerId(3), |_| "changed");
            expect_eq("of a producer that is not known", unknown, None);
            expect_eq("the producers", ids(&table), vec![1, 2]);
        }
    );
}

#[test]
fn what_is_kept_of_those_that_are_let_go() {
    case!(
        "What other rules keep is theirs, whether the producer is held or not.",
        || {
            let mut table = with(&[1]);
            for (since, ended) in [(Some(0), 1), (None, 2), (None, 3)] {
                table.change(ProducerId(1), |open| {
                    *open = Open {
                        since: since.map(Offset),
                        ended,
                    };
                });
                note(&mut table, 9, 1, 9);
                let kept = |table: &Producers| table.get(ProducerId(1)).map(|entry| entry.kept);
                let ended_of = |table: &Producers| kept(table).map(|open| open.ended);
                expect_eq(
                    "transactions that have ended",
                    ended_of(&table),
                    Some(ended),
                );
                table = restored(&table, 9);
                expect_eq("after a restart", ended_of(&table), Some(ended));
            }
        }
    );
}
