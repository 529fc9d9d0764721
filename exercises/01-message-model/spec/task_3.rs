//! What may be committed.

use spec_harness::{case, expect_eq, fail};

use super::part::{AckWindow, Offset};

/// A window that begins at `offsets[0]`, with all of them handed out.
fn window(offsets: &[i64]) -> AckWindow {
    let mut window = AckWindow::new(Offset(offsets[0]), 100);
    for offset in offsets {
        let what = format!("hand_out({offset})");
        expect_eq(&what, window.hand_out(Offset(*offset)), true);
    }
    window
}

/// The answers to acks, as numbers.
fn acks(window: &mut AckWindow, offsets: &[i64]) -> Vec<Option<i64>> {
    let answers = offsets.iter().map(|offset| window.ack(Offset(*offset)));
    answers.map(|moved| moved.map(|offset| offset.0)).collect()
}

#[test]
fn in_order_each_ack_moves_the_frontier() {
    case!(
        "Acks in order: after each one, the next offset may be committed.",
        || {
            let mut window = window(&[10, 11, 12]);
            expect_eq(
                "10, 11 and 12 are handed out; the answers to ack(10), ack(11), ack(12)",
                acks(&mut window, &[10, 11, 12]),
                vec![Some(11), Some(12), Some(13)],
            );
        }
    );
}

#[test]
fn an_ack_behind_a_gap_commits_nothing() {
    case!(
        "While 10 is not acked nothing above it may be committed, however many are done.",
        || {
            let mut window = window(&[10, 11, 12]);
            expect_eq(
                "10, 11 and 12 are handed out; the answers to ack(11) and ack(12)",
                acks(&mut window, &[11, 12]),
                vec![None, None],
            );
            expect_eq("frontier()", window.frontier(), Offset(10));
        }
    );
}

#[test]
fn closing_the_gap_moves_over_all_that_is_done() {
    case!(
        "When the lowest one is acked, the frontier moves over everything that was done before.",
        || {
            let mut window = window(&[10, 11, 12, 13]);
            expect_eq(
                "10 to 13 are handed out; the answers to ack(11), ack(12), ack(10)",
                acks(&mut window, &[11, 12, 10]),
                vec![None, None, Some(13)],
            );
            expect_eq(
                "the answer to ack(13)",
                window.ack(Offset(13)),
                Some(Offset(14)),
            );
        }
    );
}

#[test]
fn what_is_done_is_forgotten() {
    case!(
        "Below the frontier nothing is remembered: the window does not grow with what it has seen.",
        || {
            let mut window = window(&[10, 11, 12, 13]);
            acks(&mut window, &[11, 10]);
            expect_eq("len() with 12 and 13 still open", window.len(), 2);
            for offset in 14..1000 {
                let what = format!("hand_out({offset})");
                expect_eq(&what, window.hand_out(Offset(offset)), true);
                window.ack(Offset(offset - 2));
            }
            expect_eq("len() after a thousand messages", window.len(), 2);
            expect_eq("is_empty() with two open", window.is_empty(), false);
            acks(&mut window, &[998, 999]);
            expect_eq("is_empty() with none open", window.is_empty(), true);
        }
    );
}

#[test]
fn a_second_ack_changes_nothing() {
    case!(
        "An ack that comes twice counts once, below the frontier and above it.",
        || {
            let mut window = window(&[10, 11, 12, 13]);
            expect_eq(
                "10 to 13 are handed out; the answers to ack(12), ack(12), ack(10), ack(10)",
                acks(&mut window, &[12, 12, 10, 10]),
                vec![None, None, Some(11), None],
            );
            expect_eq(
                "the answer to ack(11)",
                window.ack(Offset(11)),
                Some(Offset(13)),
            );
        }
    );
}

#[test]
fn an_unknown_ack_changes_nothing() {
    case!(
        "An ack for what is not in hand changes nothing: a worker may answer after a restart.",
        || {
            let mut empty = AckWindow::new(Offset(10), 100);
            expect_eq(
                "nothing is handed out; the answers to ack(9), ack(10), ack(-1)",
                acks(&mut empty, &[9, 10, -1]),
                vec![None; 3],
            );
            expect_eq("frontier()", empty.frontier(), Offset(10));
            let mut window = window(&[10, 11]);
            expect_eq(
                "10 and 11 are handed out; the answers to ack(3), ack(12), ack(10 + 2^32), ack(i64::MAX)",
                acks(&mut window, &[3, 12, 10 + (1 << 32), i64::MAX]),
                vec![None; 4],
            );
            expect_eq(
                "the answers to ack(10) and ack(11)",
                acks(&mut window, &[10, 11]),
                vec![Some(11), Some(12)],
            );
        }
    );
}

