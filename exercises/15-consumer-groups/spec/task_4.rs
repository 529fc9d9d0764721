//! What survives a pass of compaction.

use message_model::{Offset, OffsetRange, Timestamp};
use spec_harness::{case, expect, expect_eq};

use super::part::{Candidate, delete_horizon, survives};

const NOW: Timestamp = Timestamp(1_000);

fn value(offset: i64) -> Candidate<'static> {
    Candidate {
        offset: Offset(offset),
        key: Some(b"k"),
        has_value: true,
    }
}

fn tombstone(offset: i64) -> Candidate<'static> {
    Candidate {
        has_value: false,
        ..value(offset)
    }
}

/// Whether a record survives, in a batch without a horizon.
fn lives(record: &Candidate<'_>, newest: Option<i64>) -> bool {
    survives(record, newest.map(Offset), None, NOW)
}

fn range(start: i64, end: i64) -> OffsetRange {
    OffsetRange {
        start: Offset(start),
        end: Offset(end),
    }
}

/// The horizon of the batch with these offsets, after a pass over 100 to 200 that gives 5,000.
fn horizon(batch: (i64, i64), given: Option<i64>) -> Option<i64> {
    let batch = range(batch.0, batch.1);
    let given = given.map(Timestamp);
    delete_horizon(range(100, 200), batch, given, Timestamp(5_000)).map(|horizon| horizon.0)
}

#[test]
fn an_older_record_goes() {
    case!(
        "The section has the key at offset 9. The record at 5 is older, so it goes.",
        || {
            expect_eq("the record at 5", lives(&value(5), Some(9)), false);
            expect_eq("the record at 8", lives(&value(8), Some(9)), false);
            expect_eq("the tombstone at 5", lives(&tombstone(5), Some(9)), false);
        }
    );
}

#[test]
fn the_newest_record_stays() {
    case!("The newest record of a key survives every pass.", || {
        expect_eq("the record at 9 itself", lives(&value(9), Some(9)), true);
        expect_eq("one behind the section", lives(&value(12), Some(9)), true);
    });
}

#[test]
fn a_key_that_the_section_does_not_have() {
    case!(
        "Nothing in the section is newer than a record whose key it does not have: it stays.",
        || {
            expect_eq("the record at 5", lives(&value(5), None), true);
        }
    );
}

#[test]
fn a_record_without_a_key() {
    case!("A record without a key goes.", || {
        let keyless = Candidate {
            key: None,
            ..value(5)
        };
        expect_eq("the record at 5", lives(&keyless, None), false);
    });
}

#[test]
fn an_empty_key_is_a_key() {
    case!("A key of no bytes is a key like any other.", || {
        let empty = Candidate {
            key: Some(b""),
            ..value(5)
        };
        expect_eq("the record at 5", lives(&empty, Some(5)), true);
    });
}

#[test]
fn a_tombstone_without_a_horizon() {
    case!(
        "A tombstone stays while its batch has no delete horizon: older records may be left, and readers must see that the key is deleted.",
        || {
            expect_eq("in the section", lives(&tombstone(9), Some(9)), true);
            expect_eq("before it", lives(&tombstone(5), None), true);
        }
    );
}

#[test]
fn a_tombstone_until_its_horizon() {
    case!(
        "A tombstone stays until the delete horizon, and goes from then on.",
        || {
            for (now, expected) in [(999, true), (1_000, false), (1_001, false)] {
                let lives = survives(&tombstone(5), None, Some(Timestamp(1_000)), Timestamp(now));
                expect_eq(&format!("horizon 1000, now {now}"), lives, expected);
            }
        }
    );
}

#[test]
fn a_horizon_is_not_about_values() {
    case!(
        "The delete horizon of a batch is about its tombstones. A record with a value stays.",
        || {
            let lives = survives(&value(5), None, Some(Timestamp(10)), NOW);
            expect_eq("horizon 10, now 1000", lives, true);
        }
    );
}

#[test]
fn an_older_tombstone_waits_for_nothing() {
    case!(
        "A tombstone that is not the newest of its key goes at once.",
        || {
            let lives = survives(&tombstone(5), Some(Offset(9)), Some(Timestamp(9_999)), NOW);
            expect_eq("horizon 9999, now 1000", lives, false);
        }
    );
}

#[test]
fn a_batch_in_the_section_gets_a_horizon() {
    case!(
        "After the pass nothing older is left of the keys in the section: the time of its tombstones begins.",
        || {
            expect_eq("offsets 120 to 130", horizon((120, 130), None), Some(5_000));
            expect_eq("the first of it", horizon((100, 101), None), Some(5_000));
            expect_eq("up to its end", horizon((190, 200), None), Some(5_000));
        }
    );
}

