//! The transactions of one transactional id.

mod adding;
mod ending;
mod histories;
mod initializing;
mod partition;
mod restoring;
mod time;
mod world;

use spec_harness::{case, expect_eq};

use super::part::{self, State};
use histories::{Event, Program, expect_crashes, expect_every_history, expect_random_history};
use world::World;

#[test]
fn a_crash_everywhere() {
    case!(
        "A transaction over two partitions commits, the next one aborts. The broker crashes between any two effects, and perhaps once more. Each transaction ends all committed or all aborted.",
        || {
            use Event::{Abort, Add, Begun, Commit, Init, Marked, Stored, Write};
            use Program::A;
            let began = [Add(A, 0), Stored, Begun, Add(A, 1), Stored, Begun];
            let wrote = [Write(A, 0), Write(A, 1)];
            let markers = [Stored, Marked, Marked, Stored];
            let first = [
                &[Init(A), Stored][..],
                &began,
                &wrote,
                &[Commit(A)],
                &markers,
            ];
            let again = [&[Commit(A)][..], &markers];
            let second = [
                &[Add(A, 1), Stored, Begun, Write(A, 1), Abort(A)][..],
                &markers,
            ];
            expect_crashes(&[first.concat(), again.concat(), second.concat()].concat());
        }
    );
}

#[test]
fn a_crash_while_a_successor_comes() {
    case!(
        "A second program takes over from one whose transaction is open, and the first goes on as if nothing had happened. The broker crashes between any two effects.",
        || {
            use Event::{Add, Begun, Commit, Init, Marked, Stored, Write};
            use Program::{A, B};
            let first = [Init(A), Stored, Add(A, 0), Stored, Begun, Write(A, 0)];
            let takes_over = [Init(B), Stored, Marked, Stored, Init(B), Stored];
            let zombie = [Write(A, 0), Commit(A), Stored, Marked, Add(A, 0)];
            let second = [
                Add(B, 0),
                Stored,
                Begun,
                Write(B, 0),
                Write(A, 0),
                Commit(B),
            ];
            let markers = [Stored, Marked, Stored];
            let all = [&first[..], &takes_over, &zombie, &second, &markers];
            expect_crashes(&all.concat());
        }
    );
}

#[test]
fn a_crash_while_a_transaction_is_too_slow() {
    case!(
        "A transaction is open for too long, and its program goes on as if nothing had happened. What it writes then must not count, because what it wrote before does not. The broker crashes between any two effects.",
        || {
            use Event::{Add, Begun, Commit, Due, Init, Marked, Stored, Write};
            use Program::A;
            let first = [Init(A), Stored, Add(A, 0), Stored, Begun, Write(A, 0)];
            let too_late = [Due, Stored, Marked, Stored];
            let goes_on = [Add(A, 1), Stored, Begun, Write(A, 1), Commit(A)];
            let markers = [Stored, Marked, Stored];
            expect_crashes(&[&first[..], &too_late, &goes_on, &markers].concat());
        }
    );
}

#[test]
fn every_short_history() {
    case!(
        "Every short history of two programs with the same transactional id, from the start.",
        || expect_every_history(&[], 5)
    );
}

#[test]
fn every_short_history_of_an_open_transaction() {
    case!(
        "Every short history of a transaction that has written to two partitions.",
        || {
            use Event::{Add, Begun, Init, Stored, Write};
            use Program::A;
            let began = [
                Init(A),
                Stored,
                Add(A, 0),
                Stored,
                Begun,
                Add(A, 1),
                Stored,
                Begun,
            ];
            let start = [&began[..], &[Write(A, 0), Write(A, 1)]].concat();
            expect_every_history(&start, 5);
        }
    );
}

#[test]
fn every_short_history_of_a_decided_transaction() {
    case!(
        "Every short history of a transaction whose markers are being written.",
        || {
            use Event::{Add, Begun, Commit, Init, Stored, Write};
            use Program::A;
            let began = [
                Init(A),
                Stored,
                Add(A, 0),
                Stored,
                Begun,
                Add(A, 1),
                Stored,
                Begun,
            ];
            let start = [&began[..], &[Write(A, 0), Write(A, 1), Commit(A), Stored]].concat();
            expect_every_history(&start, 5);
        }
    );
}

#[test]
fn long_histories() {
    case!(
        "Long random histories of two programs, with crashes.",
        || {
            let mut random = fastrand::Rng::with_seed(20);
            for _ in 0..10_000 {
                expect_random_history(100, &mut random);
            }
        }
    );
}

/// `Ok 7/0`, a refusal's name, or `parked`.
fn answer(world: &World, call: part::CallId) -> String {
    match world.answer(call) {
        Some(Ok(producer)) => format!("Ok {}", world::short(producer)),
        Some(Err(refusal)) => format!("{refusal:?}"),
        None => "parked".to_owned(),
    }
}

fn expect_answer(world: &World, what: &str, call: part::CallId, expected: &str) {
    expect_eq(
        &format!("the answer to {what}"),
        &*answer(world, call),
        expected,
    );
}

fn expect_work(world: &World, expected: &[&str]) {
    let expected: Vec<String> = expected.iter().map(|one| (*one).to_owned()).collect();
    expect_eq("what is under way", world.work(), expected);
}

fn expect_disk(world: &World, expected: &str) {
    let disk = world.disk.as_ref().map(world::in_words);
    expect_eq("what is on disk", disk.as_deref(), Some(expected));
}

fn expect_state(world: &World, expected: State) {
    expect_eq("the state", world.id.metadata().state, expected);
}
