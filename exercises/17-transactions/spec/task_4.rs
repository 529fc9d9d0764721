//! The machine: half messages, outcomes, checks, crashes.

use std::time::Duration;

use message_model::{Offset, Timestamp};
use spec_harness::{case, expect_eq};

use super::part::{Decision, Effect, End, Event, HalfMessages, Op, Replay, Ruling};
use super::task_3::{Record, replayed};
use super::world::{Happens, SCHEDULE, World};

const DONE: Op = Op::Done(End::Committed);

fn machine() -> HalfMessages {
    HalfMessages::new(SCHEDULE, 2, &Replay::new())
}

fn half(machine: &mut HalfMessages, half: i64, sent: i64) -> Vec<Effect> {
    let (half, sent) = (Offset(half), Timestamp(sent));
    machine.step(sent, Event::Half { half, sent })
}

fn says(machine: &mut HalfMessages, half: i64, decision: Decision) -> Vec<Effect> {
    let half = Offset(half);
    machine.step(Timestamp(1), Event::Outcome { half, decision })
}

fn tick(machine: &mut HalfMessages, now: i64) -> Vec<Effect> {
    machine.step(Timestamp(now), Event::Tick)
}

fn check(half: i64, number: u32) -> [Effect; 2] {
    let half = Offset(half);
    [Effect::Mark(half, Op::Checked(number)), Effect::Ask(half)]
}

#[test]
fn a_commit() {
    case!(
        "A commit copies the half message, and then notes that it is done.",
        || {
            let mut machine = machine();
            expect_eq("half message 0", half(&mut machine, 0, 0), vec![]);
            let got = says(&mut machine, 0, Decision::Commit);
            let wanted = vec![Effect::Copy(Offset(0)), Effect::Mark(Offset(0), DONE)];
            expect_eq("commit", got, wanted);
            expect_eq("open()", machine.open(), 0);
            expect_eq("next_due()", machine.next_due(), None);
        }
    );
}

#[test]
fn a_roll_back() {
    case!("A roll-back only notes that it is done.", || {
        let mut machine = machine();
        half(&mut machine, 0, 0);
        let got = says(&mut machine, 0, Decision::RollBack);
        let rolled_back = Op::Done(End::RolledBack);
        expect_eq("roll back", got, vec![Effect::Mark(Offset(0), rolled_back)]);
        expect_eq("open()", machine.open(), 0);
        expect_eq("next_due()", machine.next_due(), None);
    });
}

#[test]
fn unknown_changes_nothing() {
    case!(
        "\"Unknown\" leaves it open, and the next check is due when it was due before.",
        || {
            let mut machine = machine();
            half(&mut machine, 0, 0);
            let got = says(&mut machine, 0, Decision::Unknown);
            expect_eq("unknown", got, vec![]);
            expect_eq("open()", machine.open(), 1);
            expect_eq("next_due()", machine.next_due(), Some(Timestamp(10)));
        }
    );
}

#[test]
fn repetitions() {
    case!(
        "Of two producers that both answer, the second changes nothing.",
        || {
            let mut machine = machine();
            half(&mut machine, 0, 0);
            half(&mut machine, 1, 0);
            says(&mut machine, 0, Decision::Commit);
            says(&mut machine, 1, Decision::RollBack);
            expect_eq(
                "commit again",
                says(&mut machine, 0, Decision::Commit),
                vec![],
            );
            expect_eq(
                "roll back again",
                says(&mut machine, 1, Decision::RollBack),
                vec![],
            );
            expect_eq("unknown", says(&mut machine, 0, Decision::Unknown), vec![]);
        }
    );
}

#[test]
fn contradictions() {
    case!(
        "A decision that disagrees with the end is reported each time, and changes no end.",
        || {
            let mut machine = machine();
            half(&mut machine, 0, 0);
            half(&mut machine, 1, 0);
            says(&mut machine, 0, Decision::Commit);
            says(&mut machine, 1, Decision::RollBack);
            for (number, decision) in [(0, Decision::RollBack), (1, Decision::Commit)] {
                let ruling = Ruling::Contradiction;
                let report = Effect::Report(Offset(number), decision, ruling);
                for when in ["", ", again"] {
                    let got = says(&mut machine, number, decision);
                    expect_eq(
                        &format!("{decision:?} of {number}{when}"),
                        got,
                        vec![report],
                    );
                }
            }
            for (number, decision) in [(0, Decision::Commit), (1, Decision::RollBack)] {
                let got = says(&mut machine, number, decision);
                expect_eq(&format!("{decision:?} of {number}, its end"), got, vec![]);
            }
        }
    );
}

