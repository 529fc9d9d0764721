//! The frontier, under any order of acks and a crash at any point.

use std::collections::BTreeSet;

use message_model::{AckWindow, Offset};
use proptest::prelude::*;

#[test]
fn below_what_was_handed_out_nothing_is_handed_out() {
    let mut window = AckWindow::new(Offset(10), 5);
    assert!(!window.hand_out(Offset(9)));
    assert!(
        window.hand_out(Offset(1_000)),
        "a gap before the first one: the window is empty"
    );
    assert!(!window.hand_out(Offset(1_000)));
    assert!(window.hand_out(Offset(1_004)));
    assert!(!window.hand_out(Offset(1_005)), "too far ahead");
    assert_eq!((window.len(), window.frontier()), (2, Offset(1_000)));
}

#[test]
fn a_window_of_nothing_still_lets_one_through() {
    let mut window = AckWindow::new(Offset(0), 0);
    assert!(window.hand_out(Offset(0)));
    assert!(!window.hand_out(Offset(1)));
    assert_eq!(window.ack(Offset(0)), Some(Offset(1)));
    assert!(window.is_empty());
}

/// What happens to a partition: a worker takes, some worker is done, or everything dies.
#[derive(Debug, Clone)]
enum Step {
    HandOut { gap: i64 },
    Ack { which: prop::sample::Index },
    StrayAck(i64),
    Crash,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        5 => (0..3_i64).prop_map(|gap| Step::HandOut { gap: gap / 2 }),
        5 => any::<prop::sample::Index>().prop_map(|which| Step::Ack { which }),
        1 => (-2..150_i64).prop_map(Step::StrayAck),
        1 => Just(Step::Crash),
    ]
}

proptest! {
    /// Against a plain set of what is not acked.
    #[test]
    fn never_above_the_lowest_one_that_is_not_acked(steps in prop::collection::vec(step(), 1..250), span_max in 1..20_u32) {
        let mut window = AckWindow::new(Offset::ZERO, span_max);
        let mut committed = Offset::ZERO;
        let mut open = BTreeSet::new();
        let mut done = BTreeSet::new();
        let mut exists = BTreeSet::new();
        let mut read = Offset::ZERO;
        for step in steps {
            let acked = match step {
                Step::HandOut { gap } => {
                    // After a crash the same messages are read again.
                    let again = exists.range(read..).next().copied();
                    let offset = again.unwrap_or(read.plus(gap));
                    if window.hand_out(offset) {
                        open.insert(offset);
                        exists.insert(offset);
                        read = offset.plus(1);
                        let lowest = open.first().copied().unwrap();
                        prop_assert!(offset.since(lowest) < i64::from(span_max));
                    } else {
                        prop_assert!(offset.since(window.frontier()) >= i64::from(span_max));
                    }
                    continue;
                }
                Step::Ack { which } if !open.is_empty() => *which.get(&open.iter().copied().collect::<Vec<_>>()),
                Step::Ack { .. } => continue,
                Step::StrayAck(offset) if open.contains(&Offset(offset)) => continue,
                Step::StrayAck(offset) => Offset(offset),
                Step::Crash => {
                    window = AckWindow::new(committed, span_max);
                    open.clear();
                    read = committed;
                    continue;
                }
            };
            let is_open = open.remove(&acked);
            if is_open {
                done.insert(acked);
            }
            let moved = window.ack(acked);
            let lowest = open.first().copied();
            prop_assert_eq!(window.frontier(), lowest.unwrap_or(window.frontier()));
            if let Some(frontier) = moved {
                prop_assert!(is_open && frontier > committed, "{} after {}", frontier, committed);
                committed = frontier;
            }
            // Everything below it is done, and it is as far ahead as can be.
            prop_assert!(exists.range(..committed).all(|offset| done.contains(offset)));
            if is_open {
                prop_assert!(window.frontier() == lowest.unwrap_or(read));
            }
            prop_assert!(window.len() <= usize::try_from(span_max).unwrap());
        }
    }
}
