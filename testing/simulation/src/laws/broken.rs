//! Each law that needs the broker's answers is broken by a record of a few lines.

use history::{Action, Operation, Outcome, Record};
use wire_protocol::ErrorCode;

use super::{Ends, check};
use crate::batch::Instance;
use crate::exchange::{Exchange, Exchanged};
use crate::record::{RunRecord, place};

/// The exchanges of a record, one after the other.
fn record(all: Vec<Exchanged>) -> RunRecord {
    let exchange = |(what, at): (Exchanged, u64)| Exchange {
        arrived: at,
        left: at + 1,
        what,
    };
    RunRecord {
        exchanges: all
            .into_iter()
            .zip((0..).step_by(2))
            .map(exchange)
            .collect(),
        ..RunRecord::default()
    }
}

fn broken(record: &RunRecord) -> &'static str {
    check(record, None).map_or_else(|violation| violation.law, |()| "none")
}

fn init(epoch: i16) -> Exchanged {
    Exchanged::Init {
        id: "t".to_owned(),
        instance: Instance { id: 7, epoch },
        goes_on: false,
    }
}

fn call(epoch: i16) -> Exchanged {
    Exchanged::OfInstance {
        instance: Instance { id: 7, epoch },
        call: "EndTxn".to_owned(),
        code: ErrorCode::NONE,
    }
}

fn joined(generation: i32) -> Exchanged {
    Exchanged::Joined {
        group: "g".to_owned(),
        generation,
    }
}

fn assigned(generation: i32, member: &str) -> Exchanged {
    Exchanged::Assigned {
        group: "g".to_owned(),
        generation,
        member: member.to_owned(),
        partitions: vec![0],
    }
}

fn committed(generation: i32, offset: i64) -> Exchanged {
    Exchanged::Committed {
        group: "g".to_owned(),
        generation,
        offsets: vec![(0, offset)],
        in_transaction: false,
    }
}

fn offsets(offset: i64) -> Exchanged {
    Exchanged::Offsets {
        group: "g".to_owned(),
        offsets: vec![(0, offset)],
    }
}

#[test]
fn a_zombie_is_found() {
    let law = "no zombie does anything after the fence";
    assert_eq!(broken(&record(vec![init(0), init(1), call(0)])), law);
    assert_eq!(
        broken(&record(vec![init(0), call(0), init(1), call(1)])),
        "none"
    );
    // What was on its way when the next instance was answered may be taken.
    let mut at_once = record(vec![init(1), call(0)]);
    at_once.exchanges[0].left = 10;
    assert_eq!(broken(&at_once), "none");
}

#[test]
fn an_epoch_that_is_given_twice_is_found() {
    let law = "each instance has an epoch of its own";
    assert_eq!(broken(&record(vec![init(1), init(1)])), law);
    assert_eq!(broken(&record(vec![init(1), init(2)])), "none");
}

#[test]
fn a_generation_that_comes_again_is_found() {
    let law = "the generations of a group only rise";
    assert_eq!(broken(&record(vec![assigned(2, "a"), joined(1)])), law);
    assert_eq!(
        broken(&record(vec![assigned(2, "a"), assigned(1, "a")])),
        law
    );
    assert_eq!(
        broken(&record(vec![
            joined(2),
            joined(1),
            assigned(1, "a"),
            joined(2)
        ])),
        "none"
    );
}

#[test]
fn two_owners_are_found() {
    let law = "a partition belongs to one member of a generation";
    assert_eq!(
        broken(&record(vec![assigned(1, "a"), assigned(1, "b")])),
        law
    );
    assert_eq!(
        broken(&record(vec![assigned(1, "a"), assigned(1, "a")])),
        "none"
    );
}

#[test]
fn a_commit_of_an_old_generation_is_found() {
    let law = "nobody commits for an old generation";
    assert_eq!(
        broken(&record(vec![assigned(2, "a"), committed(1, 5)])),
        law
    );
    assert_eq!(
        broken(&record(vec![committed(1, 5), assigned(2, "a")])),
        "none"
    );
}

#[test]
fn an_offset_that_goes_back_is_found() {
    let law = "committed offsets never go back";
    assert_eq!(broken(&record(vec![committed(1, 5), offsets(4)])), law);
    assert_eq!(broken(&record(vec![offsets(5), offsets(4)])), law);
    assert_eq!(
        broken(&record(vec![committed(1, 5), offsets(5), offsets(6)])),
        "none"
    );
}

#[test]
fn a_record_that_changes_is_found() {
    let saw = |values: [u64; 2]| RunRecord {
        uncommitted: values.map(|value| (place("in", 0), 3, value)).to_vec(),
        ..RunRecord::default()
    };
    assert_eq!(broken(&saw([8, 9])), "what was read stays");
    assert_eq!(broken(&saw([8, 8])), "none");
}

/// A last read of an input, at offset 0 of `in-0`, and of so many outputs of it.
fn transformed(outputs: u64, committed: i64) -> &'static str {
    let operation = |process: u32, action| Operation {
        process,
        invoked: 0,
        completed: 0,
        action,
        outcome: Outcome::Ok,
    };
    let record = |topic: &str, offset: u64, value| Record {
        partition: place(topic, 0),
        offset: i64::try_from(offset).unwrap_or(0),
        value,
    };
    let mut read = vec![record("in", 0, 100)];
    read.extend((0..outputs).map(|number| record("out", number, 200 + number)));
    let record = RunRecord {
        operations: vec![
            operation(1, Action::Assign(vec![])),
            operation(1, Action::Poll(read)),
            operation(2, Action::Assign(vec![])),
        ],
        outputs: (0..outputs).map(|number| (200 + number, (0, 0))).collect(),
        ..RunRecord::default()
    };
    let ends = Ends {
        committed: [("transforms", vec![(0, committed)])].into(),
    };
    let checked = super::transforms::each_input_has_one_output(&record, &ends);
    checked.map_or_else(|violation| violation.law, |()| "none")
}

#[test]
fn outputs_that_do_not_agree_with_offsets_are_found() {
    let law = "each record that was transformed has one output";
    assert_eq!(transformed(1, 1), "none");
    assert_eq!(transformed(0, 0), "none");
    assert_eq!(transformed(0, 1), law);
    assert_eq!(transformed(2, 1), law);
    assert_eq!(transformed(1, 0), law);
}
