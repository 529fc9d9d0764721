//! Items, and the credit for them.

use spec_harness::{case, expect_eq, fail};

use super::open::{
    Path, at, begin, call, expect_item, expect_nothing, expect_reply, item, open, stream,
};
use super::part::{CallId, Received};

#[test]
fn items_and_then_a_reply() {
    case!(
        "Each item goes to the waiter of its call, and the call goes on until its reply.",
        || {
            let mut path = open(10);
            let first = begin(&mut path, stream(at(1000), 8, 1));
            let second = begin(&mut path, stream(at(1000), 8, 2));
            expect_item("an item for call 1", &mut path, first, 1);
            expect_item("an item for call 2", &mut path, second, 2);
            expect_item("another one for call 1", &mut path, first, 1);
            expect_eq("calls in flight", path.in_flight(), 2);
            expect_reply("the reply to call 1", &mut path, first, 1);
            expect_nothing("an item behind the reply", &mut path, item(first));
            expect_item("and one for call 2", &mut path, second, 2);
        }
    );
}

#[test]
fn no_item_without_credit() {
    case!(
        "A server that sends more items than it has credit for breaks the protocol.",
        || {
            let mut path = open(10);
            let id = begin(&mut path, stream(at(1000), 3, 1));
            for number in 1..=3 {
                expect_item(&format!("item {number} of 3"), &mut path, id, 1);
            }
            expect_eq("a fourth item", path.receive(item(id)), Received::Breach);
        }
    );
}

#[test]
fn an_item_for_a_single_reply() {
    case!(
        "A call for a single reply has no credit: an item for it breaks the protocol.",
        || {
            let mut path = open(10);
            let id = begin(&mut path, call(at(1000), 1));
            expect_eq("an item", path.receive(item(id)), Received::Breach);
        }
    );
}

#[test]
fn credit_for_half_a_window() {
    case!(
        "The server gets credit when half of its window was taken: for as many items as were taken.",
        || {
            let mut path = open(10);
            let id = begin(&mut path, stream(at(1000), 8, 1));
            let mut credits = Vec::new();
            for _ in 0..12 {
                expect_item("an item", &mut path, id, 1);
                credits.push(path.taken(id));
            }
            let one = [None, None, None, Some(4)];
            expect_eq(
                "credit after each of 12 items",
                credits,
                [one, one, one].concat(),
            );
        }
    );
}

#[test]
fn a_window_of_one() {
    case!(
        "With a window of one item, each item that was taken is credit for the next.",
        || {
            let mut path = open(10);
            let id = begin(&mut path, stream(at(1000), 1, 1));
            for number in 1..=5 {
                expect_item(&format!("item {number}"), &mut path, id, 1);
                let second = path.receive(item(id));
                if number == 5 {
                    expect_eq(
                        "an item before the last was taken",
                        second,
                        Received::Breach,
                    );
                }
                expect_eq("credit for it", path.taken(id), Some(1));
            }
        }
    );
}

/// A server that sends whenever it may, and a caller that takes by turns none and all.
fn ahead(path: &mut Path, id: CallId, window: u32) {
    let (mut credit, mut untaken) = (window, 0);
    for round in 0..50 {
        while credit > 0 {
            credit -= 1;
            untaken += 1;
            expect_item("an item for which there is credit", path, id, 1);
        }
        let what = format!("items that were not taken, with a window of {window}");
        if untaken > window {
            fail(&what, &format!("at most {window}"), &untaken.to_string());
        }
        for _ in 0..untaken.min(1 + round % (window + 1)) {
            untaken -= 1;
            credit += path.taken(id).unwrap_or(0);
        }
        if untaken == 0 && credit == 0 {
            let what = format!("credit, all items taken, with a window of {window}");
            fail(
                &what,
                "more than none: else the stream stands still for ever",
                "none",
            );
        }
    }
    expect_eq(
        "one item more",
        path.receive(item(id)),
        match credit {
            0 => Received::Breach,
            _ => Received::Item(&1),
        },
    );
}

#[test]
fn never_more_than_a_window_ahead() {
    case!(
        "The server is never further ahead than its window, and never stands still for ever.",
        || {
            for window in 1..20 {
                let mut path = open(10);
                let id = begin(&mut path, stream(at(1000), window, 1));
                ahead(&mut path, id, window);
            }
        }
    );
}

#[test]
fn the_largest_window() {
    case!(
        "A window may be as large as a number of 32 bits can be. Half of it is far away.",
        || {
            let mut path = open(10);
            for (number, window) in [(1, u32::MAX), (2, u32::MAX - 1)] {
                let id = begin(&mut path, stream(at(1000), window, number));
                for _ in 0..3 {
                    expect_item("an item", &mut path, id, number);
                    let what = format!("credit for it, with a window of {window}");
                    expect_eq(&what, path.taken(id), None);
                }
            }
        }
    );
}

#[test]
fn each_stream_for_itself() {
    case!(
        "Credit belongs to a call: what was taken from one is no credit for another.",
        || {
            let mut path = open(10);
            let first = begin(&mut path, stream(at(1000), 2, 1));
            let second = begin(&mut path, stream(at(1000), 4, 2));
            for _ in 0..2 {
                expect_item("an item for call 1", &mut path, first, 1);
            }
            for _ in 0..4 {
                expect_item("an item for call 2", &mut path, second, 2);
            }
            expect_eq("taken from call 1", path.taken(first), Some(1));
            expect_eq("taken from call 2", path.taken(second), None);
            expect_item("an item for call 1", &mut path, first, 1);
            expect_eq(
                "an item for call 2",
                path.receive(item(second)),
                Received::Breach,
            );
        }
    );
}

#[test]
fn taken_when_it_is_over() {
    case!(
        "An item may be taken when its call is over: then no server waits for credit.",
        || {
            let mut path = open(1);
            let first = begin(&mut path, stream(at(1000), 2, 1));
            expect_item("an item", &mut path, first, 1);
            expect_item("a second one", &mut path, first, 1);
            expect_reply("the reply", &mut path, first, 1);
            let second = begin(&mut path, stream(at(1000), 2, 2));
            expect_eq("taken from the first call", path.taken(first), None);
            expect_eq("and the other one", path.taken(first), None);
            expect_item("an item for the second call", &mut path, second, 2);
            expect_eq("taken from the second call", path.taken(second), Some(1));
        }
    );
}
