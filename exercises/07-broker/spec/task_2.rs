//! The notes of one partition.

use std::fmt::Debug;

use message_model::Offset;
use spec_harness::{case, expect_eq, fail};

use super::counting::Counting;
use super::part::Notes;

/// An end is a name here, and so is a waiter.
type Names = Notes<&'static str, &'static str>;

#[test]
fn an_end_that_has_passed_the_offset() {
    case!(
        "A note for offset 10 is handed out when the end is at 11.",
        || {
            let mut notes = Names::new();
            notes.add("end", Offset(10), "fetch");
            let woken = notes.moved(&"end", Offset(11));
            expect_eq("moved(end, 11)", woken, vec!["fetch"]);
        }
    );
}

#[test]
fn an_end_at_the_offset() {
    case!(
        "An end at offset 10 has not passed it: record 10 does not exist yet.",
        || {
            let mut notes = Names::new();
            notes.add("end", Offset(10), "fetch");
            let woken = notes.moved(&"end", Offset(10));
            expect_eq("moved(end, 10)", woken, vec![]);
            expect_eq("len()", notes.len(), 1);
        }
    );
}

#[test]
fn an_end_may_pass_many_offsets_at_once() {
    case!(
        "An end moves by whole batches: every offset below it has been passed.",
        || {
            let mut notes = Names::new();
            notes.add("end", Offset(5), "a");
            notes.add("end", Offset(900), "b");
            let woken = notes.moved(&"end", Offset(1_000));
            expect_eq("moved(end, 1000)", woken, vec!["a", "b"]);
        }
    );
}

#[test]
fn the_others_stay() {
    case!(
        "A note whose offset has not been passed stays, and is handed out later.",
        || {
            let mut notes = Names::new();
            notes.add("end", Offset(30), "late");
            notes.add("end", Offset(10), "early");
            notes.add("end", Offset(20), "middle");
            let woken = notes.moved(&"end", Offset(15));
            expect_eq("moved(end, 15)", woken, vec!["early"]);
            let woken = notes.moved(&"end", Offset(25));
            expect_eq("moved(end, 25)", woken, vec!["middle"]);
            let woken = notes.moved(&"end", Offset(31));
            expect_eq("moved(end, 31)", woken, vec!["late"]);
        }
    );
}

#[test]
fn first_come_first_woken() {
    case!(
        "They are handed out in the order in which they came, not by offset.",
        || {
            let mut notes = Names::new();
            for (offset, name) in [(7, "first"), (3, "second"), (7, "third"), (5, "fourth")] {
                notes.add("end", Offset(offset), name);
            }
            let woken = notes.moved(&"end", Offset(8));
            let order = vec!["first", "second", "third", "fourth"];
            expect_eq("moved(end, 8)", woken, order);
        }
    );
}

#[test]
fn each_end_has_its_own_notes() {
    case!(
        "A note for another end stays, whether that end's name is lower or higher.",
        || {
            let mut notes = Names::new();
            notes.add("high watermark", Offset(10), "consumer");
            notes.add("durable", Offset(10), "producer");
            notes.add("log end", Offset(10), "follower");
            let woken = notes.moved(&"high watermark", Offset(11));
            expect_eq("moved(high watermark, 11)", woken, vec!["consumer"]);
            expect_eq("len()", notes.len(), 2);
            let woken = notes.moved(&"log end", Offset(11));
            expect_eq("moved(log end, 11)", woken, vec!["follower"]);
        }
    );
}

#[test]
fn nothing_waits_for_the_end() {
    case!("An end that nothing waits for may move too.", || {
        let mut notes = Names::new();
        let woken = notes.moved(&"end", Offset(11));
        expect_eq("moved(end, 11)", woken, vec![]);
    });
}

#[test]
fn several_notes_of_one_fetch() {
    case!(
        "A request may name a partition twice, from different offsets: each note is its own.",
        || {
            let mut notes = Names::new();
            notes.add("end", Offset(5), "fetch");
            let second = notes.add("end", Offset(20), "fetch");
            let woken = notes.moved(&"end", Offset(6));
            expect_eq(
                "moved(end, 6), with notes for 5 and 20",
                woken,
                vec!["fetch"],
            );
            let taken = notes.remove(&second);
            expect_eq("remove(the note for 20)", taken, Some("fetch"));
            expect_eq("len()", notes.len(), 0);
        }
    );
}

#[test]
fn what_was_taken_back() {
    case!(
        "A note that was taken back is not handed out, and one that was handed out cannot be taken back.",
        || {
            let mut notes = Names::new();
            let gone = notes.add("end", Offset(10), "gone");
            let waits = notes.add("end", Offset(10), "waits");
            notes.remove(&gone);
            let woken = notes.moved(&"end", Offset(11));
            expect_eq("moved(end, 11)", woken, vec!["waits"]);
            let again = notes.remove(&waits);
            expect_eq("remove(a note that was handed out)", again, None);
        }
    );
}