#[test]
fn gaps_between_offsets_are_stepped_over() {
    case!(
        "Not every offset has a message (a compacted log has gaps): the frontier goes to the next one that was handed out.",
        || {
            let mut window = window(&[10, 15, 40]);
            expect_eq(
                "10, 15 and 40 are handed out; the answers to ack(15), ack(12), ack(10), ack(40)",
                acks(&mut window, &[15, 12, 10, 40]),
                vec![None, None, Some(40), Some(41)],
            );
        }
    );
}

#[test]
fn room_comes_back_when_the_frontier_moves() {
    case!(
        "A window of 3 hands out 3 above its frontier; one slow message stops it, until it is acked.",
        || {
            let mut window = AckWindow::new(Offset(10), 3);
            let handed: Vec<_> = (10..14).map(|n| window.hand_out(Offset(n))).collect();
            expect_eq(
                "hand_out of 10, 11, 12, 13",
                handed,
                vec![true, true, true, false],
            );
            acks(&mut window, &[11, 12]);
            expect_eq(
                "hand_out(13) after ack(11) and ack(12): 10 is still not done",
                window.hand_out(Offset(13)),
                false,
            );
            window.ack(Offset(10));
            expect_eq(
                "hand_out(13) after ack(10)",
                window.hand_out(Offset(13)),
                true,
            );
        }
    );
}

#[test]
fn a_long_window() {
    case!(
        "Four thousand messages above a slow one, acked in any order: none moves the frontier, then the slow one moves it over all of them.",
        || {
            const MESSAGES: i64 = 4_000;
            // Far from where any smaller integer ends.
            let first = i64::MAX - 2 * MESSAGES;
            let mut window = AckWindow::new(Offset(first), 5_000);
            for offset in first..first + MESSAGES {
                let what = format!("hand_out({offset})");
                expect_eq(&what, window.hand_out(Offset(offset)), true);
            }
            let mut others: Vec<i64> = (first + 1..first + MESSAGES).collect();
            fastrand::Rng::with_seed(1).shuffle(&mut others);
            for offset in others {
                let moved = window.ack(Offset(offset));
                if moved.is_some() {
                    expect_eq(&format!("ack({offset}), first open"), moved, None);
                }
            }
            expect_eq(
                "the answer to the ack of the slow one",
                window.ack(Offset(first)),
                Some(Offset(first + MESSAGES)),
            );
            expect_eq("len()", window.len(), 0);
            expect_eq(
                "an ack of the smallest offset that there is",
                window.ack(Offset(i64::MIN)),
                None,
            );
        }
    );
}

#[test]
fn a_crash_at_any_point_loses_nothing() {
    case!(
        "Five messages, acked in each of the 120 orders, and a crash after each ack: a consumer that begins at the committed offset gets every message that was not acked.",
        || {
            for order in orders(&[10, 11, 12, 13, 14]) {
                for crash_after in 0..=order.len() {
                    crash(&order, crash_after);
                }
            }
        }
    );
}

/// Acks the first `crash_after` of `order`, commits what it returns, and looks
/// at what a restart would give out again.
fn crash(order: &[i64], crash_after: usize) {
    let mut window = window(&[10, 11, 12, 13, 14]);
    let mut committed = 10;
    let (acked, not_acked) = order.split_at(crash_after);
    for offset in acked {
        if let Some(frontier) = window.ack(Offset(*offset)) {
            if frontier.0 <= committed {
                let what = format!("acks {acked:?}: the frontier, after {committed} was committed");
                fail(
                    &what,
                    &format!("more than {committed}"),
                    &frontier.to_string(),
                );
            }
            committed = frontier.0;
        }
    }
    let lost: Vec<_> = not_acked.iter().filter(|o| **o < committed).collect();
    expect_eq(
        &format!("acks in the order {acked:?}, then a crash; {committed} was committed. Lost"),
        lost,
        vec![],
    );
    expect_eq(
        &format!("acks in the order {acked:?}: frontier(), which is what was committed"),
        window.frontier(),
        Offset(committed),
    );
    expect_eq(
        &format!("acks in the order {acked:?}: hand_out(14), which was handed out before"),
        window.hand_out(Offset(14)),
        false,
    );
    let lowest = not_acked.iter().min().copied().unwrap_or(15);
    expect_eq(
        &format!("acks in the order {acked:?}: what is committed, as far as can be"),
        committed,
        lowest,
    );
}

/// Every order of `items`.
fn orders(items: &[i64]) -> Vec<Vec<i64>> {
    if items.is_empty() {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for (index, first) in items.iter().enumerate() {
        let mut rest = items.to_vec();
        rest.remove(index);
        for mut order in orders(&rest) {
            order.insert(0, *first);
            all.push(order);
        }
    }
    all
}
