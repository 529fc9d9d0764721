//! The table is told what is in the log.

use message_model::{Offset, ProducerEpoch, ProducerId, Timestamp};
use spec_harness::{case, expect_eq};

use super::super::batches::batch;
use super::open::{EPOCH, Open, ids, note, table, with};

#[test]
fn a_producer_is_known_after_its_first_batch() {
    case!(
        "A batch that is noted is in the window of its producer.",
        || {
            let mut table = table(10);
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
            let mut table = table(10);
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
fn a_marker_has_no_numbers() {
    case!(
        "A marker makes its producer known, and shows its epoch.",
        || {
            let mut table = with(10, &[1]);
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
fn the_time_of_the_last_note() {
    case!(
        "A producer was seen when it was noted last, also if the clock was set back.",
        || {
            let mut table = with(10, &[1]);
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
            let mut table = with(10, &[1, 2]);
            let returned = table.change(ProducerId(2), |open| {
                open.since = Some(Offset(40));
                "changed"
            });
            expect_eq("what the change returns", returned, Some("changed"));
            note(&mut table, 9, 2, 3);
            let kept = table.get(ProducerId(2)).map(|entry| entry.kept.since);
            expect_eq("of producer 2", kept, Some(Some(Offset(40))));
            let kept = table.get(ProducerId(1)).map(|entry| entry.kept.since);
            expect_eq("of producer 1", kept, Some(None));
            let unknown = table.change(ProducerId(3), |_| "changed");
            expect_eq("of a producer that is not known", unknown, None);
            expect_eq("the producers", ids(&table), vec![1, 2]);
        }
    );
}
