//! Waking those who wait.

use std::time::Duration;

use message_model::{Moment, Offset};
use spec_harness::{case, expect_eq};

use super::part::Purgatory;

/// An end is a name here, and so is a waiter.
type Names = Purgatory<&'static str, &'static str>;

fn at(seconds: u64) -> Moment {
    Moment::after_start(Duration::from_secs(seconds))
}

/// Waits for one end until second 30.
fn wait(purgatory: &mut Names, end: &'static str, offset: i64, who: &'static str) {
    purgatory.watch(at(30), vec![(end, Offset(offset))], who);
}

#[test]
fn an_end_that_has_passed_the_offset_wakes() {
    case!(
        "Whoever waits for an end to pass offset 10 is handed out when the end is at 11.",
        || {
            let mut purgatory = Names::new();
            wait(&mut purgatory, "t-0 high watermark", 10, "fetch");
            let woken = purgatory.complete(&"t-0 high watermark", Offset(11));
            expect_eq("complete(high watermark, 11)", woken, vec!["fetch"]);
        }
    );
}

#[test]
fn an_end_at_the_offset_wakes_nobody() {
    case!(
        "An end at offset 10 has not passed it: record 10 does not exist yet.",
        || {
            let mut purgatory = Names::new();
            wait(&mut purgatory, "end", 10, "fetch");
            let woken = purgatory.complete(&"end", Offset(10));
            expect_eq("complete(end, 10)", woken, vec![]);
            expect_eq("len()", purgatory.len(), 1);
        }
    );
}

#[test]
fn an_end_below_the_offset_wakes_nobody() {
    case!("An end below the offset wakes nobody.", || {
        let mut purgatory = Names::new();
        wait(&mut purgatory, "end", 10, "fetch");
        expect_eq(
            "complete(end, 3)",
            purgatory.complete(&"end", Offset(3)),
            vec![],
        );
        expect_eq("len()", purgatory.len(), 1);
    });
}

#[test]
fn an_end_may_pass_many_offsets_at_once() {
    case!(
        "An end moves by whole batches: it wakes those who waited for any offset below it.",
        || {
            let mut purgatory = Names::new();
            wait(&mut purgatory, "end", 5, "a");
            wait(&mut purgatory, "end", 900, "b");
            let woken = purgatory.complete(&"end", Offset(1_000));
            expect_eq("complete(end, 1000)", woken, vec!["a", "b"]);
        }
    );
}

#[test]
fn nobody_is_woken_twice() {
    case!(
        "Whoever has come out does not come out again: a request has one answer.",
        || {
            let mut purgatory = Names::new();
            wait(&mut purgatory, "end", 10, "fetch");
            purgatory.complete(&"end", Offset(11));
            let again = purgatory.complete(&"end", Offset(12));
            expect_eq("complete(end, 12) after complete(end, 11)", again, vec![]);
        }
    );
}

#[test]
fn the_others_go_on_waiting() {
    case!(
        "Only those come out whose offset the end has passed; the others come out later.",
        || {
            let mut purgatory = Names::new();
            wait(&mut purgatory, "end", 30, "late");
            wait(&mut purgatory, "end", 10, "early");
            wait(&mut purgatory, "end", 20, "middle");
            expect_eq(
                "complete(end, 15)",
                purgatory.complete(&"end", Offset(15)),
                vec!["early"],
            );
            expect_eq(
                "complete(end, 25)",
                purgatory.complete(&"end", Offset(25)),
                vec!["middle"],
            );
            expect_eq(
                "complete(end, 31)",
                purgatory.complete(&"end", Offset(31)),
                vec!["late"],
            );
        }
    );
}

#[test]
fn first_come_first_woken() {
    case!(
        "They come out in the order in which they came in, not by offset.",
        || {
            let mut purgatory = Names::new();
            for (offset, who) in [(7, "first"), (3, "second"), (7, "third"), (5, "fourth")] {
                wait(&mut purgatory, "end", offset, who);
            }
            let woken = purgatory.complete(&"end", Offset(8));
            expect_eq(
                "complete(end, 8)",
                woken,
                vec!["first", "second", "third", "fourth"],
            );
        }
    );
}

#[test]
fn another_end_wakes_nobody() {
    case!("An end wakes only those who wait for that end.", || {
        let mut purgatory = Names::new();
        wait(&mut purgatory, "t-0", 10, "of t-0");
        wait(&mut purgatory, "t-1", 10, "of t-1");
        expect_eq(
            "complete(t-1, 11)",
            purgatory.complete(&"t-1", Offset(11)),
            vec!["of t-1"],
        );
        expect_eq("len()", purgatory.len(), 1);
    });
}

