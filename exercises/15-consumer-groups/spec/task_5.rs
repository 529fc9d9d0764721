//! The newest offset of each key, in bounded memory.

use std::collections::BTreeMap;

use fastrand::Rng;
use message_model::{Offset, Timestamp};
use spec_harness::{case, expect, expect_eq};

use super::part::{Candidate, DirtySection, survives};

/// A section from offset 10 on with room for so many keys.
fn section(keys_max: usize) -> DirtySection {
    DirtySection::new(Offset(10), keys_max)
}

fn note(section: &mut DirtySection, offset: i64, key: &str) -> bool {
    section.note(Offset(offset), Some(key.as_bytes()))
}

fn newest(section: &DirtySection, key: &str) -> Option<i64> {
    section.newest(key.as_bytes()).map(|offset| offset.0)
}

fn end(section: &DirtySection) -> i64 {
    section.range().end.0
}

#[test]
fn the_newest_offset_counts() {
    case!("The section knows the last offset of each key.", || {
        let mut section = section(10);
        for (offset, key) in [(10, "a"), (11, "b"), (12, "a"), (13, "a")] {
            expect_eq(
                &format!("{key} at {offset}"),
                note(&mut section, offset, key),
                true,
            );
        }
        expect_eq("a", newest(&section, "a"), Some(13));
        expect_eq("b", newest(&section, "b"), Some(11));
        expect_eq("c", newest(&section, "c"), None);
    });
}

#[test]
fn the_section_ends_behind_the_last_record() {
    case!(
        "The section ends behind the last record that was noted, also when there are gaps.",
        || {
            let mut section = section(10);
            expect_eq("before the first record", end(&section), 10);
            note(&mut section, 10, "a");
            expect_eq("after the one at 10", end(&section), 11);
            note(&mut section, 25, "b");
            expect_eq("after the one at 25", end(&section), 26);
            expect_eq("it begins", section.range().start, Offset(10));
            section.pass(Offset(40));
            expect_eq("after pass(40)", end(&section), 40);
        }
    );
}

#[test]
fn no_room_for_one_more_key() {
    case!(
        "With room for two keys, the third one is refused, and the section ends before it.",
        || {
            let mut section = section(2);
            expect_eq("a", note(&mut section, 10, "a"), true);
            expect_eq("b", note(&mut section, 11, "b"), true);
            expect_eq("c", note(&mut section, 12, "c"), false);
            expect_eq("the end", end(&section), 12);
            expect_eq("what is known of c", newest(&section, "c"), None);
        }
    );
}

#[test]
fn a_known_key_takes_no_room() {
    case!(
        "A table that is full still takes newer records of its keys.",
        || {
            let mut section = section(2);
            for (offset, key) in [(10, "a"), (11, "b"), (12, "b"), (13, "a")] {
                expect_eq(
                    &format!("{key} at {offset}"),
                    note(&mut section, offset, key),
                    true,
                );
            }
            expect_eq("a", newest(&section, "a"), Some(13));
            expect_eq("the end", end(&section), 14);
        }
    );
}

#[test]
fn nothing_behind_a_refused_record_is_noted() {
    case!(
        "Once a record was refused, the section is closed: a section with a hole would let a tombstone go whose key has an older record.",
        || {
            let mut section = section(1);
            note(&mut section, 10, "a");
            expect_eq("b", note(&mut section, 11, "b"), false);
            expect_eq("a again", note(&mut section, 12, "a"), false);
            expect_eq("no key", section.note(Offset(13), None), false);
            expect_eq("a", newest(&section, "a"), Some(10));
            expect_eq("the end", end(&section), 11);
            section.pass(Offset(20));
            expect_eq("the end after pass(20)", end(&section), 11);
        }
    );
}

#[test]
fn no_key_takes_no_room() {
    case!(
        "A record without a key is passed, and takes no room.",
        || {
            let mut section = section(1);
            expect_eq("no key", section.note(Offset(10), None), true);
            expect_eq("the end", end(&section), 11);
            expect_eq("a", note(&mut section, 11, "a"), true);
            expect_eq("no key", section.note(Offset(12), None), true);
            expect_eq("the end", end(&section), 13);
        }
    );
}

#[test]
fn the_empty_key() {
    case!(
        "A key of no bytes is a key, and not the same as none.",
        || {
            let mut section = section(1);
            section.note(Offset(10), None);
            expect_eq("the empty key", newest(&section, ""), None);
            expect_eq("the empty key is noted", note(&mut section, 11, ""), true);
            expect_eq("the empty key", newest(&section, ""), Some(11));
            expect_eq("one more key", note(&mut section, 12, "a"), false);
        }
    );
}

#[test]
fn it_agrees_with_a_map_of_the_keys() {
    case!(
        "For keys of any bytes, and any room, the section knows what a map of the keys would.",
        || {
            let mut random = Rng::with_seed(15);
            for keys_max in 1..40 {
                let mut section = section(keys_max);
                let mut known: BTreeMap<Vec<u8>, Offset> = BTreeMap::new();
                for offset in (10..500).map(Offset) {
                    let key = vec![random.u8(..); random.usize(..4)];
                    let fits = known.contains_key(&key) || known.len() < keys_max;
                    expect_eq(
                        &format!("{key:?} at {offset}"),
                        section.note(offset, Some(&key)),
                        fits,
                    );
                    if !fits {
                        break;
                    }
                    known.insert(key, offset);
                }
                for (key, offset) in known {
                    expect_eq(&format!("{key:?}"), section.newest(&key), Some(offset));
                }
            }
        }
    );
}

#[test]
fn pass_after_pass_reaches_the_end() {
    case!(
        "With room for few keys a log takes several passes. Then each key has one record.",
        || {
            let mut random = Rng::with_seed(5);
            for keys_max in 1..6 {
                let key = |random: &mut Rng| [b'a' + random.u8(..5)];
                let mut log: Vec<(Offset, [u8; 1])> = (0..60)
                    .map(|offset| (Offset(offset), key(&mut random)))
                    .collect();
                let last: BTreeMap<[u8; 1], Offset> =
                    log.iter().map(|(offset, key)| (*key, *offset)).collect();
                let mut from = Offset(0);
                for _ in 0..60 {
                    from = pass(&mut log, from, keys_max);
                }
                let left: BTreeMap<[u8; 1], Offset> =
                    log.iter().map(|(offset, key)| (*key, *offset)).collect();
                expect_eq(
                    &format!("room for {keys_max}: the last offsets"),
                    &left,
                    &last,
                );
                expect(
                    &format!("room for {keys_max}: one record of each key, not {log:?}"),
                    log.len() == last.len(),
                );
            }
        }
    );
}

/// A pass over what is dirty; returns where the next one begins.
fn pass(log: &mut Vec<(Offset, [u8; 1])>, from: Offset, keys_max: usize) -> Offset {
    let mut section = DirtySection::new(from, keys_max);
    let dirty = log.iter().filter(|(offset, _)| *offset >= from);
    for (offset, key) in dirty {
        if !section.note(*offset, Some(key)) {
            break;
        }
    }
    log.retain(|(offset, key)| {
        let record = Candidate {
            offset: *offset,
            key: Some(key),
            has_value: true,
        };
        survives(&record, section.newest(key), None, Timestamp(0))
    });
    section.range().end
}