#[test]
fn what_was_not_read() {
    case!(
        "A decision about a half message that was not read changes nothing, then or later.",
        || {
            let mut machine = machine();
            expect_eq(
                "commit of 3",
                says(&mut machine, 3, Decision::Commit),
                vec![],
            );
            half(&mut machine, 3, 5);
            expect_eq("open()", machine.open(), 1);
            expect_eq("next_due()", machine.next_due(), Some(Timestamp(15)));
        }
    );
}

#[test]
fn read_again() {
    case!(
        "A half message that is read again is not open again.",
        || {
            let mut machine = machine();
            half(&mut machine, 0, 0);
            half(&mut machine, 2, 0);
            says(&mut machine, 0, Decision::Commit);
            half(&mut machine, 0, 0);
            half(&mut machine, 2, 50);
            expect_eq("open()", machine.open(), 1);
            expect_eq("next_due()", machine.next_due(), Some(Timestamp(10)));
            expect_eq("first_open()", machine.first_open(), Offset(2));
        }
    );
}

#[test]
fn read_again_after_long() {
    case!(
        "A half message that is read again is not open, also if its end is forgotten.",
        || {
            let mut machine = machine();
            for number in 0..3 {
                half(&mut machine, number, 0);
                says(&mut machine, number, Decision::Commit);
            }
            half(&mut machine, 0, 0);
            expect_eq("open()", machine.open(), 0);
            expect_eq("first_open()", machine.first_open(), Offset(3));
            let again = says(&mut machine, 0, Decision::Commit);
            expect_eq("commit of 0, again", again, vec![]);
        }
    );
}

#[test]
fn a_check() {
    case!(
        "When a check is due, it is noted first, and then the producers are asked.",
        || {
            let mut machine = machine();
            half(&mut machine, 0, 0);
            half(&mut machine, 1, 5);
            expect_eq("next_due()", machine.next_due(), Some(Timestamp(10)));
            expect_eq("tick at 9", tick(&mut machine, 9), vec![]);
            expect_eq("tick at 12", tick(&mut machine, 12), check(0, 1).to_vec());
            expect_eq("next_due()", machine.next_due(), Some(Timestamp(15)));
            expect_eq("tick at 15", tick(&mut machine, 15), check(1, 1).to_vec());
            // The second wait is 20, from when the first check was noted.
            expect_eq("next_due()", machine.next_due(), Some(Timestamp(32)));
        }
    );
}

#[test]
fn several_are_due() {
    case!(
        "One tick asks about all that are due. What has been due for longest comes first.",
        || {
            let mut machine = machine();
            half(&mut machine, 0, 7);
            half(&mut machine, 1, 3);
            half(&mut machine, 2, 60);
            let wanted = [check(1, 1), check(0, 1)].concat();
            expect_eq("tick at 20", tick(&mut machine, 20), wanted);
            expect_eq("tick at 20 again", tick(&mut machine, 20), vec![]);
        }
    );
}

#[test]
fn the_end_of_checks() {
    case!(
        "After the last check and its wait it is set aside. Each word that is too late is reported.",
        || {
            let mut machine = machine();
            half(&mut machine, 0, 0);
            expect_eq("tick at 10", tick(&mut machine, 10), check(0, 1).to_vec());
            expect_eq("tick at 30", tick(&mut machine, 30), check(0, 2).to_vec());
            expect_eq("next_due()", machine.next_due(), Some(Timestamp(55)));
            let done = Effect::Mark(Offset(0), Op::Done(End::SetAside));
            let wanted = vec![Effect::SetAside(Offset(0)), done];
            expect_eq("tick at 55", tick(&mut machine, 55), wanted);
            expect_eq("next_due()", machine.next_due(), None);
            for decision in [Decision::Commit, Decision::Commit, Decision::RollBack] {
                let report = Effect::Report(Offset(0), decision, Ruling::TooLate);
                let got = says(&mut machine, 0, decision);
                expect_eq(&format!("{decision:?}, too late"), got, vec![report]);
            }
        }
    );
}