#[test]
fn an_end_that_nobody_waits_for() {
    case!("An end that nobody waits for may move too.", || {
        let mut purgatory = Names::new();
        expect_eq(
            "complete(end, 11)",
            purgatory.complete(&"end", Offset(11)),
            vec![],
        );
    });
}

#[test]
fn one_of_several_ends_is_enough() {
    case!(
        "Whoever waits for several ends is handed out once, when the first of them has passed.",
        || {
            let mut purgatory = Names::new();
            let conditions = vec![
                ("t-0", Offset(10)),
                ("t-1", Offset(20)),
                ("t-2", Offset(30)),
            ];
            purgatory.watch(at(30), conditions, "fetch");
            expect_eq(
                "complete(t-1, 21)",
                purgatory.complete(&"t-1", Offset(21)),
                vec!["fetch"],
            );
            expect_eq(
                "complete(t-0, 11)",
                purgatory.complete(&"t-0", Offset(11)),
                vec![],
            );
            expect_eq(
                "complete(t-2, 31)",
                purgatory.complete(&"t-2", Offset(31)),
                vec![],
            );
        }
    );
}

#[test]
fn each_end_has_its_own_offset() {
    case!(
        "Of several conditions, each end is compared with its own offset.",
        || {
            let mut purgatory = Names::new();
            let conditions = vec![("t-0", Offset(10)), ("t-1", Offset(20))];
            purgatory.watch(at(30), conditions, "fetch");
            expect_eq(
                "complete(t-1, 15)",
                purgatory.complete(&"t-1", Offset(15)),
                vec![],
            );
            expect_eq(
                "complete(t-0, 15)",
                purgatory.complete(&"t-0", Offset(15)),
                vec!["fetch"],
            );
        }
    );
}

#[test]
fn the_same_end_twice() {
    case!(
        "A request may name the same partition twice; it is still woken once.",
        || {
            let mut purgatory = Names::new();
            let conditions = vec![("end", Offset(10)), ("end", Offset(12))];
            purgatory.watch(at(30), conditions, "fetch");
            expect_eq(
                "complete(end, 20)",
                purgatory.complete(&"end", Offset(20)),
                vec!["fetch"],
            );
        }
    );
}

#[test]
fn it_leaves_nothing_behind() {
    case!(
        "A wait that has come out is forgotten under all its ends: else idle partitions keep it for ever.",
        || {
            let mut purgatory = Names::new();
            let conditions = vec![("busy", Offset(10)), ("idle", Offset(20))];
            purgatory.watch(at(30), conditions, "fetch");
            expect_eq("keys() while it waits", purgatory.keys(), 2);
            expect_eq("is_empty() while it waits", purgatory.is_empty(), false);
            purgatory.complete(&"busy", Offset(11));
            expect_eq("len()", purgatory.len(), 0);
            expect_eq("keys()", purgatory.keys(), 0);
            expect_eq("is_empty()", purgatory.is_empty(), true);
        }
    );
}

#[test]
fn its_deadline_is_forgotten() {
    case!("Whoever was woken does not run out of time later.", || {
        let mut purgatory = Names::new();
        purgatory.watch(at(1), vec![("end", Offset(10))], "woken");
        purgatory.watch(at(2), vec![("end", Offset(50))], "waits on");
        purgatory.complete(&"end", Offset(11));
        expect_eq("next_deadline()", purgatory.next_deadline(), Some(at(2)));
        expect_eq(
            "expire(second 3)",
            purgatory.expire(at(3)),
            vec!["waits on"],
        );
    });
}

#[test]
fn who_ran_out_of_time_is_not_woken() {
    case!(
        "Whoever has run out of time, or was withdrawn, has come out: an end does not wake it.",
        || {
            let mut purgatory = Names::new();
            purgatory.watch(at(1), vec![("end", Offset(10))], "out of time");
            let withdrawn = purgatory.watch(at(9), vec![("end", Offset(10))], "withdrawn");
            wait(&mut purgatory, "end", 10, "waits");
            purgatory.expire(at(1));
            purgatory.cancel(withdrawn);
            expect_eq(
                "complete(end, 11)",
                purgatory.complete(&"end", Offset(11)),
                vec!["waits"],
            );
        }
    );
}
