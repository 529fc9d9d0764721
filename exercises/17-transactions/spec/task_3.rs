//! What is open after a crash.

use message_model::{Offset, Timestamp};
use spec_harness::{case, expect_eq, fail};

use super::part::{End, Op, Open, Replay};

/// A record of one of the two topics: of a half message, or about one.
#[derive(Debug, Clone, Copy)]
pub(super) enum Record {
    Half(i64, i64),
    Op(i64, i64, Op),
}

pub(super) fn replayed(records: &[Record]) -> Replay {
    let mut replay = Replay::new();
    for record in records {
        match *record {
            Record::Half(half, at) => replay.half(Offset(half), Timestamp(at)),
            Record::Op(half, at, op) => replay.op(Offset(half), Timestamp(at), op),
        }
    }
    replay
}

fn open(half: i64, since: i64, checks: u32) -> (Offset, Open) {
    let since = Timestamp(since);
    (Offset(half), Open { since, checks })
}

const COMMITTED: Op = Op::Done(End::Committed);
const ROLLED_BACK: Op = Op::Done(End::RolledBack);
const SET_ASIDE: Op = Op::Done(End::SetAside);

#[test]
fn without_op_records() {
    case!(
        "Half messages without an op record are open, each since it was sent.",
        || {
            let replay = replayed(&[
                Record::Half(0, 10),
                Record::Half(1, 25),
                Record::Half(4, 30),
            ]);
            let wanted = vec![open(0, 10, 0), open(1, 25, 0), open(4, 30, 0)];
            expect_eq("open()", replay.open(), wanted);
            expect_eq("next()", replay.next(), Offset(5));
            expect_eq("ended()", replay.ended(), vec![]);
        }
    );
}

#[test]
fn what_has_ended_is_not_open() {
    case!(
        "An op record that ends a half message leaves it out, whatever the end.",
        || {
            let replay = replayed(&[
                Record::Half(0, 10),
                Record::Half(1, 11),
                Record::Half(2, 12),
                Record::Half(3, 13),
                Record::Op(0, 20, COMMITTED),
                Record::Op(3, 21, SET_ASIDE),
                Record::Op(1, 22, ROLLED_BACK),
            ]);
            expect_eq("open()", replay.open(), vec![open(2, 12, 0)]);
            let ends = vec![
                (Offset(0), End::Committed),
                (Offset(1), End::RolledBack),
                (Offset(3), End::SetAside),
            ];
            expect_eq("ended()", replay.ended(), ends);
        }
    );
}

#[test]
fn checks_are_counted() {
    case!(
        "Checks that were noted count, and the wait begins at the last one.",
        || {
            let replay = replayed(&[
                Record::Half(0, 10),
                Record::Op(0, 40, Op::Checked(1)),
                Record::Half(1, 50),
                Record::Op(0, 90, Op::Checked(2)),
            ]);
            let wanted = vec![open(0, 90, 2), open(1, 50, 0)];
            expect_eq("open()", replay.open(), wanted);
        }
    );
}

#[test]
fn op_records_may_be_read_first() {
    case!(
        "An op record may be read before its half message, and counts just as much.",
        || {
            let replay = replayed(&[
                Record::Op(0, 20, COMMITTED),
                Record::Op(1, 30, Op::Checked(1)),
                Record::Half(0, 10),
                Record::Half(1, 11),
            ]);
            expect_eq("open()", replay.open(), vec![open(1, 30, 1)]);
            expect_eq("next()", replay.next(), Offset(2));
        }
    );
}

#[test]
fn an_op_record_alone() {
    case!(
        "What only op records name is not open: its half message is not there any more.",
        || {
            let replay = replayed(&[
                Record::Op(0, 20, Op::Checked(3)),
                Record::Half(7, 25),
                Record::Op(5, 30, COMMITTED),
            ]);
            expect_eq("open()", replay.open(), vec![open(7, 25, 0)]);
            expect_eq("next()", replay.next(), Offset(8));
        }
    );
}

#[test]
fn records_may_be_repeated() {
    case!(
        "An op record that is repeated late takes nothing back.",
        || {
            let replay = replayed(&[
                Record::Half(0, 10),
                Record::Half(1, 11),
                Record::Op(0, 20, Op::Checked(1)),
                Record::Op(0, 30, Op::Checked(2)),
                Record::Op(0, 35, Op::Checked(1)),
                Record::Op(0, 36, Op::Checked(2)),
                Record::Op(1, 40, COMMITTED),
                Record::Op(1, 41, Op::Checked(1)),
                Record::Op(1, 42, ROLLED_BACK),
            ]);
            expect_eq("open()", replay.open(), vec![open(0, 30, 2)]);
            let ends = vec![(Offset(1), End::Committed)];
            expect_eq("ended(), the first one counts", replay.ended(), ends);
        }
    );
}

#[test]
fn every_interleaving() {
    case!(
        "However the two topics are interleaved, the same is open.",
        || {
            let halves = [
                Record::Half(0, 10),
                Record::Half(1, 11),
                Record::Half(2, 12),
            ];
            let ops = [
                Record::Op(1, 20, Op::Checked(1)),
                Record::Op(0, 21, ROLLED_BACK),
                Record::Op(1, 30, Op::Checked(2)),
                Record::Op(2, 31, COMMITTED),
            ];
            let wanted = vec![open(1, 30, 2)];
            // Bit n of a mask says whether the n-th record is an op record.
            for mask in 0..1_u32 << 7 {
                if mask.count_ones() != 4 {
                    continue;
                }
                let (mut halves, mut ops) = (halves.iter(), ops.iter());
                let next = |bit: u32| match mask >> bit & 1 {
                    0 => halves.next(),
                    _ => ops.next(),
                };
                let records: Vec<Record> = (0..7).filter_map(next).copied().collect();
                let got = replayed(&records).open();
                if got != wanted {
                    let what = format!("{records:?}");
                    fail(&what, &format!("{wanted:?}"), &format!("{got:?}"));
                }
            }
        }
    );
}