#[test]
fn very_late() {
    case!(
        "A machine that slept for a day asks once, and then waits for the answer.",
        || {
            let mut machine = machine();
            half(&mut machine, 0, 0);
            let day = 86_400_000;
            expect_eq("tick", tick(&mut machine, day), check(0, 1).to_vec());
            expect_eq("tick again", tick(&mut machine, day), vec![]);
            expect_eq("next_due()", machine.next_due(), Some(Timestamp(day + 20)));
        }
    );
}

#[test]
fn ends_are_forgotten() {
    case!(
        "Only the newest ends are remembered. A word about an older one changes nothing.",
        || {
            let mut machine = machine();
            for number in 0..3 {
                half(&mut machine, number, 0);
                says(&mut machine, number, Decision::Commit);
            }
            let got = says(&mut machine, 0, Decision::RollBack);
            expect_eq("roll back 0, which is forgotten", got, vec![]);
            for number in [1, 2] {
                let got = says(&mut machine, number, Decision::RollBack).len();
                expect_eq(&format!("reports about {number}"), got, 1);
            }
        }
    );
}

#[test]
fn an_old_one_ends_last() {
    case!(
        "The ends of the newest half messages are remembered, whichever ended last.",
        || {
            let mut machine = machine();
            for number in 0..3 {
                half(&mut machine, number, 0);
            }
            for number in [2, 1, 0] {
                says(&mut machine, number, Decision::Commit);
            }
            for (number, reports) in [(0, 0), (1, 1), (2, 1)] {
                let got = says(&mut machine, number, Decision::RollBack).len();
                expect_eq(&format!("reports about {number}"), got, reports);
            }
            let mut machine = HalfMessages::new(SCHEDULE, 0, &Replay::new());
            half(&mut machine, 0, 0);
            says(&mut machine, 0, Decision::Commit);
            let got = says(&mut machine, 0, Decision::RollBack);
            expect_eq("with no end to remember", got, vec![]);
        }
    );
}

#[test]
fn a_restart_goes_on_counting() {
    case!(
        "After a restart what is open is due as it was before, and the checks go on.",
        || {
            let replay = replayed(&[
                Record::Op(0, 20, DONE),
                Record::Half(0, 0),
                Record::Half(1, 3),
                Record::Half(2, 4),
                Record::Op(1, 40, Op::Checked(1)),
            ]);
            let mut machine = HalfMessages::new(SCHEDULE, 2, &replay);
            expect_eq("open()", machine.open(), 2);
            expect_eq("next_due()", machine.next_due(), Some(Timestamp(14)));
            let wanted = [check(2, 1), check(1, 2)].concat();
            expect_eq("tick at 60", tick(&mut machine, 60), wanted);
            let report = Effect::Report(Offset(0), Decision::RollBack, Ruling::Contradiction);
            let got = says(&mut machine, 0, Decision::RollBack);
            expect_eq("roll back 0, which is done", got, vec![report]);
            half(&mut machine, 2, 4);
            expect_eq("open(), 2 was read before", machine.open(), 2);
        }
    );
}

#[test]
fn long_waits() {
    case!(
        "Half messages with long and short waits are asked about in time.",
        || {
            let schedule = super::part::Schedule {
                first: Duration::from_millis(10),
                longest: Duration::from_millis(1_000),
                checks_max: 5,
            };
            let mut machine = HalfMessages::new(schedule, 2, &Replay::new());
            half(&mut machine, 0, 0);
            for (now, number) in [(10, 1), (30, 2), (70, 3)] {
                expect_eq(
                    &format!("tick at {now}"),
                    tick(&mut machine, now),
                    check(0, number).to_vec(),
                );
            }
            half(&mut machine, 1, 80);
            expect_eq("next_due()", machine.next_due(), Some(Timestamp(90)));
            expect_eq("tick at 90", tick(&mut machine, 90), check(1, 1).to_vec());
            says(&mut machine, 1, Decision::Commit);
            expect_eq("next_due()", machine.next_due(), Some(Timestamp(150)));
        }
    );
}

#[test]
fn a_crash_behind_the_copy() {
    case!(
        "A crash between the copy and its op record: the message is copied once more, not lost.",
        || {
            let mut world = World::new();
            world.happen(Happens::Send, None);
            world.happen(Happens::Commit(0), Some(1));
            world.rest();
        }
    );
}

mod histories;
