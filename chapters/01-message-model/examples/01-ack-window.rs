//! Six messages, and every order in which they can be handed out and acked, as the
//! trace of a figure: `book/src/traces/01-ack-window.json`.

use std::collections::{BTreeMap, BTreeSet};

use message_model::{AckWindow, Offset};
use serde_json::{Value, json};

/// The offsets of the messages.
const MESSAGES: std::ops::Range<i64> = 10..16;
/// How far above the frontier a message may be handed out.
const SPAN_MAX: u32 = 4;

/// A window, and what was done with it.
#[derive(Clone)]
struct Run {
    window: AckWindow,
    /// One above the last message that was handed out.
    next: i64,
    acked: BTreeSet<i64>,
}

impl Run {
    fn start() -> Run {
        Run {
            window: AckWindow::new(Offset(MESSAGES.start), SPAN_MAX),
            next: MESSAGES.start,
            acked: BTreeSet::new(),
        }
    }

    fn name(&self) -> String {
        let frontier = self.window.frontier().0;
        let done = |offset: &i64| {
            if self.acked.contains(offset) {
                'x'
            } else {
                '.'
            }
        };
        let window: String = (frontier..self.next).map(|offset| done(&offset)).collect();
        format!("{frontier}{window}")
    }

    /// What becomes possible when a message is handed out: nothing, if the window is full.
    fn hand_out(&self) -> Option<Run> {
        let mut run = self.clone();
        let is_there = MESSAGES.contains(&run.next);
        let is_granted = is_there && run.window.hand_out(Offset(run.next));
        run.next += 1;
        is_granted.then_some(run)
    }

    fn ack(&self, offset: i64) -> Run {
        let mut run = self.clone();
        let _moved = run.window.ack(Offset(offset));
        run.acked.insert(offset);
        run
    }

    fn moves(&self) -> BTreeMap<String, Run> {
        let mut moves = BTreeMap::new();
        if let Some(run) = self.hand_out() {
            moves.insert("hand out".to_owned(), run);
        }
        for offset in self.window.frontier().0..self.next {
            if !self.acked.contains(&offset) {
                moves.insert(format!("ack {offset}"), self.ack(offset));
            }
        }
        moves
    }

    fn is(&self) -> Value {
        let frontier = self.window.frontier().0;
        let messages: Vec<_> = MESSAGES
            .map(|offset| {
                let is = match offset {
                    _ if offset < frontier => "below",
                    _ if offset >= self.next => "waits",
                    _ if self.acked.contains(&offset) => "acked",
                    _ => "out",
                };
                json!({ "offset": offset, "is": is, "ack": format!("ack {offset}") })
            })
            .collect();
        let again = self.acked.iter().filter(|offset| **offset >= frontier);
        json!({
            "messages": messages,
            "frontier": frontier,
            "again": again.count(),
            "next": match () {
                () if !MESSAGES.contains(&self.next) => "none",
                () if self.hand_out().is_some() => "free",
                () => "full",
            },
        })
    }
}

pub(crate) fn trace() -> Value {
    let mut states = BTreeMap::new();
    let mut runs = vec![Run::start()];
    while let Some(run) = runs.pop() {
        let moves = run.moves();
        let names: BTreeMap<_, _> = moves.iter().map(|(name, run)| (name, run.name())).collect();
        let state = json!({ "is": run.is(), "moves": names });
        if states.insert(run.name(), state).is_none() {
            runs.extend(moves.into_values());
        }
    }
    json!({ "starts": { "": Run::start().name() }, "states": states })
}

fn main() {
    println!("{}", trace());
}