#[test]
fn offsets_of_every_size() {
    case!(
        "Offsets are 64 bits, and an end may be anywhere between the ends of them.",
        || {
            let mut notes = Names::new();
            notes.add("end", Offset(i64::MAX), "never");
            notes.add("end", Offset(5_000_000_000), "large");
            notes.add("end", Offset(0), "zero");
            notes.add("end", Offset(i64::MIN), "lowest");
            let woken = notes.moved(&"end", Offset(i64::MIN));
            expect_eq("moved(end, i64::MIN)", woken, vec![]);
            let woken = notes.moved(&"end", Offset(5_000_000_001));
            let order = vec!["large", "zero", "lowest"];
            expect_eq("moved(end, 5000000001)", woken, order);
            let woken = notes.moved(&"end", Offset(i64::MAX));
            expect_eq("moved(end, i64::MAX)", woken, vec![]);
        }
    );
}

/// 100,000 notes: for offsets from 1,000,000 on at each of the ends 1 and 3, for low ones at 7.
fn many() -> Notes<Counting, u32> {
    let mut notes = Notes::new();
    for number in 0..40_000_u32 {
        let offset = Offset(1_000_000 + i64::from(number * 7919 % 40_000));
        notes.add(Counting(1), offset, number);
        notes.add(Counting(3), offset, number);
    }
    for number in 0..20_000_u32 {
        notes.add(Counting(7), Offset(number.into()), number);
    }
    notes
}

#[test]
fn what_is_not_due_costs_nothing() {
    case!(
        "100,000 notes that are not due cost nothing: an append does not look at them.",
        || {
            let mut notes = many();
            for end in 0..5 {
                let touched = Counting::touched(|| {
                    let woken = notes.moved(&Counting(end), Offset(1_000_000));
                    expect_eq("moved(an end, 1000000)", woken, vec![]);
                });
                Counting::at_most("notes looked at", touched, 1_000);
            }
        }
    );
}

#[test]
fn the_cost_of_what_is_due() {
    case!(
        "Ten notes of 100,000 are due: an append looks at these, and finds its way there.",
        || {
            let mut notes = many();
            let touched = Counting::touched(|| {
                let woken = notes.moved(&Counting(3), Offset(1_000_010));
                expect_eq("how many are handed out", woken.len(), 10);
                let ordered = woken.is_sorted();
                expect_eq("they are in the order in which they came", ordered, true);
            });
            Counting::at_most("notes looked at", touched, 4_000);
            expect_eq("len()", notes.len(), 99_990);
        }
    );
}

/// The same, the slow way: every note, in the order in which they came.
struct Slow(Vec<(u8, i64, u32)>);

impl Slow {
    fn moved(&mut self, end: u8, at: i64) -> Vec<u32> {
        let is_due = |note: &(u8, i64, u32)| note.0 == end && note.1 < at;
        let due = self.0.extract_if(.., |note| is_due(note));
        due.map(|(_, _, waiter)| waiter).collect()
    }
}

#[test]
fn every_history() {
    case!(
        "However notes come, go and are passed: what is handed out is what the slow way hands out.",
        || {
            for seed in 0..300 {
                history(seed);
            }
        }
    );
}

fn history(seed: u64) {
    let mut random = fastrand::Rng::with_seed(seed);
    let (mut notes, mut slow) = (Notes::new(), Slow(Vec::new()));
    let (mut ids, mut calls) = (Vec::new(), Vec::new());
    for waiter in 0..40 {
        let (end, offset) = (random.u8(0..3), random.i64(0..12));
        match random.u8(0..4) {
            0 => {
                calls.push(format!("moved({end}, {offset})"));
                let woken = notes.moved(&end, Offset(offset));
                the_last_returns(&calls, &woken, &slow.moved(end, offset));
            }
            1 if !ids.is_empty() => {
                let (id, waiter) = ids.swap_remove(random.usize(..ids.len()));
                calls.push(format!("remove({waiter})"));
                let there = slow.0.iter().any(|note| note.2 == waiter);
                slow.0.retain(|note| note.2 != waiter);
                the_last_returns(&calls, &notes.remove(&id), &there.then_some(waiter));
            }
            _ => {
                calls.push(format!("add({end}, {offset}, {waiter})"));
                ids.push((notes.add(end, Offset(offset), waiter), waiter));
                slow.0.push((end, offset, waiter));
            }
        }
        let left = slow.0.len();
        if notes.len() != left {
            calls.push("len()".to_owned());
            the_last_returns(&calls, &notes.len(), &left);
        }
        if notes.is_empty() != (left == 0) {
            calls.push("is_empty()".to_owned());
            the_last_returns(&calls, &notes.is_empty(), &(left == 0));
        }
    }
}

/// Fails if the last one of `calls` has returned something else than the slow way.
fn the_last_returns<T: Debug + PartialEq>(calls: &[String], got: &T, expected: &T) {
    if got == expected {
        return;
    }
    let each = calls.iter().enumerate();
    let lines: String = each
        .map(|(index, call)| format!("\n{:>3}  {call}", index + 1))
        .collect();
    let last = calls.len();
    fail(
        &format!("a history of calls (add names an end, an offset and what waits):{lines}"),
        &format!("call {last} returns {expected:?}"),
        &format!("call {last} returned {got:?}"),
    );
}
