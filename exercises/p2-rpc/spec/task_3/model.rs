//! The balancer once more, the slow way.

use std::time::Duration;

use message_model::Moment;

use super::part::{CallOutcome, ServerId};
use super::world::ejection;

/// A server, as far as a balancer must know it.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) letter: char,
    pub(super) id: Option<ServerId>,
    pub(super) in_flight: u32,
    /// Failed calls in a row.
    row: u32,
    /// Whether it is ejected, until when, and for how long it was.
    out: Option<(Moment, Duration)>,
    is_probed: bool,
}

#[derive(Debug, Default)]
pub(super) struct Model {
    pub(super) servers: Vec<Known>,
}

impl Model {
    pub(super) fn set_servers(&mut self, letters: &[char]) {
        self.servers.retain(|known| letters.contains(&known.letter));
        for letter in letters {
            if self.servers.iter().all(|known| known.letter != *letter) {
                self.servers.push(Known {
                    letter: *letter,
                    id: None,
                    in_flight: 0,
                    row: 0,
                    out: None,
                    is_probed: false,
                });
            }
        }
    }

    /// The servers that the next call may go to, before the policy is asked.
    pub(super) fn candidates(&self, tried: &[ServerId], now: Moment) -> Vec<&Known> {
        let was_tried = |known: &&&Known| known.id.is_some_and(|id| tried.contains(&id));
        let mut best: Vec<&Known> = self.servers.iter().collect();
        let takes_calls = best.iter().filter(|known| known.takes_calls(now));
        let takes_calls: Vec<_> = takes_calls.copied().collect();
        if !takes_calls.is_empty() {
            best = takes_calls;
        }
        let not_tried = best.iter().filter(|known| !was_tried(known));
        let not_tried: Vec<_> = not_tried.copied().collect();
        if not_tried.is_empty() {
            best
        } else {
            not_tried
        }
    }

    pub(super) fn server(&mut self, letter: char) -> Option<&mut Known> {
        self.servers.iter_mut().find(|known| known.letter == letter)
    }
}

impl Known {
    fn takes_calls(&self, now: Moment) -> bool {
        self.out.is_none() || self.is_due(now)
    }

    fn is_due(&self, now: Moment) -> bool {
        let is_over = self.out.is_some_and(|(until, _)| until <= now);
        is_over && !self.is_probed
    }

    /// Notes a call that goes to it, and returns whether the call is a probe.
    pub(super) fn begin(&mut self, now: Moment) -> bool {
        let is_probe = self.is_due(now);
        self.is_probed |= is_probe;
        self.in_flight += 1;
        is_probe
    }

    pub(super) fn end(&mut self, is_probe: bool, outcome: CallOutcome, now: Moment) {
        self.in_flight -= 1;
        self.is_probed &= !is_probe;
        match (outcome, self.out) {
            (CallOutcome::Worked, _) => (self.row, self.out) = (0, None),
            (CallOutcome::Failed, None) => {
                self.row += 1;
                if self.row == ejection().failures.get() {
                    self.out = Some((now.plus(ejection().pause), ejection().pause));
                }
            }
            (CallOutcome::Failed, Some((_, pause))) if is_probe => {
                let pause = (pause * 2).min(ejection().max_pause);
                self.out = Some((now.plus(pause), pause));
            }
            (CallOutcome::Failed | CallOutcome::Cancelled, _) => {}
        }
    }
}
