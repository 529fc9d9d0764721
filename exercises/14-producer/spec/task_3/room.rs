//! Calls that wait for room in the memory.

use spec_harness::{case, expect_eq};

use super::super::part::accumulator::{Effect, Event};
use super::super::part::{Refusal, Slot, Ticket};
use super::{ROOM, append, batch, calls, millis, put};

#[test]
fn a_record_that_can_never_fit() {
    case!(
        "A record above the whole memory is refused at once, also behind others.",
        || {
            let mut calls = calls(100);
            expect_eq("100 bytes", calls.send(0, 0, 100), vec![put(0, 0, true)]);
            let refused = |ticket| vec![Effect::Refuse(Ticket(ticket), Refusal::TooLarge)];
            expect_eq("101 bytes", calls.send(0, 0, 101), refused(1));
            expect_eq("1 byte", calls.send(0, 0, 1), vec![Effect::Park(Ticket(2))]);
            expect_eq("101 bytes", calls.send(0, 0, 101), refused(3));
        }
    );
}

#[test]
fn without_room_a_call_waits() {
    case!(
        "Without room a call waits, and is admitted when a batch is settled.",
        || {
            let mut calls = calls(100);
            calls.step(0, ROOM);
            calls.send(0, 0, 100);
            expect_eq(
                "30 bytes",
                calls.send(1, 0, 30),
                vec![Effect::Park(Ticket(1))],
            );
            let effects = calls.step(2, Event::Release(100));
            expect_eq(
                "100 bytes are released",
                effects,
                vec![Effect::Admit(Ticket(1))],
            );
            expect_eq("the memory in use", calls.accumulator.used(), 30);
            let again = Event::Append(append(1, 0, 30));
            expect_eq(
                "the record comes again",
                calls.step(2, again),
                vec![put(1, 1, true)],
            );
            expect_eq("the memory in use", calls.accumulator.used(), 30);
        }
    );
}

#[test]
fn first_come_first_served() {
    case!(
        "A small record does not pass a large one that waits.",
        || {
            let mut calls = calls(100);
            calls.send(0, 0, 60);
            expect_eq(
                "70 bytes",
                calls.send(0, 0, 70),
                vec![Effect::Park(Ticket(1))],
            );
            expect_eq(
                "10 bytes",
                calls.send(0, 0, 10),
                vec![Effect::Park(Ticket(2))],
            );
            expect_eq("30 are released", calls.step(0, Event::Release(20)), vec![]);
            let expected = vec![Effect::Admit(Ticket(1)), Effect::Admit(Ticket(2))];
            expect_eq("20 more", calls.step(0, Event::Release(20)), expected);
        }
    );
}

#[test]
fn a_promise_holds_room() {
    case!("Room that is promised to a call is in use.", || {
        let mut calls = calls(100);
        calls.send(0, 0, 100);
        calls.send(0, 0, 80);
        calls.step(0, Event::Release(100));
        expect_eq("the memory in use", calls.accumulator.used(), 80);
        expect_eq(
            "30 bytes",
            calls.send(0, 0, 30),
            vec![Effect::Park(Ticket(2))],
        );
        let again = Event::Append(append(1, 0, 80));
        let expected = vec![put(1, 1, true)];
        expect_eq(
            "the promised record comes again",
            calls.step(0, again),
            expected,
        );
    });
}

#[test]
fn who_waits_makes_batches_due() {
    case!(
        "A call that waits for room ends the linger: only what is sent makes room.",
        || {
            let mut calls = calls(100);
            calls.step(0, ROOM);
            calls.step(0, Event::Room(Slot(1)));
            calls.send(0, 0, 50);
            calls.send(0, 1, 50);
            let expected = vec![
                Effect::Park(Ticket(2)),
                Effect::Send(batch(0, 0, 1, 50)),
                Effect::Send(batch(1, 1, 1, 50)),
            ];
            expect_eq("50 bytes more", calls.send(0, 0, 50), expected);
        }
    );
}

#[test]
fn a_call_waits_so_long_and_no_longer() {
    case!("A call that is not admitted in time is refused.", || {
        let mut calls = calls(100);
        calls.send(0, 0, 100);
        calls.send(0, 0, 10);
        expect_eq(
            "the next deadline",
            calls.accumulator.next_deadline(),
            Some(millis(60)),
        );
        expect_eq("a tick at 59", calls.step(59, Event::Tick), vec![]);
        let refused = |ticket| vec![Effect::Refuse(Ticket(ticket), Refusal::NoRoom)];
        expect_eq("a tick at 60", calls.step(60, Event::Tick), refused(1));
        expect_eq(
            "a call at 60, which may not wait",
            calls.send(60, 0, 10),
            refused(2),
        );
        expect_eq(
            "100 are released",
            calls.step(61, Event::Release(100)),
            vec![],
        );
    });
}

#[test]
fn a_later_call_may_give_up_first() {
    case!("A call may be refused before one in front of it.", || {
        let mut calls = calls(100);
        calls.send(0, 0, 100);
        calls.send(0, 0, 10);
        let mut hasty = append(2, 0, 10);
        hasty.admit_by = millis(20);
        calls.step(0, Event::Append(hasty));
        let refused = vec![Effect::Refuse(Ticket(2), Refusal::NoRoom)];
        expect_eq("a tick at 20", calls.step(20, Event::Tick), refused);
    });
}

#[test]
fn a_refused_call_lets_others_pass() {
    case!(
        "When a large record gives up, smaller ones behind it may fit.",
        || {
            let mut calls = calls(100);
            calls.send(0, 0, 60);
            let mut large = append(1, 0, 70);
            large.admit_by = millis(20);
            calls.step(0, Event::Append(large));
            calls.step(0, Event::Append(append(2, 0, 40)));
            let expected = vec![
                Effect::Refuse(Ticket(1), Refusal::NoRoom),
                Effect::Admit(Ticket(2)),
            ];
            expect_eq("a tick at 20", calls.step(20, Event::Tick), expected);
        }
    );
}

#[test]
fn a_call_that_is_gone() {
    case!(
        "A call that is gone lets others pass, and leaves no room in use.",
        || {
            let mut calls = calls(100);
            calls.send(0, 0, 60);
            calls.send(0, 0, 70);
            calls.send(0, 0, 40);
            let gone = Event::Withdraw(Ticket(1));
            expect_eq(
                "the first is gone",
                calls.step(0, gone),
                vec![Effect::Admit(Ticket(2))],
            );
            expect_eq(
                "30 bytes",
                calls.send(0, 0, 30),
                vec![Effect::Park(Ticket(3))],
            );
            let gone = Event::Withdraw(Ticket(2));
            let expected = vec![Effect::Admit(Ticket(3))];
            expect_eq("the admitted one is gone", calls.step(0, gone), expected);
            expect_eq("the memory in use", calls.accumulator.used(), 90);
        }
    );
}
