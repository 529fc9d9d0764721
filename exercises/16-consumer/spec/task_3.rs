//! What may be committed.

use std::collections::BTreeMap;

use message_model::{Offset, OffsetRange, TopicPartition};
use spec_harness::{case, expect, expect_eq};

use super::members::partition;
use super::part::{OffsetTracker, Work};

fn range(start: i64, end: i64) -> OffsetRange {
    OffsetRange {
        start: Offset(start),
        end: Offset(end),
    }
}

/// A tracker with `t-0` at this position, which is committed.
fn tracker(position: i64) -> (OffsetTracker, TopicPartition) {
    let mut tracker = OffsetTracker::new(1000);
    let t0 = partition("t-0");
    tracker.begin(t0.clone(), Offset(position), Some(Offset(position)));
    (tracker, t0)
}

fn hand_out(tracker: &mut OffsetTracker, partition: &TopicPartition, start: i64, end: i64) -> Work {
    let work = tracker.hand_out(partition, range(start, end));
    work.expect("hand_out returns a piece: there is room, and it begins where the last one ended")
}

/// What is to be committed of `t-0`.
fn committable(tracker: &OffsetTracker) -> Option<i64> {
    let all: BTreeMap<TopicPartition, Offset> = tracker.committable().into_iter().collect();
    all.get(&partition("t-0")).map(|offset| offset.0)
}

#[test]
fn done_in_order() {
    case!(
        "What is done may be committed: the offset behind it, which is the one to go on with.",
        || {
            let (mut tracker, t0) = tracker(100);
            expect_eq("before", committable(&tracker), None);
            let work = hand_out(&mut tracker, &t0, 100, 110);
            expect_eq("pieces that are out", tracker.unfinished(&t0), 1);
            expect_eq("handed out", committable(&tracker), None);
            tracker.done(&work);
            expect_eq("done", committable(&tracker), Some(110));
        }
    );
}

#[test]
fn done_in_any_order() {
    case!(
        "Of four pieces that are done in any order, only what has nothing unfinished below it may be committed.",
        || {
            for code in 0..24 {
                let (mut tracker, t0) = tracker(100);
                let work: Vec<Work> = (0..4)
                    .map(|n| hand_out(&mut tracker, &t0, 100 + 10 * n, 110 + 10 * n))
                    .collect();
                let mut left = vec![0, 1, 2, 3];
                let order = [code / 6, code / 2 % 3, code % 2, 0].map(|at| left.remove(at));
                let mut is_done = [false; 4];
                for at in order {
                    tracker.done(&work[at]);
                    is_done[at] = true;
                    let first = is_done.iter().position(|done| !done).unwrap_or(4);
                    let expected = 100 + 10 * i64::try_from(first).expect("small");
                    let got = committable(&tracker);
                    let what = format!("after {order:?}, up to piece {at}");
                    expect_eq(&what, got, (first > 0).then_some(expected));
                }
                expect_eq("remembered", tracker.unfinished(&t0), 0);
            }
        }
    );
}

#[test]
fn offsets_without_records() {
    case!(
        "A piece ends where the next one may begin, behind offsets that have no record. There may also be a gap in front of a piece.",
        || {
            let (mut tracker, t0) = tracker(0);
            let first = hand_out(&mut tracker, &t0, 0, 50);
            let second = hand_out(&mut tracker, &t0, 80, 90);
            tracker.done(&first);
            expect_eq("behind the gap", committable(&tracker), Some(80));
            tracker.done(&second);
            expect_eq("at the end", committable(&tracker), Some(90));
        }
    );
}

#[test]
fn what_the_coordinator_has() {
    case!(
        "What is committed is not to be committed again; what was done meanwhile is.",
        || {
            let (mut tracker, t0) = tracker(0);
            let (first, second) = (
                hand_out(&mut tracker, &t0, 0, 10),
                hand_out(&mut tracker, &t0, 10, 20),
            );
            tracker.done(&first);
            tracker.done(&second);
            tracker.committed(&t0, Offset(10));
            expect_eq(
                "10 is committed, 20 is done",
                committable(&tracker),
                Some(20),
            );
            tracker.committed(&t0, Offset(20));
            expect_eq("all is committed", committable(&tracker), None);
        }
    );
}

#[test]
fn a_start_without_a_commit() {
    case!(
        "A group without a committed offset commits where it begins, before anything is done: else a group that begins at the end loses what comes until its first commit.",
        || {
            let mut tracker = OffsetTracker::new(10);
            tracker.begin(partition("t-0"), Offset(700), None);
            expect_eq("at once", committable(&tracker), Some(700));
        }
    );
}

#[test]
fn work_of_another_stay() {
    case!(
        "A partition was taken away and came back, at an earlier offset. A worker that finishes a record from before changes nothing: the record will be read again, and may not be done.",
        || {
            let (mut tracker, t0) = tracker(0);
            let old = hand_out(&mut tracker, &t0, 0, 10);
            tracker.end(&t0);
            tracker.done(&old);
            expect_eq("gone", tracker.committable().len(), 0);
            tracker.begin(t0.clone(), Offset(0), Some(Offset(0)));
            tracker.done(&old);
            expect_eq("before it is handed out again", committable(&tracker), None);
            let new = hand_out(&mut tracker, &t0, 0, 10);
            tracker.done(&old);
            expect_eq("after", committable(&tracker), None);
            tracker.done(&new);
            expect_eq("the piece of this stay", committable(&tracker), Some(10));
        }
    );
}

