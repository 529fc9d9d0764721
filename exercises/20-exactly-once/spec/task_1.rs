//! The open transactions of one partition.

use message_model::{Offset, ProducerId};
use spec_harness::{case, expect_eq};

use super::part::{Aborted, OpenTransactions, Outcome};

const A: ProducerId = ProducerId(1);
const B: ProducerId = ProducerId(2);

#[test]
fn nothing_is_open() {
    case!(
        "Without an open transaction everything is stable, up to the end of the log.",
        || {
            let open = OpenTransactions::default();
            expect_eq(
                "last_stable(100)",
                open.last_stable(Offset(100)),
                Offset(100),
            );
        }
    );
}

#[test]
fn the_first_batch_begins_it() {
    case!(
        "A transaction begins at its first batch; the batches that follow change nothing.",
        || {
            let mut open = OpenTransactions::default();
            open.begin(A);
            open.wrote(A, Offset(10));
            open.wrote(A, Offset(20));
            expect_eq("last_stable(30)", open.last_stable(Offset(30)), Offset(10));
            expect_eq("first_unstable", open.first_unstable(), Some(Offset(10)));
        }
    );
}

#[test]
fn a_transaction_that_has_written_nothing() {
    case!(
        "A transaction that was begun here, but has written nothing, holds nobody up. Its marker ends it, and leaves nothing.",
        || {
            let mut open = OpenTransactions::default();
            open.begin(A);
            expect_eq("last_stable(30)", open.last_stable(Offset(30)), Offset(30));
            expect_eq("is_open", open.is_open(A), true);
            let left = open.ended(A, Offset(30), Outcome::Abort);
            expect_eq("ended(A, 30, Abort)", left, None);
            expect_eq("is_open", open.is_open(A), false);
        }
    );
}

#[test]
fn the_oldest_counts() {
    case!(
        "Of several open transactions the one that began first holds readers up, whichever producer it is of.",
        || {
            let mut open = OpenTransactions::default();
            open.wrote(B, Offset(10));
            open.wrote(A, Offset(20));
            expect_eq("last_stable(30)", open.last_stable(Offset(30)), Offset(10));
            open.ended(B, Offset(30), Outcome::Commit);
            expect_eq("last_stable(31)", open.last_stable(Offset(31)), Offset(20));
            open.ended(A, Offset(31), Outcome::Commit);
            expect_eq("last_stable(32)", open.last_stable(Offset(32)), Offset(32));
        }
    );
}

#[test]
fn a_commit_leaves_nothing() {
    case!("A commit leaves nothing that readers must know.", || {
        let mut open = OpenTransactions::default();
        open.wrote(A, Offset(10));
        let left = open.ended(A, Offset(11), Outcome::Commit);
        expect_eq("ended(A, 11, Commit)", left, None);
        expect_eq("is_open", open.is_open(A), false);
    });
}

#[test]
fn an_abort_leaves_its_range() {
    case!(
        "An abort leaves its producer, its first offset and its marker. Nothing else is open, so all is stable up to behind the marker.",
        || {
            let mut open = OpenTransactions::default();
            open.wrote(A, Offset(10));
            let left = open.ended(A, Offset(15), Outcome::Abort);
            let expected = Aborted {
                producer: A,
                first: Offset(10),
                last: Offset(15),
                last_stable: Offset(16),
            };
            expect_eq("ended(A, 15, Abort)", left, Some(expected));
        }
    );
}

#[test]
fn an_abort_beside_an_older_one() {
    case!(
        "If an older transaction is open when one aborts, all is stable up to where that one begins.",
        || {
            let mut open = OpenTransactions::default();
            open.wrote(B, Offset(5));
            open.wrote(A, Offset(10));
            let left = open.ended(A, Offset(15), Outcome::Abort);
            let last_stable = left.map(|one| one.last_stable);
            expect_eq("the last stable offset", last_stable, Some(Offset(5)));
        }
    );
}

