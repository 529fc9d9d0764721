//! A thousand consumers.

use std::sync::Arc;
use std::task::Waker;

use message_model::Offset;
use spec_harness::expect_eq;

use super::super::counting::Counting;
use super::super::part::{Board, Condition};
use super::sleeper::{Bell, poll, silent};
use super::step::at;

/// They wait at a hundred partitions each, ten at each partition; one of these moves,
/// and then they all leave.
pub(super) fn a_thousand_at_a_hundred() {
    let waits = silent();
    let partitions = std::iter::repeat_with(|| Arc::new(Board::new()));
    let partitions: Vec<Arc<Board<Counting>>> = partitions.take(10_000).collect();
    let notes = || partitions.iter().map(|one| one.len()).sum::<usize>();
    let sleep = |consumer: usize| {
        let condition = |partition: usize| Condition {
            board: Arc::clone(&partitions[partition % 10_000]),
            end: Counting(1),
            offset: Offset(10),
        };
        let all = (100 * consumer..100 * consumer + 100).map(condition);
        let all: Vec<Condition<Counting>> = all.collect();
        let mut wait = Box::pin(waits.any_passes(at(500), all, || true));
        let bell = Arc::new(Bell::default());
        let waker = Waker::from(Arc::clone(&bell));
        let _ = poll(wait.as_mut(), &waker);
        (wait, bell)
    };
    let sleeping: Vec<_> = (0..1_000).map(sleep).collect();
    let moved = Counting::touched(|| partitions[42].moved(&Counting(1), Offset(11)));
    let woken: usize = sleeping.iter().map(|(_, bell)| bell.rung()).sum();
    expect_eq("how many are woken", woken, 10);
    Counting::at_most("looks at notes when one partition moves", moved, 500);
    expect_eq("notes that stay", notes(), 99_990);
    let left = Counting::touched(|| drop(sleeping));
    Counting::at_most("looks at notes when all of them leave", left, 5_000_000);
    expect_eq("notes that are left", notes(), 0);
}