#[test]
fn a_seek() {
    case!(
        "A seek begins a new stay, and a seek back is committed although it is lower: the application has asked for it.",
        || {
            let (mut tracker, t0) = tracker(0);
            let old = hand_out(&mut tracker, &t0, 0, 100);
            tracker.done(&old);
            tracker.committed(&t0, Offset(100));
            tracker.seek(&t0, Offset(30));
            expect_eq("back", committable(&tracker), Some(30));
            expect(
                "a piece may begin there",
                tracker.hand_out(&t0, range(30, 40)).is_some(),
            );
        }
    );
}

#[test]
fn done_twice() {
    case!(
        "A piece that is done twice counts once, also when others of its kind are out.",
        || {
            let (mut tracker, t0) = tracker(0);
            let first = hand_out(&mut tracker, &t0, 0, 10);
            let second = hand_out(&mut tracker, &t0, 10, 20);
            let _third = hand_out(&mut tracker, &t0, 20, 30);
            tracker.done(&second);
            tracker.done(&second);
            expect_eq("the first one is not done", committable(&tracker), None);
            tracker.done(&first);
            tracker.done(&first);
            tracker.done(&second);
            expect_eq("both", committable(&tracker), Some(20));
        }
    );
}

#[test]
fn what_may_not_be_handed_out() {
    case!(
        "Nothing of a partition that is not here, and nothing that was handed out before.",
        || {
            let (mut tracker, t0) = tracker(50);
            let missing = tracker.hand_out(&partition("u-0"), range(0, 1));
            expect_eq("another partition", missing, None);
            expect_eq(
                "below the position",
                tracker.hand_out(&t0, range(40, 60)),
                None,
            );
            let _work = hand_out(&mut tracker, &t0, 50, 60);
            expect_eq("again", tracker.hand_out(&t0, range(50, 60)), None);
            expect_eq("half again", tracker.hand_out(&t0, range(59, 70)), None);
        }
    );
}

#[test]
fn so_far_and_no_further() {
    case!(
        "A piece may begin less than `span_max` above what may be committed: no more is repeated after a crash, and no more is remembered.",
        || {
            let t0 = partition("t-0");
            let mut tracker = OffsetTracker::new(20);
            tracker.begin(t0.clone(), Offset(0), None);
            expect("there is room for the first one", tracker.has_room(&t0));
            let first = hand_out(&mut tracker, &t0, 5, 15);
            expect("there is room behind 15", tracker.has_room(&t0));
            let second = hand_out(&mut tracker, &t0, 24, 25);
            expect("there is no room behind 25", !tracker.has_room(&t0));
            expect_eq("too far", tracker.hand_out(&t0, range(25, 26)), None);
            tracker.done(&second);
            expect_eq(
                "the first one is not done",
                tracker.hand_out(&t0, range(25, 26)),
                None,
            );
            tracker.done(&first);
            expect("there is room", tracker.has_room(&t0));
            expect(
                "a far one",
                tracker.hand_out(&t0, range(1_000, 1_001)).is_some(),
            );
        }
    );
}

#[test]
fn a_piece_that_reaches_far() {
    case!(
        "`span_max` is about where a piece begins. One that begins where there is room may end further ahead.",
        || {
            let t0 = partition("t-0");
            let mut tracker = OffsetTracker::new(10);
            tracker.begin(t0.clone(), Offset(0), None);
            let _first = hand_out(&mut tracker, &t0, 0, 5);
            expect("there is room behind 5", tracker.has_room(&t0));
            let far = tracker.hand_out(&t0, range(5, 15));
            expect("a piece from 5 to 15 is handed out", far.is_some());
        }
    );
}

#[test]
fn partitions_do_not_meet() {
    case!(
        "The same offsets of two partitions are different work.",
        || {
            let (mut tracker, t0) = tracker(0);
            let u0 = partition("u-0");
            tracker.begin(u0.clone(), Offset(0), Some(Offset(0)));
            let _out = hand_out(&mut tracker, &t0, 0, 10);
            let done = hand_out(&mut tracker, &u0, 0, 10);
            tracker.done(&done);
            expect_eq(
                "to be committed",
                tracker.committable(),
                vec![(u0, Offset(10))],
            );
        }
    );
}

#[test]
fn a_hundred_thousand_pieces() {
    case!(
        "A hundred thousand pieces out, done from the last one to the first: each costs a search, not a walk.",
        || {
            let t0 = partition("t-0");
            let mut tracker = OffsetTracker::new(u32::MAX);
            tracker.begin(t0.clone(), Offset(0), None);
            let work: Vec<Work> = (0..100_000)
                .map(|n| hand_out(&mut tracker, &t0, n, n + 1))
                .collect();
            for work in work.iter().rev() {
                tracker.done(work);
            }
            expect_eq("remembered", tracker.unfinished(&t0), 0);
            expect_eq("all", committable(&tracker), Some(100_000));
        }
    );
}
