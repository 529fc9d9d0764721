//! Every order in which a fetch that waits and an append can take their steps, as the
//! trace of a figure: `book/src/traces/07-lost-wake-up.json`.
//!
//! The fetch leaves its note with the real [`Waits`]. In version 2 it sleeps as soon
//! as the note is there; in version 3 it looks once more before.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use broker::{Board, Condition, End, Waits};
use message_model::{Moment, Offset};
use serde_json::{Value, json};

/// The fetch wants this record, which does not exist at first.
const WANTED: i64 = 120;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Move {
    Fetch,
    Append,
}

/// What can be seen between two steps.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct State {
    version: u8,
    fetch: &'static str,
    append: &'static str,
    end: i64,
    notes: usize,
}

/// One run, in a given order of steps.
struct Run<'a> {
    order: &'a [Move],
    board: Arc<Board<End>>,
    /// Whether the fetch's task was woken.
    woken: Arc<Woken>,
    now: State,
    /// The states after each step.
    seen: Vec<State>,
}

/// Notices that a task is woken.
#[derive(Debug, Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Run<'_> {
    /// Makes the append's steps that are next; whether one of the fetch is behind them.
    fn fetch_is_next(&mut self) -> bool {
        while let Some((next, rest)) = self.order.split_first() {
            self.order = rest;
            if *next == Move::Fetch {
                return true;
            }
            self.append();
        }
        false
    }

    fn append(&mut self) {
        if self.now.append == "begins" {
            self.now.end += 1;
            self.now.append = "written";
        } else {
            self.board.moved(&End::LogEnd, Offset(self.now.end));
            self.now.append = "done";
        }
        if self.now.fetch == "sleeps" && self.woken.0.load(Ordering::Relaxed) {
            self.now.fetch = "woken";
        }
        self.record();
    }

    fn finds(&self) -> bool {
        self.now.end > WANTED
    }

    fn fetched(&mut self, step: &'static str) {
        self.now.fetch = step;
        self.record();
    }

    fn record(&mut self) {
        self.now.notes = self.board.len();
        self.seen.push(self.now.clone());
    }
}

/// The state after the steps of `order`.
fn run(version: u8, order: &[Move]) -> State {
    let now = State {
        version,
        fetch: "begins",
        append: "begins",
        end: WANTED,
        notes: 0,
    };
    let run = RefCell::new(Run {
        order,
        board: Arc::new(Board::new()),
        woken: Arc::default(),
        seen: vec![now.clone()],
        now,
    });
    if fetch(&run) {
        run.borrow_mut().fetched("answered");
    }
    run.borrow_mut().fetch_is_next();
    run.into_inner().seen[order.len()].clone()
}

/// Makes the steps of the fetch; whether it has the record.
fn fetch(run: &RefCell<Run<'_>>) -> bool {
    let is_next = || run.borrow_mut().fetch_is_next();
    let finds = || run.borrow().finds();
    let fetched = |step| run.borrow_mut().fetched(step);
    if !is_next() || finds() {
        return finds();
    }
    fetched("found nothing");
    if !is_next() {
        return false;
    }
    let condition = Condition {
        board: Arc::clone(&run.borrow().board),
        end: End::LogEnd,
        offset: Offset(WANTED),
    };
    let looks_again = run.borrow().now.version == 3;
    let mut has_found = false;
    let still_needed = || {
        fetched("noted");
        if looks_again && is_next() {
            has_found = finds();
            if !has_found {
                fetched("found nothing again");
            }
        }
        !has_found
    };
    let waits = Waits::new(|_| {});
    let deadline = Moment::after_start(Duration::from_millis(500));
    let mut wait = Box::pin(waits.any_passes(deadline, [condition], still_needed));
    let waker = Waker::from(Arc::clone(&run.borrow().woken));
    let is_over = wait
        .as_mut()
        .poll(&mut Context::from_waker(&waker))
        .is_ready();
    if is_over || !is_next() {
        drop(wait);
        return has_found;
    }
    let is_woken = run.borrow().woken.0.load(Ordering::Relaxed);
    fetched(if is_woken { "woken" } else { "sleeps" });
    is_next() && finds()
}

/// The moves that a state has.
fn moves(state: &State) -> Vec<(&'static str, Move)> {
    let mut moves = Vec::new();
    if !matches!(state.fetch, "sleeps" | "answered") {
        moves.push(("fetch", Move::Fetch));
    }
    if state.append != "done" {
        moves.push(("append", Move::Append));
    }
    moves
}

/// What has become of the fetch.
fn verdict(state: &State) -> &'static str {
    match state.fetch {
        "answered" => "answered",
        "sleeps" if state.append == "done" => "asleep",
        _ => "open",
    }
}

/// The trace.
#[must_use]
pub(crate) fn trace() -> Value {
    let (mut starts, mut states) = (BTreeMap::new(), BTreeMap::new());
    for version in [2, 3] {
        let mut names = BTreeMap::from([(run(version, &[]), format!("{version}.0"))]);
        starts.insert(version.to_string(), format!("{version}.0"));
        let mut orders = vec![Vec::new()];
        while let Some(order) = orders.pop() {
            let state = run(version, &order);
            let mut next_of = BTreeMap::new();
            for (name, next) in moves(&state) {
                let order = [&order[..], &[next]].concat();
                let number = names.len();
                let entry = names.entry(run(version, &order));
                next_of.insert(
                    name,
                    entry
                        .or_insert_with(|| {
                            orders.push(order);
                            format!("{version}.{number}")
                        })
                        .clone(),
                );
            }
            let is = json!({
                "fetch": state.fetch,
                "append": state.append,
                "end": state.end,
                "notes": vec![WANTED; state.notes],
                "verdict": verdict(&state),
            });
            states.insert(names[&state].clone(), json!({ "is": is, "moves": next_of }));
        }
    }
    json!({ "starts": starts, "states": states })
}

fn main() {
    println!("{}", trace());
}
