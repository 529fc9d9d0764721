//! The batches of one partition that the accumulator gave.

use std::collections::VecDeque;

use message_model::Moment;

use crate::batch::{Batch, BatchId};
use crate::event::Effect;
use crate::number::{Identity, Number};
use crate::outcome::{Failure, Outcome};

/// The batches of one partition, in their order.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(crate) struct Line {
    /// From the oldest one that is not settled on.
    pub(crate) entries: VecDeque<Entry>,
    /// Which producer the numbers are of.
    pub(crate) identity: Option<Identity>,
    /// The number of the next record that gets one.
    next: i32,
    /// The broker has acknowledged a batch with a number of this identity.
    pub(crate) is_proven: bool,
    /// Of the batches with numbers of this identity that are not in `entries` any more,
    /// the last one has failed.
    has_hole: bool,
}

/// A batch, and how far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Entry {
    pub(crate) batch: Batch,
    /// Since its first attempt.
    pub(crate) number: Option<Number>,
    /// How many attempts there were, the one in flight included.
    pub(crate) attempts: u32,
    pub(crate) state: State,
    /// When it was sent last, every batch before it was settled.
    pub(crate) was_first: bool,
    /// An attempt had no answer: the batch may be in the log.
    pub(crate) in_doubt: bool,
}

/// How far a batch is on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum State {
    /// Here, until it may be sent at this moment.
    Waiting(Moment),
    /// On its way: the last attempt has no answer yet.
    InFlight,
    /// Settled: it is in the log.
    ///
    /// A settled batch keeps its place as long as one before it is not settled. A broker
    /// remembers the last five batches of a producer, so what is sent again must be among
    /// the last five that were sent.
    Delivered,
    /// Settled: it has failed.
    Failed,
}

impl Entry {
    pub(crate) fn new(batch: Batch) -> Entry {
        Entry {
            batch,
            number: None,
            attempts: 0,
            state: State::Waiting(Moment::START),
            was_first: false,
            in_doubt: false,
        }
    }

    pub(crate) fn is_settled(&self) -> bool {
        matches!(self.state, State::Delivered | State::Failed)
    }
}

impl Line {
    /// The place of the batch whose attempt in flight is `attempt`.
    pub(crate) fn in_flight(&self, batch: BatchId, attempt: u32) -> Option<usize> {
        self.entries.iter().position(|entry| {
            entry.batch.id == batch && entry.attempts == attempt && entry.state == State::InFlight
        })
    }

    /// From now on numbers are of `identity`, from 0 on.
    pub(crate) fn begin(&mut self, identity: Option<Identity>) {
        self.identity = identity;
        self.next = 0;
        self.is_proven = false;
        self.has_hole = false;
        // A number of another producer says nothing about this one's.
        for entry in self.entries.iter_mut().filter(|entry| entry.is_settled()) {
            entry.number = None;
        }
    }

    /// The batch at `place` gets the next number. There must be an identity.
    pub(crate) fn take_number(&mut self, place: usize) {
        let entry = &mut self.entries[place];
        entry.number = self.identity.map(|identity| Number {
            identity,
            sequence: self.next,
        });
        let behind = entry
            .number
            .map(|number| number.behind(entry.batch.records));
        self.next = behind.map_or(0, |number| number.sequence);
    }

    /// Reports the outcome of the batch at `place`.
    pub(crate) fn settle(&mut self, place: usize, outcome: Outcome, effects: &mut Vec<Effect>) {
        let entry = &mut self.entries[place];
        entry.state = match outcome {
            Outcome::Delivered(_) => State::Delivered,
            Outcome::Failed(_) => State::Failed,
        };
        effects.push(Effect::Done(entry.batch, outcome));
    }

    /// Removes the settled batches that no unsettled one is before.
    pub(crate) fn forget_settled(&mut self) {
        while let Some(settled) = self.entries.pop_front_if(|entry| entry.is_settled()) {
            if settled.number.is_some() {
                self.has_hole = settled.state == State::Failed;
            }
        }
    }

    /// Returns whether a batch behind `place` was appended. A broker that checks the
    /// numbers appends a batch only if it has all before it.
    pub(crate) fn is_followed(&self, place: usize) -> bool {
        // task 14.4: what a later batch proves
        let mut behind = self.entries.iter().skip(place + 1);
        behind.any(|entry| entry.state == State::Delivered)
        // end
    }

    /// Returns whether the log may lack a number before `place`, for ever: of the numbered
    /// batches before it that are settled, the last one has failed. (If it was delivered,
    /// then so were all before it.)
    pub(crate) fn is_behind_hole(&self, place: usize) -> bool {
        // task 14.4: whether the last numbered batch that was settled has failed
        let before = self.entries.iter().take(place).rev();
        let mut settled = before.filter(|entry| entry.is_settled() && entry.number.is_some());
        let last = settled.next().map(|entry| entry.state == State::Failed);
        last.unwrap_or(self.has_hole)
        // end
    }

    /// The broker will never append the batch at `place`: it has failed. If it has a number
    /// and no attempt is in doubt, then its number will never be in the log, so no batch
    /// behind it can be either, whatever became of their attempts. Those that are not
    /// settled lose their numbers and their doubt, and can be sent again at once, without
    /// what is left of their pause. (They get numbers of a new identity then.) If an attempt
    /// is in doubt, they may be in the log, and stay as they are.
    pub(crate) fn refuse(&mut self, place: usize, failure: Failure, effects: &mut Vec<Effect>) {
        // task 14.4: the batches behind it need other numbers, if they cannot be in the log
        let refused = self.entries[place];
        self.settle(place, Outcome::Failed(failure), effects);
        if refused.number.is_some() && !refused.in_doubt {
            let behind = self.entries.iter_mut().skip(place + 1);
            for behind in behind.filter(|entry| !entry.is_settled()) {
                behind.number = None;
                behind.in_doubt = false;
                behind.state = State::Waiting(Moment::START);
            }
        }
        // end
    }

    /// The batch at `place` is not sent any more. It was delivered if a batch behind it
    /// was, and the broker checks the numbers. Otherwise it has expired, and may be in
    /// the log if an attempt had no answer, or has none yet.
    ///
    /// Those behind it keep their numbers in any case, unlike behind a [refused](Line::refuse)
    /// batch: the network may bring a copy of this one yet, which the broker takes, and
    /// then it takes those behind it.
    pub(crate) fn give_up(&mut self, place: usize, is_checked: bool, effects: &mut Vec<Effect>) {
        // task 14.4: expired, or delivered without an offset
        let entry = &self.entries[place];
        let outcome = if is_checked && self.is_followed(place) {
            Outcome::Delivered(None)
        } else {
            let may_be_in_log = entry.in_doubt || entry.state == State::InFlight;
            Outcome::Failed(Failure::Expired { may_be_in_log })
        };
        self.settle(place, outcome, effects);
        // end
    }
}