#[test]
fn the_next_transaction() {
    case!(
        "The next transaction of a producer begins at its own first batch.",
        || {
            let mut open = OpenTransactions::default();
            open.wrote(A, Offset(10));
            open.ended(A, Offset(11), Outcome::Abort);
            open.begin(A);
            open.wrote(A, Offset(12));
            expect_eq("last_stable(13)", open.last_stable(Offset(13)), Offset(12));
            let left = open.ended(A, Offset(13), Outcome::Abort);
            expect_eq("its first", left.map(|one| one.first), Some(Offset(12)));
        }
    );
}

#[test]
fn a_marker_without_a_transaction() {
    case!(
        "A marker without an open transaction, which a coordinator writes again after a crash, changes nothing.",
        || {
            let mut open = OpenTransactions::default();
            open.wrote(B, Offset(5));
            expect_eq(
                "ended(A, 6, Abort)",
                open.ended(A, Offset(6), Outcome::Abort),
                None,
            );
            expect_eq("last_stable(7)", open.last_stable(Offset(7)), Offset(5));
        }
    );
}

#[test]
fn a_hundred_thousand_producers() {
    case!(
        "A hundred thousand transactions are open at once, and each batch and marker is asked for the last stable offset: nobody looks through all of them.",
        || {
            let count = 100_000;
            let mut open = OpenTransactions::default();
            for n in 0..count {
                open.wrote(ProducerId(count - n), Offset(n));
                expect_eq("last_stable", open.last_stable(Offset(n + 1)), Offset(0));
            }
            for n in 0..count {
                open.ended(ProducerId(count - n), Offset(count + n), Outcome::Commit);
                let expected = if n + 1 < count { n + 1 } else { 2 * count };
                let stable = open.last_stable(Offset(2 * count));
                expect_eq("last_stable", stable, Offset(expected));
            }
        }
    );
}

#[test]
fn every_order_of_three() {
    case!(
        "Three producers write and end in every order: the last stable offset is that of a look at the whole log.",
        || {
            for code in 0..6_usize.pow(6) {
                expect_order(code);
            }
        }
    );
}

/// Plays six steps: digit 0 to 2 is a batch of that producer, 3 to 5 a marker.
fn expect_order(code: usize) {
    let mut open = OpenTransactions::default();
    let mut log: Vec<(i64, bool)> = Vec::new();
    let mut digits = code;
    for offset in 0..6 {
        let digit = digits % 6;
        digits /= 6;
        let producer = i64::try_from(digit % 3).expect("small");
        let is_marker = digit >= 3;
        if is_marker {
            let first = first_open(&log, Some(producer));
            let left = open.ended(ProducerId(producer), Offset(offset), Outcome::Abort);
            let found = left.map(|one| one.first.0);
            if found != first {
                expect_eq(&format!("in history {code}, the first"), found, first);
            }
        } else {
            open.wrote(ProducerId(producer), Offset(offset));
        }
        log.push((producer, is_marker));
        let found: Vec<(i64, i64)> = open
            .iter()
            .filter_map(|(producer, first)| Some((producer.0, first?.0)))
            .collect();
        let expected: Vec<(i64, i64)> = (0..3)
            .filter_map(|producer| Some((producer, first_open(&log, Some(producer))?)))
            .collect();
        if found != expected {
            expect_eq(&format!("in history {code}, iter()"), found, expected);
        }
        let stable = open.last_stable(Offset(offset + 1)).0;
        let expected = first_open(&log, None).unwrap_or(offset + 1);
        if stable != expected {
            expect_eq(&format!("in history {code}, last_stable"), stable, expected);
        }
    }
}

/// The first offset in `log` of a transaction that is open, of `of` or of anybody.
fn first_open(log: &[(i64, bool)], of: Option<i64>) -> Option<i64> {
    let is_open = |at: usize| {
        let (producer, is_marker) = log[at];
        let is_wanted = of.is_none_or(|of| of == producer);
        !is_marker && is_wanted && !log[at..].contains(&(producer, true))
    };
    let first = (0..log.len()).find(|at| is_open(*at));
    first.map(|at| i64::try_from(at).expect("small"))
}
