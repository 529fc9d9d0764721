//! What a group was asked last, for a call that never returns.

use std::collections::VecDeque;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use super::part::MemberId;

/// A call of a group takes microseconds. One that takes this long is in a loop without an end.
const PATIENCE: Duration = Duration::from_secs(5);

/// How many of the last calls are shown.
const SHOWN: usize = 20;

/// Prints the last calls of a group if one of them does not return.
///
/// The harness notices a loop without an end too, but cannot say what led to it.
#[derive(Debug, Clone)]
pub(super) struct Watch {
    seen: Arc<Mutex<Seen>>,
    /// When the last clone of this is dropped, the thread that watches ends.
    _alive: Sender<()>,
}

#[derive(Debug, Default)]
struct Seen {
    calls: u64,
    is_in_hand: bool,
    last: VecDeque<Asked>,
}

/// A call of a group.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    /// The method.
    pub(super) what: &'static str,
    /// The member that it is of.
    pub(super) of: Option<MemberId>,
    /// Milliseconds since the start.
    pub(super) at: u64,
}

impl Watch {
    pub(super) fn new() -> Watch {
        let (alive, ended) = channel();
        let seen = Arc::new(Mutex::new(Seen::default()));
        let watched = seen.clone();
        thread::spawn(move || {
            let mut calls = 0;
            while ended.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
                let seen = lock(&watched);
                if seen.is_in_hand && seen.calls == calls {
                    eprint!("{}", seen.words());
                    return;
                }
                calls = seen.calls;
            }
        });
        Watch {
            seen,
            _alive: alive,
        }
    }

    /// A call begins; `before` are those before it, and gets it too.
    pub(super) fn begins(&self, before: &mut VecDeque<Asked>, asked: Asked) {
        before.push_back(asked);
        if before.len() > SHOWN {
            before.pop_front();
        }
        let mut seen = lock(&self.seen);
        seen.calls += 1;
        seen.is_in_hand = true;
        seen.last.clone_from(before);
    }

    /// The call has returned.
    pub(super) fn returned(&self) {
        lock(&self.seen).is_in_hand = false;
    }
}

impl Seen {
    fn words(&self) -> String {
        let call = |asked: &Asked| {
            let of = asked.of.as_ref().map(|id| format!(" of {id}"));
            format!(
                "  at {} ms: {}{}\n",
                asked.at,
                asked.what,
                of.unwrap_or_default()
            )
        };
        let calls: String = self.last.iter().map(call).collect();
        format!("the group was called like this, and the last call has not returned:\n{calls}")
    }
}

fn lock(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}
