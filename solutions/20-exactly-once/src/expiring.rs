//! What time ends.

use std::mem::take;

use crate::effect::Effect;
use crate::metadata::State;
use crate::nouns::Now;
use crate::transactions::Transactions;
use crate::work::Change;

impl Transactions {
    /// Does what is due at `now`. Afterwards [`next_deadline`](Transactions::next_deadline) is
    /// later than `now`.
    ///
    /// - An EndTxn that has waited for `answer_timeout` is answered: it is decided how the
    ///   transaction ends, and the markers come later.
    /// - A transaction that was open for too long is aborted, and its producer is fenced.
    /// - Markers that have failed are written again.
    /// - A transactional id that nobody has used for too long is deleted.
    pub fn expire(&mut self, now: Now) -> Vec<Effect> {
        // task 20.3: what time ends: an answer's wait, a transaction, a backoff, an id
        if let Some(ending) = self.ending.take_if(|one| one.until <= now.moment) {
            self.answer(Some(ending.call), Ok(self.current.producer));
        }
        let is_due = self.due.is_some_and(|due| due <= now.moment);
        if !is_due || self.is_busy() {
            return take(&mut self.effects);
        }
        self.due = None;
        match self.current.state {
            State::Ongoing => self.fence(now, None),
            State::PrepareCommit | State::PrepareAbort => {
                let failed = take(&mut self.failed);
                self.write_markers_to(failed.into_iter().collect());
            }
            State::Empty | State::CompleteCommit | State::CompleteAbort => {
                self.store(None, Change::Delete);
            }
            State::Dead => {}
        }
        take(&mut self.effects)
        // end
    }
}
