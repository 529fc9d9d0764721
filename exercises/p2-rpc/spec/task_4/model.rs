//! The call path once more, the slow way: a list of calls.

use message_model::Moment;

use super::part::{CallId, Error};

/// A call in flight; its waiter is its number.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Known {
    pub(super) number: u32,
    pub(super) id: CallId,
    pub(super) deadline: Moment,
    pub(super) window: u32,
    /// How many items may still come.
    pub(super) credit: u32,
    /// How many items the waiter has and has not taken.
    pub(super) untaken: u32,
    /// How many it has taken for which the server has no credit yet.
    pub(super) taken: u32,
}

#[derive(Debug, Default)]
pub(super) struct Model {
    pub(super) calls: Vec<Known>,
    pub(super) refuses_with: Option<Error>,
}

impl Model {
    pub(super) fn get(&mut self, number: u32) -> Option<&mut Known> {
        self.calls.iter_mut().find(|known| known.number == number)
    }

    /// Takes a call out, and returns its number if it was there.
    pub(super) fn end(&mut self, number: u32) -> Option<u32> {
        let index = self.calls.iter().position(|known| known.number == number)?;
        Some(self.calls.remove(index).number)
    }

    /// Takes out what is due, by number.
    pub(super) fn expire(&mut self, now: Moment) -> Vec<(CallId, u32)> {
        let due = self.calls.extract_if(.., |known| known.deadline <= now);
        let mut due: Vec<_> = due.map(|known| (known.id, known.number)).collect();
        due.sort_by_key(|(_, number)| *number);
        due
    }

    pub(super) fn first_deadline(&self) -> Option<Moment> {
        self.calls.iter().map(|known| known.deadline).min()
    }
}