#[test]
fn a_batch_that_reaches_behind_the_section_gets_none() {
    case!(
        "A batch that reaches behind the section may have tombstones whose keys were not noted: no horizon, whatever its header says.",
        || {
            expect_eq("offsets 190 to 201", horizon((190, 201), None), None);
            expect_eq("offsets 200 to 210", horizon((200, 210), None), None);
            expect_eq("with one in its header", horizon((190, 201), Some(3)), None);
        }
    );
}

#[test]
fn an_earlier_batch_keeps_its_horizon() {
    case!(
        "The horizon that an earlier pass gave stays: if each pass gave a new one, no tombstone would ever go.",
        || {
            expect_eq("offsets 20 to 30", horizon((20, 30), Some(3)), Some(3));
            expect_eq("just before", horizon((99, 100), Some(3)), Some(3));
        }
    );
}

#[test]
fn an_earlier_batch_without_a_horizon_gets_one() {
    case!(
        "The section before ended within a batch, which has no horizon since. Now it gets one.",
        || {
            expect_eq("offsets 95 to 105", horizon((95, 105), None), Some(5_000));
        }
    );
}

#[test]
fn a_producers_horizon_is_not_believed() {
    case!(
        "No pass has seen a batch that begins in the section, so its producer wrote the horizon: it counts as none.",
        || {
            expect_eq(
                "offsets 120 to 130",
                horizon((120, 130), Some(3)),
                Some(5_000),
            );
            expect_eq("the first of it", horizon((100, 110), Some(3)), Some(5_000));
        }
    );
}

/// A log of records of the keys `a` and `b`, each with a value or without, one batch each.
fn histories(length: u32) -> impl Iterator<Item = Vec<Candidate<'static>>> {
    let kinds = [
        (&b"a"[..], true),
        (b"a", false),
        (b"b", true),
        (b"b", false),
    ];
    let count = kinds.len().pow(length);
    (0..count).map(move |number| {
        let record = |index: u32| {
            let (key, has_value) = kinds[number / kinds.len().pow(index) % kinds.len()];
            Candidate {
                offset: Offset(i64::from(index)),
                key: Some(key),
                has_value,
            }
        };
        (0..length).map(record).collect()
    })
}

/// The last record of a key, if it has a value: what a table made of the log says.
fn read<'a>(log: &[Candidate<'a>], key: &[u8]) -> Option<Offset> {
    let last = log.iter().rev().find(|record| record.key == Some(key))?;
    last.has_value.then_some(last.offset)
}

#[test]
fn a_table_made_of_the_log_stays_the_same() {
    case!(
        "Whatever was written, and wherever a pass ends: who reads from the start gets the same value of each key, pass after pass.",
        || {
            for length in 1..=5 {
                for history in histories(length) {
                    for cut in 0..=i64::from(length) {
                        pass_after_pass(&history, cut);
                    }
                }
            }
        }
    );
}

/// A pass over the offsets up to `cut`, then two over all, each later than any horizon before it.
fn pass_after_pass(history: &[Candidate<'static>], cut: i64) {
    let end = history.len() as i64;
    let mut log: Vec<(Candidate<'static>, Option<Timestamp>)> =
        history.iter().map(|record| (*record, None)).collect();
    let sections = [(0, cut), (cut, end), (end, end)];
    for (section, now) in sections.into_iter().zip([1_000, 3_000, 5_000]) {
        let section = range(section.0, section.1);
        let newest = |key| {
            let in_section = history
                .iter()
                .rev()
                .find(|record| record.key == key && section.contains(record.offset));
            in_section.map(|record| record.offset)
        };
        let pass = |(record, given): &(Candidate<'static>, Option<Timestamp>)| {
            let batch = range(record.offset.0, record.offset.0 + 1);
            let horizon = delete_horizon(section, batch, *given, Timestamp(now + 1_000));
            survives(record, newest(record.key), horizon, Timestamp(now))
                .then_some((*record, horizon))
        };
        log = log.iter().filter_map(pass).collect();
        let left: Vec<_> = log.iter().map(|(record, _)| *record).collect();
        for key in [&b"a"[..], b"b"] {
            expect(
                &format!("after a pass over {section} of {history:?}, {left:?} is left"),
                read(&left, key) == read(history, key),
            );
        }
    }
    expect(
        &format!("tombstones are left of {history:?}: {log:?}"),
        log.iter().all(|(record, _)| record.has_value),
    );
}
